//! The sandbox from outside, with a small app that talks to it over real sockets.

// clippy.toml allows these in tests, but sees tests only in functions that are marked so.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod acts;
mod app;
mod calls;
mod connect;
mod faults;
mod files;
mod heard;
mod terminal;
mod walk;
mod wire;
