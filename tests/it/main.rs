//! Tests through the edges, one binary: a file a capability.

mod support;

mod blocks;
mod ops_install;
mod ops_report;
mod slack_announcements;
mod slack_known_issues;
mod slack_machine_select;
mod slack_private_answers;
mod slack_report;
mod slack_report_errors;
mod slack_status;
