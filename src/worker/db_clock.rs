//! The database's time. Leases and due times of deliveries and jobs use it, since all workers share it and the
//! clock of a worker's host may be wrong. Work that is due immediately is due on every clock (`store::AT_ONCE`).

use crate::clock::Clock;
use crate::store::Store;
use crate::store::delivery_queue::LEASE;
use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::DbErr;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A clock step up to this size looks like a slow response of the database.
const UNNOTICED: TimeDelta = TimeDelta::seconds(2);

/// This host's clock, corrected by the database's.
#[derive(Debug)]
pub(super) struct DbClock {
    clock: Clock,
    /// How far the database's clock is ahead of this host's, in microseconds.
    ahead: AtomicI64,
    latest: Mutex<Latest>,
}

/// The latest comparison.
#[derive(Debug, Default)]
struct Latest {
    /// The database's time, and the monotonic time of the comparison.
    compared: Option<(DateTime<Utc>, Duration)>,
    /// Monotonic time of the latest detected clock change or outage of the database.
    set_at: Option<Duration>,
}

impl DbClock {
    pub(super) fn new(clock: Clock) -> Self {
        Self { clock, ahead: AtomicI64::new(0), latest: Mutex::default() }
    }

    /// Compares the two clocks, before each poll. Returns true if the database's clock was set back since the
    /// latest comparison: everything that waits for a due time would wait too long.
    pub(super) async fn compare(&self, store: &Store) -> Result<bool, DbErr> {
        let (asked, began) = (self.clock.now(), self.clock.monotonic());
        let theirs = if self.clock.is_manual() { asked } else { store.time().await? };
        let answered = self.clock.monotonic();
        let ahead = (theirs - (asked + delta(answered - began) / 2)).num_microseconds().unwrap_or(0);
        self.ahead.store(ahead, Ordering::Relaxed);
        let mut latest = self.latest();
        let Some((then, at)) = latest.compared.replace((theirs, answered)) else { return Ok(false) };
        let is_back = theirs < then + delta(began.saturating_sub(at)) - UNNOTICED;
        let is_forward = theirs > then + delta(answered.saturating_sub(at)) + UNNOTICED;
        if is_back || is_forward {
            latest.set_at = Some(answered);
            tracing::warn!(%then, now = %theirs, "database clock changed");
        }
        Ok(is_back)
    }

    /// False for a while after the database's clock changed: other workers may not have renewed their leases by it.
    pub(super) fn can_judge_leases(&self) -> bool {
        let grace = LEASE.to_std().unwrap_or_default();
        self.latest().set_at.is_none_or(|set_at| self.clock.monotonic() > set_at + grace)
    }

    /// Call when the database did not answer: other workers may not have renewed their leases or recorded outcomes.
    pub(super) fn distrust_leases(&self) {
        self.latest().set_at = Some(self.clock.monotonic());
    }

    /// The database's time, as of the latest comparison.
    pub(super) fn now(&self) -> DateTime<Utc> {
        self.clock.now() + TimeDelta::microseconds(self.ahead.load(Ordering::Relaxed))
    }

    fn latest(&self) -> MutexGuard<'_, Latest> {
        self.latest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn delta(time: Duration) -> TimeDelta {
    TimeDelta::from_std(time).unwrap_or(TimeDelta::MAX)
}
