//! Tests through the edges, one binary: a file a capability.

mod support;

mod ops_install;
mod ops_report;
