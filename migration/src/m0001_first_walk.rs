//! The nouns of the first walk: areas, machines, repairs with their timeline, users, settings, audit,
//! deliveries with their attempts, and what recognises repetitions.

use crate::columns::{count, flag, id, key, reference, string, text, time};
use crate::create::{create_index, create_table, foreign_key};
use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DatabaseBackend;

/// The step.
#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

/// The tables, in the order in which they can be made; dropped backwards.
pub(crate) const TABLES: &[&str] = &[
    "areas",
    "equipment",
    "users",
    "repairs",
    "timeline",
    "me_toos",
    "settings",
    "audit",
    "deliveries",
    "delivery_attempts",
    "requests",
    "slack_people",
    "board",
    "heartbeats",
];

#[async_trait::async_trait]
#[expect(elided_lifetimes_in_paths, reason = "the trait's own signature elides it")]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let backend = manager.get_database_backend();
        for table in
            registry_tables(backend).into_iter().chain(repair_tables(backend)).chain(sending_tables(backend))
        {
            create_table(manager, table).await?;
        }
        for index in INDEXES {
            create_index(manager, index).await?;
        }
        let board = Query::insert()
            .into_table("board")
            .columns(["id", "revision"])
            .values_panic([1.into(), 0.into()])
            .on_conflict(OnConflict::column("id").do_nothing_on(["id"]).to_owned())
            .take();
        manager.execute(board).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in TABLES.iter().rev() {
            manager.drop_table(Table::drop().table(*table).take()).await?;
        }
        Ok(())
    }
}

fn registry_tables(backend: DatabaseBackend) -> [TableCreateStatement; 4] {
    let areas = Table::create()
        .table("areas")
        .col(id())
        .col(string("name", 80))
        .col(key(backend, "name_key").not_null())
        // The folded name while the area is live, NULL once archived: unique among live ones only.
        .col(key(backend, "live_key").unique_key())
        .col(string("slack_channel", 80))
        .col(count("sort_order"))
        .col(flag("archived"))
        .col(time(backend, "created_at").not_null())
        .col(time(backend, "updated_at").not_null())
        .take();
    let equipment = Table::create()
        .table("equipment")
        .col(id())
        .col(reference("area_id").not_null())
        .col(string("name", 200))
        .col(key(backend, "name_key").not_null())
        .col(string("manufacturer", 200))
        .col(string("model", 200))
        .col(string("serial_number", 200))
        .col(ColumnDef::new("acquisition_date").date())
        .col(string("acquisition_source", 200))
        .col(ColumnDef::new("acquisition_cost").decimal_len(10, 2))
        .col(ColumnDef::new("warranty_expiration").date())
        .col(text(backend, "description").not_null())
        .col(flag("archived"))
        .col(time(backend, "created_at").not_null())
        .col(time(backend, "updated_at").not_null())
        .foreign_key(&mut foreign_key("equipment", "area_id", "areas"))
        .take();
    let users = Table::create()
        .table("users")
        .col(id())
        .col(string("username", 80))
        .col(key(backend, "username_key").not_null().unique_key())
        .col(string("email", 254))
        .col(key(backend, "email_key").not_null().unique_key())
        .col(string("role", 16))
        .col(flag("active"))
        .col(string("slack_handle", 80))
        .col(ColumnDef::new("slack_user_id").string_len(32).unique_key())
        .col(string("password_hash", 255))
        .col(flag("must_change_password"))
        .col(time(backend, "created_at").not_null())
        .col(time(backend, "updated_at").not_null())
        .take();
    let settings = Table::create()
        .table("settings")
        .col(string("key", 64).primary_key())
        .col(text(backend, "value").not_null())
        .col(time(backend, "updated_at").not_null())
        .take();
    [areas, equipment, users, settings]
}

fn repair_tables(backend: DatabaseBackend) -> [TableCreateStatement; 4] {
    let repairs = Table::create()
        .table("repairs")
        .col(id())
        .col(reference("equipment_id").not_null())
        .col(text(backend, "description").not_null())
        .col(ColumnDef::new("severity").string_len(16))
        .col(string("status", 32))
        // Follows from the status; a column of its own so that every database can index it.
        .col(flag("open"))
        .col(string("reporter_name", 200))
        .col(ColumnDef::new("reporter_email").string_len(254))
        .col(ColumnDef::new("reporter_slack_id").string_len(32))
        .col(reference("assignee_id"))
        .col(ColumnDef::new("eta").date())
        .col(text(backend, "specialist_description").not_null())
        .col(reference("duplicate_of"))
        .col(flag("safety_risk"))
        .col(flag("consumable"))
        .col(count("version"))
        .col(time(backend, "created_at").not_null())
        .col(time(backend, "closed_at"))
        .foreign_key(&mut foreign_key("repairs", "equipment_id", "equipment"))
        .foreign_key(&mut foreign_key("repairs", "assignee_id", "users"))
        .foreign_key(&mut foreign_key("repairs", "duplicate_of", "repairs"))
        .take();
    let timeline = Table::create()
        .table("timeline")
        .col(id())
        .col(reference("repair_id").not_null())
        .col(string("kind", 32))
        .col(string("actor_name", 200))
        .col(reference("actor_user_id"))
        .col(count("version"))
        .col(text(backend, "old_value"))
        .col(text(backend, "new_value"))
        .col(time(backend, "created_at").not_null())
        .foreign_key(&mut foreign_key("timeline", "repair_id", "repairs"))
        .take();
    let me_toos = Table::create()
        .table("me_toos")
        .col(id())
        .col(reference("repair_id").not_null())
        .col(string("person_key", 80))
        .col(time(backend, "created_at").not_null())
        .foreign_key(&mut foreign_key("me_toos", "repair_id", "repairs"))
        .take();
    let audit = Table::create()
        .table("audit")
        .col(id())
        .col(string("action", 64))
        .col(string("noun", 32))
        .col(reference("noun_id").not_null())
        .col(string("edge", 8))
        .col(string("actor_name", 200))
        .col(reference("actor_user_id"))
        .col(text(backend, "old_value"))
        .col(text(backend, "new_value"))
        .col(time(backend, "created_at").not_null())
        .take();
    [repairs, timeline, me_toos, audit]
}

fn sending_tables(backend: DatabaseBackend) -> [TableCreateStatement; 6] {
    let deliveries = Table::create()
        .table("deliveries")
        .col(id())
        .col(string("target", 80))
        .col(key(backend, "dedupe_key").not_null().unique_key())
        .col(key(backend, "lane").not_null())
        .col(text(backend, "event").not_null())
        .col(string("state", 16))
        .col(ColumnDef::new("failures").integer().not_null().default(0))
        .col(ColumnDef::new("rejections").integer().not_null().default(0))
        .col(time(backend, "due_at").not_null())
        .col(ColumnDef::new("lease").string_len(40))
        .col(time(backend, "leased_until"))
        .col(time(backend, "created_at").not_null())
        .col(time(backend, "finished_at"))
        .col(ColumnDef::new("posted_channel").string_len(32))
        .col(ColumnDef::new("posted_ts").string_len(32))
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
    let requests = Table::create()
        .table("requests")
        .col(string("id", 64).primary_key())
        .col(text(backend, "answer").not_null())
        .col(time(backend, "created_at").not_null())
        .take();
    let slack_people = Table::create()
        .table("slack_people")
        .col(string("slack_user_id", 32).primary_key())
        .col(string("name", 200))
        .col(key(backend, "email_key"))
        .col(time(backend, "asked_at").not_null())
        .take();
    let board = Table::create().table("board").col(id()).col(count("revision")).take();
    let heartbeats = Table::create()
        .table("heartbeats")
        .col(string("name", 32).primary_key())
        .col(time(backend, "beat_at").not_null())
        .take();
    [deliveries, attempts, requests, slack_people, board, heartbeats]
}

/// Table, columns, and whether they are unique together.
const INDEXES: [(&str, &[&str], bool); 10] = [
    ("equipment", &["area_id"], false),
    ("equipment", &["name_key"], false),
    ("repairs", &["equipment_id", "open"], false),
    ("repairs", &["open"], false),
    ("timeline", &["repair_id", "id"], false),
    ("me_toos", &["repair_id", "person_key"], true),
    ("audit", &["noun", "noun_id"], false),
    ("deliveries", &["state", "due_at"], false),
    ("deliveries", &["lane", "id"], false),
    ("delivery_attempts", &["delivery_id"], false),
];
