//! What tests stand on: a database of their own, a manual clock, people, a Slack on loopback.

pub mod app;
pub mod ops;
pub mod web;
