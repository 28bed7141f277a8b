//! Whether the database is writable. `writer` records failures here, the pool of SQLite's writer checks here
//! whether to replace its connection, and `/health` checks with [`Store::check_writable`].

use super::db_error::{is_read_only, is_transient, within};
use super::{Store, settings};
use chrono::{DateTime, Utc};
use sea_orm::sqlx::Sqlite;
use sea_orm::sqlx::pool::PoolOptions;
use sea_orm::sqlx::{Connection, Error as SqlxError};
use sea_orm::{ConnAcquireErr, DbErr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How long the result of a probe is reused, and how long a failed write counts as an outage.
const PROBE_EVERY: Duration = Duration::from_secs(5);
/// Timeout of a probe: shorter than a health check's.
const PROBE_LIMIT: Duration = Duration::from_millis(1500);
/// The setting that a probe writes, with a new value each time: an equal one would not reach the disk.
const PROBE_KEY: &str = "write_probe";

/// Results of the recent writes of one store.
#[derive(Debug, Default)]
pub(super) struct WriteMonitor {
    /// True when a statement, commit or rollback failed on the current connection.
    is_suspect: AtomicBool,
    latest: Mutex<Option<Observation>>,
    /// When SQLite's file was last found to be read-only.
    read_only_at: Mutex<Option<Instant>>,
    /// Locked by the request that probes, so that others wait for its result.
    probing: tokio::sync::Mutex<()>,
}

#[derive(Debug, Clone, Copy)]
struct Observation {
    at: Instant,
    is_writable: bool,
}

impl WriteMonitor {
    pub(super) fn record_failure(&self, error: &DbErr) {
        if !matches!(error, DbErr::ConnectionAcquire(_)) {
            self.is_suspect.store(true, Ordering::Release);
        }
        if is_transient(error) {
            self.observe(false);
        }
        if is_read_only(error) {
            *self.read_only_at.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        }
    }

    fn observe(&self, is_writable: bool) {
        let observation = Observation { at: Instant::now(), is_writable };
        *self.latest.lock().unwrap_or_else(PoisonError::into_inner) = Some(observation);
    }

    fn recent(&self) -> Option<bool> {
        let latest = *self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        latest.filter(|latest| latest.at.elapsed() < PROBE_EVERY).map(|latest| latest.is_writable)
    }

    /// True if the file was found read-only since a connection of that age was opened: the connection may have been
    /// opened read-only, and stay so.
    fn may_be_read_only(&self, age: Duration) -> bool {
        let read_only_at = *self.read_only_at.lock().unwrap_or_else(PoisonError::into_inner);
        read_only_at.is_some_and(|at| at.elapsed() <= age)
    }

    fn take_suspect(&self) -> bool {
        self.is_suspect.swap(false, Ordering::AcqRel)
    }
}

impl Store {
    /// Checks whether the database is writable: by a probe or an outage in the last seconds, else by a small write,
    /// which stores `now`.
    ///
    /// # Errors
    /// It is not writable: an outage.
    pub async fn check_writable(&self, now: DateTime<Utc>) -> Result<(), DbErr> {
        let monitor = self.write.monitor();
        if let Some(is_writable) = monitor.recent() {
            return outcome(is_writable);
        }
        let _probing = monitor.probing.lock().await;
        if let Some(is_writable) = monitor.recent() {
            return outcome(is_writable);
        }
        let value = format!("{:032x}", rand::random::<u128>());
        let written = within(PROBE_LIMIT, settings::set(&self.write, PROBE_KEY, &value, now)).await;
        monitor.observe(written.is_ok());
        written
    }
}

fn outcome(is_writable: bool) -> Result<(), DbErr> {
    if is_writable { Ok(()) } else { Err(DbErr::ConnectionAcquire(ConnAcquireErr::Timeout)) }
}

/// Makes a pool of SQLite's connections replace those that may be within a transaction that will never end.
///
/// When SQLite itself ends a transaction (a full disk, an I/O error), the driver's ROLLBACK fails, and the driver
/// still counts an open transaction: its next BEGIN becomes a savepoint that takes no write lock, and its next
/// COMMIT a release that may commit nothing. A connection is therefore not checked out while the driver counts a
/// transaction, and is not reused after any failed write. Opening another takes about a millisecond.
pub(super) fn replace_suspects(
    pool: PoolOptions<Sqlite>,
    monitor: Arc<WriteMonitor>,
    is_writer: bool,
) -> PoolOptions<Sqlite> {
    pool.before_acquire(|connection, _| Box::pin(async { Ok(!connection.is_in_transaction()) }))
        .after_release(move |connection, known| {
            let monitor = Arc::clone(&monitor);
            Box::pin(async move {
                let is_suspect = is_writer && monitor.take_suspect();
                if is_suspect || monitor.may_be_read_only(known.age) {
                    return Ok(false);
                }
                if connection.is_in_transaction() {
                    // The rollback of a dropped transaction may still be queued.
                    connection.ping().await?;
                }
                Ok::<_, SqlxError>(!connection.is_in_transaction())
            })
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outage_is_remembered_and_constraint_is_not() {
        let monitor = WriteMonitor::default();
        monitor.record_failure(&DbErr::Custom("a constraint".into()));
        assert_eq!(monitor.recent(), None);
        assert!(monitor.take_suspect() && !monitor.take_suspect());
        monitor.record_failure(&DbErr::ConnectionAcquire(ConnAcquireErr::Timeout));
        assert_eq!(monitor.recent(), Some(false));
        assert!(!monitor.take_suspect(), "no connection was used");
    }
}
