//! Makes tables and indexes. MariaDB knows no transaction around a step, and a process may be killed
//! within one: there a step takes what it finds and goes on. Used by the steps only.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DatabaseBackend;

/// Makes a table. On MariaDB texts compare by code point, as they do elsewhere: its own
/// default takes no notice of case, accents and spaces at the end.
pub(crate) async fn create_table(
    manager: &SchemaManager<'_>,
    mut table: TableCreateStatement,
) -> Result<(), DbErr> {
    if manager.get_database_backend() == DatabaseBackend::MySql {
        table.character_set("utf8mb4").collate("utf8mb4_nopad_bin").if_not_exists();
    }
    manager.create_table(table).await
}

/// Makes an index of a table over columns, unique or not.
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

/// "The column holds the number of a row of that table", which then cannot be removed.
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
