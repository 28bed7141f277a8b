//! What tests stand on: a database of their own, a manual clock, people, a Slack,
//! log lines.

pub mod lines;
pub mod ops;
pub mod wire;
