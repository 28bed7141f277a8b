//! Tests through the edges, one binary: a file a capability.

mod support;

mod delivery;
mod ops_install;
mod ops_report;
mod process;
mod slack_report;
