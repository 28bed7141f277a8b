//! Tests through the edges, one binary: a file a capability.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

mod ops_install;
mod ops_report;
mod slack_report;
mod web_kernel;
mod web_pages;
mod web_report;
