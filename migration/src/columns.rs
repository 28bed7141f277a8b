//! Column types with the same meaning on every database.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DatabaseBackend;

/// Longest text under a unique index, in characters (MariaDB with utf8mb4).
pub(crate) const UNIQUE_TEXT: u32 = 191;

pub(crate) fn id() -> ColumnDef {
    ColumnDef::new("id").big_integer().not_null().auto_increment().primary_key().take()
}

pub(crate) fn reference(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).big_integer().take()
}

/// A text of at most `most` characters, not NULL.
pub(crate) fn string(name: &'static str, most: u32) -> ColumnDef {
    ColumnDef::new(name).string_len(most).not_null().take()
}

/// A text of at most `most` characters, or NULL.
pub(crate) fn optional_string(name: &'static str, most: u32) -> ColumnDef {
    ColumnDef::new(name).string_len(most).take()
}

/// A text for lookups and sorting. It compares by code point on every database.
pub(crate) fn key(backend: DatabaseBackend, name: &'static str) -> ColumnDef {
    let mut column = ColumnDef::new(name);
    match backend {
        DatabaseBackend::Postgres => column.custom(format!("varchar({UNIQUE_TEXT}) COLLATE \"C\"")),
        _ => column.string_len(UNIQUE_TEXT),
    };
    column
}

/// A long text. MariaDB's own `text` ends at 64 kB.
pub(crate) fn text(backend: DatabaseBackend, name: &'static str) -> ColumnDef {
    let mut column = ColumnDef::new(name);
    match backend {
        DatabaseBackend::MySql => column.custom("mediumtext"),
        _ => column.text(),
    };
    column
}

pub(crate) fn flag(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).boolean().not_null().default(false).take()
}

pub(crate) fn count(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).big_integer().not_null().default(0).take()
}

/// The version for optimistic locking; a new row has version 1.
pub(crate) fn version() -> ColumnDef {
    ColumnDef::new("version").big_integer().not_null().default(1).take()
}

/// A time in UTC to the microsecond. MariaDB's own `timestamp` has whole seconds only and ends in 2038.
pub(crate) fn time(backend: DatabaseBackend, name: &'static str) -> ColumnDef {
    let mut column = ColumnDef::new(name);
    match backend {
        DatabaseBackend::MySql => column.custom("datetime(6)"),
        _ => column.timestamp_with_time_zone(),
    };
    column
}
