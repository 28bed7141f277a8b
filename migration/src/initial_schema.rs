//! The first schema: every table of version 0.1.0, by noun in the files of this folder.

mod equipment;
mod people;
mod repairs;
mod work;

use crate::create::{create_index, create_table};
use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DatabaseBackend;

#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

/// The tables in the order of their foreign keys; dropped in reverse.
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
    "sessions",
    "api_tokens",
    "equipment_links",
    "equipment_notes",
    "documents",
    "photos",
    "jobs",
    "job_updates",
    "cards",
    "thread_replies",
    "slack_channels",
    "leases",
    "slack_unlinks",
];

/// Table, columns, and whether they are unique together.
const INDEXES: &[(&str, &[&str], bool)] = &[
    ("equipment", &["area_id"], false),
    ("equipment", &["name_key"], false),
    ("equipment", &["archived", "name_key", "id"], false),
    ("equipment", &["area_id", "archived", "name_key"], false),
    ("equipment_links", &["equipment_id"], false),
    ("equipment_notes", &["equipment_id"], false),
    ("documents", &["equipment_id"], false),
    ("documents", &["stored_name"], true),
    ("documents", &["source"], true),
    ("photos", &["equipment_id"], false),
    ("photos", &["repair_id"], false),
    ("photos", &["stored_name"], true),
    ("photos", &["source"], true),
    // The upload limit for visitors counts the photos of the last day.
    ("photos", &["created_at"], false),
    ("repairs", &["equipment_id", "open"], false),
    ("repairs", &["equipment_id", "created_at"], false),
    ("repairs", &["open"], false),
    ("repairs", &["open", "severity", "created_at"], false),
    DUPLICATES,
    ("timeline", &["repair_id", "id"], false),
    ("timeline", &["supersedes"], false),
    ("me_toos", &["repair_id", "person_key"], true),
    ("cards", &["repair_id", "target"], true),
    ("cards", &["channel", "ts"], false),
    ("thread_replies", &["channel", "ts"], true),
    ("audit", &["noun", "noun_id"], false),
    ("audit", &["created_at"], false),
    ("sessions", &["expires_at"], false),
    ("slack_unlinks", &["user_id", "slack_user_id"], true),
    ("deliveries", &["state", "due_at"], false),
    ("deliveries", &["lane", "id"], false),
    ("deliveries", &["card_id", "state"], false),
    ("deliveries", &["job_id", "state"], false),
    // Pruning finds expired rows by these two.
    ("deliveries", &["state", "finished_at"], false),
    ("requests", &["created_at"], false),
    ("delivery_attempts", &["delivery_id"], false),
    ("jobs", &["state", "due_at"], false),
    ("jobs", &["finished_at"], false),
    ("job_updates", &["job_id", "id"], false),
];

/// MariaDB's foreign key already creates this one.
const DUPLICATES: (&str, &[&str], bool) = ("repairs", &["duplicate_of"], false);

/// Key of the settings row that counts the changes of all settings.
const SETTINGS_VERSION: &str = "version";

#[async_trait::async_trait]
#[expect(elided_lifetimes_in_paths, reason = "the trait's own signature elides it")]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let backend = manager.get_database_backend();
        let tables = equipment::tables(backend)
            .into_iter()
            .chain(people::tables(backend))
            .chain(repairs::tables(backend))
            .chain(equipment::file_tables(backend))
            .chain(work::tables(backend));
        for table in tables {
            create_table(manager, table).await?;
        }
        let on_mariadb = backend == DatabaseBackend::MySql;
        for index in INDEXES.iter().filter(|index| !(on_mariadb && **index == DUPLICATES)) {
            create_index(manager, *index).await?;
        }
        manager.execute(board_row()).await?;
        manager.execute(settings_row(backend)).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in TABLES.iter().rev() {
            manager.drop_table(Table::drop().table(*table).if_exists().take()).await?;
        }
        Ok(())
    }
}

fn board_row() -> InsertStatement {
    Query::insert()
        .into_table("board")
        .columns(["id", "revision"])
        .values_panic([1.into(), 0.into()])
        .on_conflict(OnConflict::column("id").do_nothing_on(["id"]).to_owned())
        .take()
}

fn settings_row(backend: DatabaseBackend) -> InsertStatement {
    let now = match backend {
        DatabaseBackend::MySql => "UTC_TIMESTAMP(6)",
        _ => "CURRENT_TIMESTAMP",
    };
    Query::insert()
        .into_table("settings")
        .columns(["key", "value", "updated_at"])
        .values_panic([SETTINGS_VERSION.into(), "1".into(), Expr::cust(now)])
        .on_conflict(OnConflict::column("key").do_nothing_on(["key"]).to_owned())
        .take()
}
