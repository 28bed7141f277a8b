//! Tests through the edges, one binary: a file a capability.

mod support;

mod ops_install;
mod ops_report;
mod web_kernel;
mod web_pages;
mod web_report;
