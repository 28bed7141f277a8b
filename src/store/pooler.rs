//! Refuses poolers that pass the connection of one client to another between two statements (pgbouncer in
//! transaction mode, older than 1.21 or without `max_prepared_statements`). Named prepared statements there belong
//! to a server connection that several clients share, so statements would fail now and then. Called by `connect`
//! and `probe`.

use super::connect_error::ConnectError;
use super::db_error::within;
use super::pool_health::ACQUIRE;
use sea_orm::sqlx::postgres::{PgConnectOptions, PgConnection};
use sea_orm::sqlx::{self, ConnectOptions as _, Connection};
use sea_orm::{DbErr, RuntimeErr};
use std::sync::Arc;

/// PostgreSQL's code for an existing prepared statement of the same name.
const DUPLICATE: &str = "42P05";

/// Opens connections without a parameter that poolers refuse by default. It affects only the digits of fractions as
/// text, which we do not read.
pub(super) fn options(options: PgConnectOptions) -> PgConnectOptions {
    options.extra_float_digits(None)
}

/// Prepares a statement of the same name on each of two connections, which succeeds if each has its own session.
pub(super) async fn refuse_shared_sessions(url: &str) -> Result<(), ConnectError> {
    let trying = async { two_sessions(url).await.map_err(to_db_err) };
    match within(ACQUIRE, Box::pin(trying)).await.map_err(ConnectError::Open)? {
        true => Ok(()),
        false => Err(ConnectError::SharedSessions),
    }
}

fn to_db_err(error: sqlx::Error) -> DbErr {
    DbErr::Conn(RuntimeErr::SqlxError(Arc::new(error)))
}

/// False when the second connection finds the first one's statement.
async fn two_sessions(url: &str) -> Result<bool, sqlx::Error> {
    let options = options(url.parse::<PgConnectOptions>()?).disable_statement_logging();
    let mut first = PgConnection::connect_with(&options).await?;
    let mut second = PgConnection::connect_with(&options).await?;
    let mut own = true;
    // The first one may find a statement of an earlier process.
    for connection in [&mut first, &mut second] {
        match sqlx::query("SELECT 1").execute(connection).await {
            Err(error) if is_taken(&error) => own = false,
            done => {
                done?;
            }
        }
    }
    first.close().await?;
    second.close().await?;
    Ok(own)
}

fn is_taken(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(|error| error.code().is_some_and(|code| code == DUPLICATE))
}
