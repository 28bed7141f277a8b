//! The Slack edge: what comes in from Slack becomes a call of one operation.
//!
//! A transport (`socket`, later `http`) reads an [`envelope`], [`intake`] makes it a task and sees to
//! its acknowledgement, the dispatcher acts.

pub mod envelope;
pub mod intake;
pub mod socket;
