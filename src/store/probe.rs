//! Checks whether a database could be used, without changing it. Called by `app::check`.

use super::connect::{AS_IT_IS, BUSY, READ_ONLY, READS, open, refuse_python_system};
use super::connect_error::ConnectError;
use super::db_error::{is_read_only, is_unknown_database, within};
use super::pool_health::ACQUIRE;
use super::pooler;
use super::schema::{applied, known_steps};
use crate::domain::database::sqlite_file;
use sea_orm::sqlx::mysql::MySqlConnection;
use sea_orm::sqlx::postgres::{PgConnectOptions, PgConnection};
use sea_orm::sqlx::{self, Connection};
use sea_orm::{DatabaseConnection, DbErr, RuntimeErr};
use secrecy::{ExposeSecret, SecretString};
use std::sync::Arc;

/// The content of a usable database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DatabaseContent {
    /// No tables, or no such database on MariaDB: the next start creates them.
    Nothing,
    /// The tables, with missing migrations: the next start applies them.
    Tables {
        /// Number of missing migrations.
        missing: usize,
    },
}

/// Opens the database at `url`, reads its schema and closes it. Within 5 s for a server; no retries.
///
/// # Errors
/// It does not answer, refuses the connection, is the Python system's or newer than this program.
pub async fn probe(url: &SecretString) -> Result<DatabaseContent, ConnectError> {
    let address = url.expose_secret();
    if let Some(file) = sqlite_file(address) {
        return match std::fs::metadata(file) {
            Ok(there) if there.len() > 0 => content_of_file(address).await,
            _ => Ok(DatabaseContent::Nothing),
        };
    }
    // Without a pool, which would retry and then report only a timeout.
    let greeting = within(ACQUIRE, Box::pin(greet(address)));
    match greeting.await {
        Err(error) if is_unknown_database(&error) => return Ok(DatabaseContent::Nothing),
        greeted => greeted.map_err(ConnectError::Open)?,
    }
    if address.starts_with("postgres:") {
        pooler::refuse_shared_sessions(address).await?;
    }
    let db = open(address, 1, BUSY, AS_IT_IS, READS, &Arc::default()).await.map_err(ConnectError::Open)?;
    let found = content(&db).await;
    let _ = db.close().await;
    found
}

/// Read-only, unless an interrupted write has to be undone first.
async fn content_of_file(address: &str) -> Result<DatabaseContent, ConnectError> {
    let candidate = async |options| {
        let db = open(address, 1, BUSY, options, READS, &Arc::default()).await.map_err(ConnectError::Open)?;
        let found = content(&db).await;
        db.close().await.map_err(ConnectError::Open)?;
        found
    };
    match candidate(READ_ONLY).await {
        Err(ConnectError::Open(error)) if is_read_only(&error) => candidate(AS_IT_IS).await,
        found => found,
    }
}

async fn content(db: &DatabaseConnection) -> Result<DatabaseContent, ConnectError> {
    refuse_python_system(db).await?;
    let applied = within(ACQUIRE, Box::pin(applied(db))).await.map_err(ConnectError::Open)?;
    let known = known_steps();
    if !applied.iter().all(|step| known.contains(step)) {
        return Err(ConnectError::Newer);
    }
    match applied.len() {
        0 => Ok(DatabaseContent::Nothing),
        some => Ok(DatabaseContent::Tables { missing: known.len().saturating_sub(some) }),
    }
}

async fn greet(address: &str) -> Result<(), DbErr> {
    let greeted = async {
        if address.starts_with("postgres:") {
            let options = pooler::options(address.parse::<PgConnectOptions>()?);
            PgConnection::connect_with(&options).await?.close().await
        } else {
            MySqlConnection::connect(address).await?.close().await
        }
    };
    greeted.await.map_err(|error: sqlx::Error| DbErr::Conn(RuntimeErr::SqlxError(Arc::new(error))))
}
