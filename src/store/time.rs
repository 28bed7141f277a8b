//! The database's own time: the one clock on which processes of several machines agree. It may be set, too, so
//! that a time further ahead than anything is ever put off counts as past.

use super::Store;
use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use sea_orm::sea_query::{Expr, Query};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, DbBackend, DbErr};

/// How much later than it was meant a time may be written down.
const MARGIN: TimeDelta = TimeDelta::minutes(1);

/// A due time that no clock takes for the future. What is due at once is written down by machines whose clocks may be
/// ahead of the database's, which decides.
pub const AT_ONCE: DateTime<Utc> = DateTime::UNIX_EPOCH;

/// A retry that somebody asked for, though what it waits for may not be over. No clock takes it for the future.
pub const RETRY_REQUESTED: DateTime<Utc> = DateTime::from_timestamp_nanos(1_000_000_000);

/// True of a due time that has come, and of one further ahead than `longest`, the longest wait: a clock was set back.
pub(super) fn due(column: impl ColumnTrait, now: DateTime<Utc>, longest: TimeDelta) -> Condition {
    Condition::any().add(column.lte(now)).add(column.gt(now + longest + MARGIN))
}

/// The same of the end of a lease that holds for `term`.
pub(super) fn expired(column: impl ColumnTrait, now: DateTime<Utc>, term: TimeDelta) -> Condition {
    Condition::any().add(column.lt(now)).add(column.gt(now + term + MARGIN))
}

/// The same of a lease that was read.
pub(super) fn is_expired(until: DateTime<Utc>, now: DateTime<Utc>, term: TimeDelta) -> bool {
    until < now || until > now + term + MARGIN
}

impl Store {
    /// The database's time in UTC; SQLite's is that of the machine, in whole milliseconds.
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
