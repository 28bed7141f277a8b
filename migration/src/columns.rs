//! Column types that mean the same on every database. Used by the steps only.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DatabaseBackend;

/// Longest text under a unique index (MariaDB with utf8mb4).
pub(crate) const UNIQUE_TEXT: u32 = 191;

/// The row's number.
pub(crate) fn id() -> ColumnDef {
    ColumnDef::new("id").big_integer().not_null().auto_increment().primary_key().take()
}

/// Another row's number.
pub(crate) fn reference(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).big_integer().take()
}

/// A short text that is never absent.
pub(crate) fn string(name: &'static str, most: u32) -> ColumnDef {
    ColumnDef::new(name).string_len(most).not_null().take()
}

/// A text by which rows are found and sorted: by code point, whatever language the database speaks.
pub(crate) fn key(backend: DatabaseBackend, name: &'static str) -> ColumnDef {
    let mut column = ColumnDef::new(name);
    match backend {
        DatabaseBackend::Postgres => column.custom(format!("varchar({UNIQUE_TEXT}) COLLATE \"C\"")),
        _ => column.string_len(UNIQUE_TEXT),
    };
    column
}

/// A text without a limit that anyone meets. MariaDB's own `text` ends at 64 kB.
pub(crate) fn text(backend: DatabaseBackend, name: &'static str) -> ColumnDef {
    let mut column = ColumnDef::new(name);
    match backend {
        DatabaseBackend::MySql => column.custom("mediumtext"),
        _ => column.text(),
    };
    column
}

/// A truth.
pub(crate) fn flag(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).boolean().not_null().default(false).take()
}

/// A count or version.
pub(crate) fn count(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).big_integer().not_null().default(0).take()
}

/// A time in UTC to the microsecond. MariaDB's own `timestamp` knows whole seconds only and ends in 2038.
pub(crate) fn time(backend: DatabaseBackend, name: &'static str) -> ColumnDef {
    let mut column = ColumnDef::new(name);
    match backend {
        DatabaseBackend::MySql => column.custom("datetime(6)"),
        _ => column.timestamp_with_time_zone(),
    };
    column
}
