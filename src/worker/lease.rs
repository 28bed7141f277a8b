//! That leases (`delivery_queue::LEASE`) go on to hold while something is done under them: deliveries by the
//! deliverer, jobs by the job runner. Knows neither: whoever holds one says how it is renewed.

use crate::error_chain::ErrorChain;
use crate::store::db_error::within;
use sea_orm::DbErr;
use std::time::Duration;
use tokio::time::{Instant, sleep, sleep_until, timeout_at};

/// When a lease is renewed, and when it counts as lost.
#[derive(Debug, Clone, Copy)]
pub(super) struct Times {
    /// How long after it was asked for the last time with success.
    renew: Duration,
    /// How long after a renewal that failed.
    again: Duration,
    /// Longest that a renewal may take.
    ask: Duration,
    /// How long after it was asked for the last time with success it counts as lost: less than it holds.
    lost: Duration,
}

impl Times {
    /// Those of the program.
    pub(super) const STANDARD: Self = Self {
        renew: Duration::from_secs(10),
        again: Duration::from_secs(2),
        ask: Duration::from_secs(10),
        lost: Duration::from_secs(40),
    };

    /// Renews a lease by `renew`, which says whether it is still ours, and ends when it is lost. `since` is when it
    /// was asked for, not when the answer came: it holds from then on.
    pub(super) async fn lost<F>(&self, since: Instant, renew: impl Fn() -> F)
    where
        F: Future<Output = Result<bool, DbErr>>,
    {
        let mut held = since;
        while let Ok(Some(asked)) = timeout_at(held + self.lost, self.renewed(held, &renew)).await {
            held = asked;
        }
    }

    /// When it was asked for with success; nothing when it is another's.
    async fn renewed<F>(&self, held: Instant, renew: impl Fn() -> F) -> Option<Instant>
    where
        F: Future<Output = Result<bool, DbErr>>,
    {
        sleep_until(held + self.renew).await;
        loop {
            let asked = Instant::now();
            match within(self.ask, renew()).await {
                Ok(is_ours) => return is_ours.then_some(asked),
                Err(error) => tracing::warn!(error = %ErrorChain(&error), "lease renewal failed, will retry"),
            }
            sleep(self.again).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;
    use tokio::time::timeout;

    const FAST: Times = Times {
        renew: Duration::from_millis(20),
        again: Duration::from_millis(5),
        ask: Duration::from_millis(20),
        lost: Duration::from_millis(100),
    };
    /// For a machine that is busy.
    const SOON: Duration = Duration::from_secs(10);

    fn outage() -> DbErr {
        DbErr::Custom("away".into())
    }

    #[tokio::test]
    async fn lease_is_renewed_after_failures_until_lost() {
        let asked = Cell::new(0);
        let renew = || {
            asked.set(asked.get() + 1);
            std::future::ready(match asked.get() {
                2 | 3 => Err(outage()),
                6 => Ok(false),
                _ => Ok(true),
            })
        };
        let times = Times { lost: SOON, ..FAST };
        timeout(SOON, times.lost(Instant::now(), renew)).await.expect("it is another's");
        assert_eq!(asked.get(), 6);
    }

    #[tokio::test]
    async fn unrenewable_lease_is_lost_before_it_expires() {
        let began = Instant::now();
        timeout(SOON, FAST.lost(began, || std::future::ready(Err(outage())))).await.expect("it is lost");
        assert!(began.elapsed() >= FAST.lost, "{:?}", began.elapsed());
        let stalled = Times { ask: SOON * 2, ..FAST };
        timeout(SOON, stalled.lost(Instant::now(), std::future::pending)).await.expect("it is lost");
        // The answer to the first question took as long as the lease holds.
        let asked = Instant::now().checked_sub(FAST.lost).unwrap();
        timeout(SOON, stalled.lost(asked, std::future::pending)).await.expect("it is lost");
    }
}
