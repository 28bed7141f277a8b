//! Tests through the edges, one binary: a file a capability.

mod support;

mod blocks;
mod ops_install;
mod ops_report;
mod slack_report;
