//! Refuses poolers that hand the connection of one client to another between two statements (pgbouncer in transaction
//! mode, older than 1.21 or without `max_prepared_statements`). Statements are prepared under names, which there belong
//! to a server connection that others use, too: they would fail now and then, and in the middle of something. Called
//! by `connect` and `probe`.

use super::connect_error::ConnectError;
use super::db_error::within;
use super::pool_health::ACQUIRE;
use sea_orm::sqlx::postgres::{PgConnectOptions, PgConnection};
use sea_orm::sqlx::{self, ConnectOptions as _, Connection};
use sea_orm::{DbErr, RuntimeErr};
use std::sync::Arc;

/// PostgreSQL's word for a prepared statement whose name is taken.
const DUPLICATE: &str = "42P05";

/// Opens connections without a parameter that poolers refuse by default. It changes how many digits of fractions are
/// sent as text; we read none so.
pub(super) fn options(options: PgConnectOptions) -> PgConnectOptions {
    options.extra_float_digits(None)
}

/// Prepares a statement on each of two connections, which give it the same name: two servers' sessions do not mind.
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
    // The first one may find what an earlier process left.
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
