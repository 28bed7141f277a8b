//! What editing repairs needs: whom an entry of the timeline names and which note it takes the place of;
//! ways to find the duplicates of a repair, and the queue in its order.

use crate::columns::reference;
use crate::create::{add_column, create_index};
use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DatabaseBackend;

/// The step.
#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

/// New columns of `timeline`.
const COLUMNS: [&str; 3] = ["old_user_id", "new_user_id", "supersedes"];

/// Table, columns, and whether they are unique together.
const INDEXES: [(&str, &[&str], bool); 3] = [
    ("repairs", &["duplicate_of"], false),
    ("repairs", &["open", "severity", "created_at"], false),
    ("timeline", &["supersedes"], false),
];

/// On MariaDB a foreign key brings an index of its own.
fn is_wanted(manager: &SchemaManager<'_>, columns: &[&str]) -> bool {
    manager.get_database_backend() != DatabaseBackend::MySql || columns != ["duplicate_of"]
}

#[async_trait::async_trait]
#[expect(elided_lifetimes_in_paths, reason = "the trait's own signature elides it")]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for column in COLUMNS {
            add_column(manager, "timeline", reference(column)).await?;
        }
        for index in INDEXES.into_iter().filter(|index| is_wanted(manager, index.1)) {
            create_index(manager, index).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (table, columns, _) in INDEXES.into_iter().filter(|index| is_wanted(manager, index.1)) {
            let name = format!("ix_{table}_{}", columns.join("_"));
            manager.drop_index(Index::drop().name(name).table(table).to_owned()).await?;
        }
        for column in COLUMNS {
            manager.alter_table(Table::alter().table("timeline").drop_column(column).take()).await?;
        }
        Ok(())
    }
}
