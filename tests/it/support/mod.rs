//! Test fixtures: databases, a manual clock, people, a Slack on loopback, browsers, log lines, a proxy that
//! breaks connections.

pub mod app;
pub mod block_kit;
pub mod chromium;
pub mod connect_proxy;
pub mod database;
pub mod events;
pub mod hostile_pictures;
pub mod http_bridge;
pub mod jobs;
pub mod lines;
pub mod ops;
pub mod passwords;
pub mod pictures;
pub mod process;
pub mod proxy;
pub mod python;
pub mod repairs;
pub mod slack;
pub mod small_disk;
pub mod views;
pub mod wait;
pub mod web;
pub mod wire;
