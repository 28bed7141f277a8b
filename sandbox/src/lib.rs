//! A Slack on loopback for demos and tests.
