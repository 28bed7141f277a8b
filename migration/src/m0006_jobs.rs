//! Jobs: long work in steps, with what each of them has to say.

use crate::columns::{count, flag, id, key, reference, string, text, time};
use crate::create::{create_index, create_table, foreign_key};
use sea_orm_migration::prelude::*;

/// The step.
#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

/// The tables, in the order in which they can be made; dropped backwards.
pub(crate) const TABLES: &[&str] = &["jobs", "job_updates"];

/// Table, columns, and whether they are unique together.
const INDEXES: [(&str, &[&str], bool); 3] = [
    ("jobs", &["state", "due_at"], false),
    ("jobs", &["finished_at"], false),
    ("job_updates", &["job_id", "id"], false),
];

#[async_trait::async_trait]
#[expect(elided_lifetimes_in_paths, reason = "the trait's own signature elides it")]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let backend = manager.get_database_backend();
        let jobs = Table::create()
            .table("jobs")
            .col(id())
            .col(string("kind", 32))
            // The kind while the job runs, else NULL: one at a time, whoever races.
            .col(key(backend, "running_kind").unique_key())
            // Names the work, so that it is queued once.
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
            .col(ColumnDef::new("lease").string_len(40))
            .col(time(backend, "leased_until"))
            .col(count("losses"))
            .col(flag("cancel_requested"))
            .col(count("updates"))
            .col(string("edge", 8))
            .col(string("starter_name", 200))
            .col(reference("starter_user_id"))
            .col(ColumnDef::new("starter_slack_id").string_len(32))
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
        create_table(manager, jobs).await?;
        create_table(manager, updates).await?;
        for index in INDEXES {
            create_index(manager, index).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in TABLES.iter().rev() {
            manager.drop_table(Table::drop().table(*table).take()).await?;
        }
        Ok(())
    }
}
