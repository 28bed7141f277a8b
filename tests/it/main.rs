//! Tests through the edges, one binary: a file a capability.

// clippy.toml allows these in tests, but sees tests only in functions that are marked so.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod support;

mod delivery;
mod ops_install;
mod ops_report;
mod process;
mod slack_report;
mod wire_connections;
mod wire_deaf;
mod wire_envelopes;
mod wire_shutdown;
mod wire_web_api;
