//! Renews leases (`delivery_queue::LEASE`) during long work. The deliverer and the job runner pass how to renew theirs.

use crate::error_chain::ErrorChain;
use crate::store::db_error::within;
use sea_orm::DbErr;
use std::time::Duration;
use tokio::time::{Instant, sleep, sleep_until, timeout_at};

/// When a lease is renewed, and when it counts as lost. All times count from the latest request that succeeded.
#[derive(Debug, Clone, Copy)]
pub(super) struct RenewalTimes {
    renew_after: Duration,
    /// Delay after a failed renewal.
    retry_after: Duration,
    /// Longest that a renewal may take.
    timeout: Duration,
    /// Less than the lease's duration.
    lost_after: Duration,
}

impl RenewalTimes {
    pub(super) const STANDARD: Self = Self {
        renew_after: Duration::from_secs(10),
        retry_after: Duration::from_secs(2),
        timeout: Duration::from_secs(10),
        lost_after: Duration::from_secs(40),
    };

    /// Renews a lease by `renew`, which returns whether it is still ours. Returns when the lease is lost. `since`
    /// is when the lease was requested, not when the response arrived.
    pub(super) async fn renew_until_lost<F>(&self, since: Instant, renew: impl Fn() -> F)
    where
        F: Future<Output = Result<bool, DbErr>>,
    {
        let mut held = since;
        while let Ok(Some(asked)) = timeout_at(held + self.lost_after, self.renew_once(held, &renew)).await {
            held = asked;
        }
    }

    /// Returns when the successful request was made; `None` when the lease is another's.
    async fn renew_once<F>(&self, held: Instant, renew: impl Fn() -> F) -> Option<Instant>
    where
        F: Future<Output = Result<bool, DbErr>>,
    {
        sleep_until(held + self.renew_after).await;
        loop {
            let asked = Instant::now();
            match within(self.timeout, renew()).await {
                Ok(is_ours) => return is_ours.then_some(asked),
                Err(error) => tracing::warn!(error = %ErrorChain(&error), "lease renewal failed, will retry"),
            }
            sleep(self.retry_after).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;
    use tokio::time::timeout;

    const FAST: RenewalTimes = RenewalTimes {
        renew_after: Duration::from_millis(20),
        retry_after: Duration::from_millis(5),
        timeout: Duration::from_millis(20),
        lost_after: Duration::from_millis(100),
    };
    /// Long enough for a busy machine.
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
        let times = RenewalTimes { lost_after: SOON, ..FAST };
        timeout(SOON, times.renew_until_lost(Instant::now(), renew)).await.expect("it is another's");
        assert_eq!(asked.get(), 6);
    }

    #[tokio::test]
    async fn unrenewable_lease_is_lost_before_it_expires() {
        let began = Instant::now();
        let failing = || std::future::ready(Err(outage()));
        timeout(SOON, FAST.renew_until_lost(began, failing)).await.expect("it is lost");
        assert!(began.elapsed() >= FAST.lost_after, "{:?}", began.elapsed());
        let stalled = RenewalTimes { timeout: SOON * 2, ..FAST };
        timeout(SOON, stalled.renew_until_lost(Instant::now(), std::future::pending))
            .await
            .expect("it is lost");
        // The response to the first request took as long as the lease lasts.
        let asked = Instant::now().checked_sub(FAST.lost_after).unwrap();
        timeout(SOON, stalled.renew_until_lost(asked, std::future::pending)).await.expect("it is lost");
    }
}
