//! Creates tables and indexes. MariaDB cannot run a migration in a transaction, and the process may be killed
//! halfway: there a repeated migration keeps what already exists and continues.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DatabaseBackend;

/// Creates a table. On MariaDB texts compare by code point as elsewhere: its default collation ignores case,
/// accents and trailing spaces.
pub(crate) async fn create_table(
    manager: &SchemaManager<'_>,
    mut table: TableCreateStatement,
) -> Result<(), DbErr> {
    if manager.get_database_backend() == DatabaseBackend::MySql {
        table.character_set("utf8mb4").collate("utf8mb4_nopad_bin").if_not_exists();
    }
    manager.create_table(table).await
}

/// Creates an index of a table on columns, unique or not.
pub(crate) async fn create_index(
    manager: &SchemaManager<'_>,
    (table, columns, unique): (&'static str, &[&'static str], bool),
) -> Result<(), DbErr> {
    let name = format!("ix_{table}_{}", columns.join("_"));
    if manager.get_database_backend() == DatabaseBackend::MySql && manager.has_index(table, &name).await? {
        return Ok(());
    }
    let mut index = Index::create();
    index.name(name).table(table);
    for column in columns {
        index.col(*column);
    }
    if unique {
        index.unique();
    }
    manager.create_index(index).await
}

/// A foreign key to the `id` of another table. A referenced row cannot be deleted.
pub(crate) fn foreign_key(
    from: &'static str,
    column: &'static str,
    to: &'static str,
) -> ForeignKeyCreateStatement {
    ForeignKey::create()
        .name(format!("fk_{from}_{column}"))
        .from(from, column)
        .to(to, "id")
        .on_delete(ForeignKeyAction::Restrict)
        .take()
}
