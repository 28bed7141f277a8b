//! Integration tests, one binary, one file per capability.
//!
//! Modules are in one of two groups. Tests that exercise SQL run on every database: the gate passes the
//! first group to `ESB_TEST_DATABASE=mariadb` and `postgres` too. The rest run on SQLite, and on the others
//! with `.ci/run --full`. `.ci/run` reads the group from this file; `tests/architecture/databases.rs` checks
//! it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test fails by panicking and says when it is skipped"
)]

mod support;

// On every database:

mod cross_channel;
mod db_connection_loss;
mod delivery;
mod delivery_backoff;
mod delivery_clock;
mod delivery_lanes;
mod files;
mod import_legacy;
mod import_legacy_names;
mod jobs;
mod jobs_photos;
mod ops_accounts;
mod ops_board;
mod ops_equipment;
mod ops_idempotency;
mod ops_install;
mod ops_names;
mod ops_prune;
mod ops_repairs;
mod ops_report;
mod process;
mod process_containers;
mod process_log;
mod process_pooler;
mod process_refusals;
mod slack_announcements;
mod slack_cards;
mod slack_channel_names;
mod slack_db_down;
mod slack_events;
mod slack_jobs;
mod slack_outage_answers;
mod slack_password_recipients;
mod slack_passwords;
mod slack_people;
mod slack_reactions;
mod slack_redelivery;
mod slack_repair_select;
mod slack_report;
mod slack_status_repairs;
mod slack_threads;
mod slack_threads_errors;
mod slack_unlinked_people;
mod store_schema;
mod web_events;
mod web_files;
mod web_jobs;
mod web_login_limits;

// On SQLite only:

mod blocks;
mod browser;
mod demo;
mod process_proxy;
mod slack_connect;
mod slack_equipment_select;
mod slack_form_errors;
mod slack_home;
mod slack_hostile;
mod slack_http;
mod slack_known_issues;
mod slack_maintenance;
mod slack_mentions;
mod slack_photos;
mod slack_private_answers;
mod slack_repair;
mod slack_repair_errors;
mod slack_report_errors;
mod slack_shortcuts;
mod slack_status;
mod slack_update;
mod store_sqlite;
mod store_writer;
mod web_access;
mod web_accounts;
mod web_addresses;
mod web_channels;
mod web_cookies;
mod web_disk_full;
mod web_equipment;
mod web_host;
mod web_hostile;
mod web_hostile_pictures;
mod web_kernel;
mod web_pages;
mod web_repairs;
mod web_report;
mod web_resubmit;
mod web_search;
mod web_shares;
mod web_slow_bodies;
mod web_startup;
mod web_uploads;
mod web_visitor_photos;
mod wire_connections;
mod wire_envelopes;
mod wire_shutdown;
mod wire_stalled_reader;
mod wire_web_api;
