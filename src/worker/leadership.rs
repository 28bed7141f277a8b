//! One process at a time sends deliveries, so that rate limits, back-off and order need no database. It leases
//! leadership while it has something to send. Each delivery has a separate lease, which prevents a second send when
//! leadership is lost.

use crate::clock::Clock;
use crate::store::{Store, leases};
use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::DbErr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The lease's name.
const DELIVERIES: &str = "deliveries";
/// Duration of the lease: another process takes over this long after the leader was killed.
const TERM: Duration = Duration::from_secs(5);
/// The lease is renewed when less than this is left of it.
const RENEW: Duration = Duration::from_secs(3);

/// Whether this process may send.
pub(super) struct Leadership {
    clock: Clock,
    holder: String,
    /// In monotonic time.
    held_until: Mutex<Duration>,
}

impl Leadership {
    pub(super) const fn new(clock: Clock, holder: String) -> Self {
        Self { clock, holder, held_until: Mutex::new(Duration::ZERO) }
    }

    /// Acquires or renews the lease, unless enough is left of it. Returns false while another process has it. `now` is
    /// the database's time.
    pub(super) async fn ensure(&self, store: &Store, now: DateTime<Utc>) -> Result<bool, DbErr> {
        let asked = self.clock.monotonic();
        if *self.held_until() > asked + RENEW {
            return Ok(true);
        }
        let term = TimeDelta::from_std(TERM).unwrap_or(TimeDelta::seconds(5));
        let is_ours = leases::acquire(store.write(), DELIVERIES, &self.holder, now, term).await?;
        *self.held_until() = if is_ours { asked + TERM } else { Duration::ZERO };
        Ok(is_ours)
    }

    /// False once another process may have the lease, such as after this process was paused.
    pub(super) fn is_held(&self) -> bool {
        *self.held_until() > self.clock.monotonic()
    }

    /// Releases the lease, so that another process need not wait.
    pub(super) async fn release(&self, store: &Store) -> Result<(), DbErr> {
        if std::mem::take(&mut *self.held_until()).is_zero() {
            return Ok(());
        }
        leases::release(store.write(), DELIVERIES, &self.holder).await
    }

    fn held_until(&self) -> MutexGuard<'_, Duration> {
        self.held_until.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
