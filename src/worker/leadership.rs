//! One process at a time sends deliveries, so that pace, back-off and turns need no database: it holds a short lease
//! for as long as it has something to send. What it is sending has leases of its own, which keep it from being sent
//! twice when this one is lost.

use crate::clock::Clock;
use crate::store::{Store, leases};
use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::DbErr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The lease's name.
const DELIVERIES: &str = "deliveries";
/// How long it holds: so long after a leader was killed another one begins.
const TERM: Duration = Duration::from_secs(5);
/// It is renewed when less than this is left of it.
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

    /// Takes or renews the lease, unless enough is left of it; `false` while another process sends. `now` is the
    /// database's time.
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

    /// False once the lease may be another's, as after this process was stopped for a while.
    pub(super) fn is_held(&self) -> bool {
        *self.held_until() > self.clock.monotonic()
    }

    /// Gives the lease back, so that another process need not wait.
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
