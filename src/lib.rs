//! Equipment Status Board shows the members of a makerspace which machines work, in Slack and on the web.
//!
//! # Layout
//! Each request (`slack`, `web`, `cli`) calls one operation of `ops`. An operation is one transaction that changes the
//! `store` and enqueues deliveries; the `worker` sends them. ARCHITECTURE.md has the overview, the rules and a map of
//! the code.

pub mod app;
pub mod cli;
pub mod clients;
pub mod clock;
pub mod config;
pub mod domain;
pub mod error_chain;
pub mod files;
pub mod jobs;
pub mod logging;
pub mod metrics;
pub mod ops;
pub mod people;
pub mod render;
pub mod revision_cache;
pub mod slack;
pub mod store;
pub mod views;
pub mod web;
pub mod worker;
