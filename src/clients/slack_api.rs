//! Slack's Web API.
