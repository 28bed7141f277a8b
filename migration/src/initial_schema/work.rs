//! Deliveries, jobs, and what the processes share: idempotency keys, leases, heartbeats, the board revision.

use crate::columns::{count, flag, id, key, optional_string, reference, string, text, time};
use crate::create::foreign_key;
use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DatabaseBackend;

pub(super) fn tables(backend: DatabaseBackend) -> Vec<TableCreateStatement> {
    let mut tables = Vec::from(delivery_tables(backend));
    tables.extend(job_tables(backend));
    tables.extend(shared_tables(backend));
    tables
}

fn delivery_tables(backend: DatabaseBackend) -> [TableCreateStatement; 3] {
    let deliveries = Table::create()
        .table("deliveries")
        .col(id())
        .col(string("target", 80))
        .col(key(backend, "dedupe_key").not_null().unique_key())
        .col(key(backend, "lane").not_null())
        .col(string("kind", 16).default("message"))
        .col(text(backend, "event").not_null())
        .col(reference("card_id"))
        .col(reference("job_id"))
        .col(string("state", 16))
        .col(ColumnDef::new("failures").integer().not_null().default(0))
        .col(ColumnDef::new("rejections").integer().not_null().default(0))
        .col(optional_string("cause", 16))
        .col(time(backend, "due_at").not_null())
        .col(optional_string("lease", 40))
        .col(time(backend, "leased_until"))
        .col(time(backend, "in_doubt_since"))
        .col(time(backend, "created_at").not_null())
        .col(time(backend, "finished_at"))
        .col(optional_string("posted_channel", 32))
        .col(optional_string("posted_ts", 32))
        .take();
    let attempts = Table::create()
        .table("delivery_attempts")
        .col(id())
        .col(reference("delivery_id").not_null())
        .col(string("outcome", 80))
        .col(count("duration_ms"))
        .col(time(backend, "created_at").not_null())
        .foreign_key(&mut foreign_key("delivery_attempts", "delivery_id", "deliveries"))
        .take();
    let slack_channels = Table::create()
        .table("slack_channels")
        .col(string("slack_channel_id", 80).primary_key())
        .col(optional_string("name", 80))
        .col(time(backend, "asked_at").not_null())
        .take();
    [deliveries, attempts, slack_channels]
}

fn job_tables(backend: DatabaseBackend) -> [TableCreateStatement; 2] {
    let jobs = Table::create()
        .table("jobs")
        .col(id())
        .col(string("kind", 32))
        // The kind while the job runs, otherwise NULL: only one job of a kind can run.
        .col(key(backend, "running_kind").unique_key())
        // Identifies the work, so that it is queued once.
        .col(key(backend, "work_key").unique_key())
        .col(text(backend, "input").not_null())
        .col(text(backend, "checkpoint"))
        .col(string("state", 16))
        .col(count("step"))
        .col(count("steps"))
        .col(string("activity", 200))
        .col(text(backend, "failure"))
        .col(count("failures"))
        .col(time(backend, "failing_since"))
        .col(time(backend, "due_at").not_null())
        .col(optional_string("lease", 40))
        .col(time(backend, "leased_until"))
        .col(count("losses"))
        .col(flag("cancel_requested"))
        .col(count("updates"))
        .col(string("edge", 8))
        .col(string("starter_name", 200))
        .col(reference("starter_user_id"))
        .col(optional_string("starter_slack_id", 32))
        .col(optional_string("message_channel", 32))
        .col(optional_string("message_ts", 32))
        // NULL: the job has no private message.
        .col(ColumnDef::new("message_desired_version").big_integer())
        .col(count("message_rendered_version"))
        .col(time(backend, "created_at").not_null())
        .col(time(backend, "updated_at").not_null())
        .col(time(backend, "finished_at"))
        .take();
    let updates = Table::create()
        .table("job_updates")
        .col(id())
        .col(reference("job_id").not_null())
        .col(text(backend, "text").not_null())
        .col(time(backend, "created_at").not_null())
        .foreign_key(&mut foreign_key("job_updates", "job_id", "jobs"))
        .take();
    [jobs, updates]
}

fn shared_tables(backend: DatabaseBackend) -> [TableCreateStatement; 4] {
    let requests = Table::create()
        .table("requests")
        .col(string("id", 64).primary_key())
        .col(text(backend, "answer").not_null())
        .col(time(backend, "created_at").not_null())
        .take();
    let leases = Table::create()
        .table("leases")
        .col(string("name", 32).primary_key())
        .col(string("holder", 40))
        .col(time(backend, "leased_until").not_null())
        .take();
    let heartbeats = Table::create()
        .table("heartbeats")
        .col(string("name", 32).primary_key())
        .col(time(backend, "beat_at").not_null())
        .take();
    let board = Table::create().table("board").col(id()).col(count("revision")).take();
    [requests, leases, heartbeats, board]
}
