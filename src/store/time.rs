//! The database's own time: the one clock on which processes of several machines agree.

use super::Store;
use chrono::{DateTime, NaiveDateTime, Utc};
use sea_orm::sea_query::{Expr, Query};
use sea_orm::{ConnectionTrait, DbBackend, DbErr};

/// A due time that no clock takes for the future. What is due at once is written down by machines whose clocks may be
/// ahead of the database's, by which it is judged.
pub const AT_ONCE: DateTime<Utc> = DateTime::UNIX_EPOCH;

impl Store {
    /// The database's time in UTC; SQLite's is that of the machine, in whole milliseconds.
    ///
    /// # Errors
    /// The database's.
    pub async fn time(&self) -> Result<DateTime<Utc>, DbErr> {
        let backend = self.read.get_database_backend();
        let now = match backend {
            DbBackend::MySql => "UTC_TIMESTAMP(6)",
            DbBackend::Postgres => "clock_timestamp()",
            _ => "strftime('%Y-%m-%d %H:%M:%f', 'now')",
        };
        let now = Query::select().expr_as(Expr::cust(now), "now").take();
        let row = self.read.query_one(&now).await?;
        let row = row.ok_or_else(|| DbErr::RecordNotFound("the time".into()))?;
        if backend == DbBackend::Postgres {
            return row.try_get("", "now");
        }
        Ok(row.try_get::<NaiveDateTime>("", "now")?.and_utc())
    }
}
