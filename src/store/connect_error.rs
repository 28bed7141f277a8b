//! Why the database cannot be used.

use super::db_error::is_transient;
use sea_orm::DbErr;

#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The file or its directory cannot be created.
    #[error("the database's file cannot be made")]
    File(#[source] std::io::Error),
    /// It does not answer or refuses the connection.
    #[error("the database cannot be opened")]
    Open(#[source] DbErr),
    /// The schema cannot be brought up to date.
    #[error("the database's schema cannot be brought up to date")]
    Migrate(#[source] DbErr),
    /// Another process has held the schema lock too long.
    #[error("another process has been changing the database's schema for a minute")]
    Locked,
    /// The database has a migration that this program does not have.
    #[error("the database's schema is newer than this program: install the newer version")]
    Newer,
    /// Another program has a table of this name.
    #[error("the database has a table `{0}` of another program's: set DATABASE_URL to a database of its own")]
    Occupied(&'static str),
    /// It is the Python system's database.
    #[error(
        "this is the Python system's database, and nothing was written to it: set DATABASE_URL to a \
         database of its own, and copy the old data over with `esb import-legacy <address of this one>`"
    )]
    PythonSystem,
    /// A pooler shares sessions between connections.
    #[error(
        "a pooler stands before this database and gives one session to several connections (pgbouncer: pool_mode \
         transaction or statement). Set pool_mode = session for ESB's database, let pgbouncer 1.21 or newer keep \
         prepared statements (max_prepared_statements = 200), or give DATABASE_URL the address of PostgreSQL itself"
    )]
    SharedSessions,
    /// It is not the Python system's database.
    #[error("this is no database of the Python system: it has no table alembic_version")]
    NotPythonSystem,
}

impl ConnectError {
    /// True when the database does not answer now but may later.
    pub(super) fn is_transient(&self) -> bool {
        matches!(self, Self::Open(error) | Self::Migrate(error) if is_transient(error))
    }
}
