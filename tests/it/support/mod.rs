//! What tests stand on: a database of their own, a manual clock, people, a Slack on loopback.

pub mod app;
pub mod block_kit;
pub mod logs;
pub mod ops;
pub mod slack;
pub mod views;
