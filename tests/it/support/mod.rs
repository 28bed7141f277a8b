//! What tests stand on: a database of their own, a manual clock, people, a Slack on loopback, log lines.

pub mod app;
pub mod lines;
pub mod ops;
pub mod wire;
