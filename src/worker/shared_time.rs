//! The time by which deliveries and jobs are leased and fall due: the database's, which all workers share, however
//! wrong the clock of a worker's machine is. What is due at once is so by any clock (`store::AT_ONCE`).

use crate::clock::Clock;
use crate::store::Store;
use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::DbErr;
use std::sync::atomic::{AtomicI64, Ordering};

/// This machine's clock, put right by the database's.
#[derive(Debug)]
pub(super) struct SharedTime {
    clock: Clock,
    /// How far the database's clock is ahead of this machine's, in microseconds.
    ahead: AtomicI64,
}

impl SharedTime {
    pub(super) const fn new(clock: Clock) -> Self {
        Self { clock, ahead: AtomicI64::new(0) }
    }

    /// Compares the two clocks, before each look at what is due.
    pub(super) async fn compare(&self, store: &Store) -> Result<(), DbErr> {
        if self.clock.is_manual() {
            return Ok(());
        }
        let asked = self.clock.now();
        let theirs = store.time().await?;
        let ours = asked + (self.clock.now() - asked) / 2;
        let ahead = (theirs - ours).num_microseconds().unwrap_or(0);
        self.ahead.store(ahead, Ordering::Relaxed);
        Ok(())
    }

    /// The database's time, as of the latest comparison.
    pub(super) fn now(&self) -> DateTime<Utc> {
        self.clock.now() + TimeDelta::microseconds(self.ahead.load(Ordering::Relaxed))
    }
}
