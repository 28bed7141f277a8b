//! Equipment Status Board tells the members of a makerspace which machines work, from Slack.
//!
//! # Layout
//! What comes in (`slack`, `web`, `cli`) becomes a call of one operation of `ops`; an operation is
//! one transaction that changes the `store` and writes the deliveries it owes; the `worker` sends
//! them. ARCHITECTURE.md has the picture, the rules and where to find what.

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
