//! The database's time: the one clock that all processes share. That clock may be set back, too: a time further
//! ahead than the longest possible delay counts as past.

use super::Store;
use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use sea_orm::sea_query::{Expr, Query};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, DbBackend, DbErr};

/// How much later than intended a time may be written.
const MARGIN: TimeDelta = TimeDelta::minutes(1);

/// A due time that is in the past on every clock. For work that is due immediately: the clock of the writing host
/// may be ahead of the database's, which decides.
pub const AT_ONCE: DateTime<Utc> = DateTime::UNIX_EPOCH;

/// The due time of a requested retry, whose cause may not have ended. In the past on every clock.
pub const RETRY_REQUESTED: DateTime<Utc> = DateTime::from_timestamp_nanos(1_000_000_000);

/// True of a due time in the past, and of one further ahead than `longest`, the longest delay: a clock was set
/// back.
pub(super) fn due(column: impl ColumnTrait, now: DateTime<Utc>, longest: TimeDelta) -> Condition {
    Condition::any().add(column.lte(now)).add(column.gt(now + longest + MARGIN))
}

/// Like [`due`], for the end of a lease that lasts `term`.
pub(super) fn expired(column: impl ColumnTrait, now: DateTime<Utc>, term: TimeDelta) -> Condition {
    Condition::any().add(column.lt(now)).add(column.gt(now + term + MARGIN))
}

/// Like [`expired`], for a lease that was read.
pub(super) fn is_expired(until: DateTime<Utc>, now: DateTime<Utc>, term: TimeDelta) -> bool {
    until < now || until > now + term + MARGIN
}

impl Store {
    /// The database's time in UTC; on SQLite the host's, in whole milliseconds.
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
