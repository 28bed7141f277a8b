//! The Slack edge: what comes in from Slack becomes a call of one operation.

pub mod envelope;
pub mod socket;
