//! Removes, once a day, what was kept long enough (spec "Database", "Kept how long"). Timeline and audit
//! stay for good. The worker calls it.

use super::{Ctx, OpError, retry_on_deadlock};
use crate::domain::delivery::DeliveryState;
use crate::store::{Transaction, heartbeats, prune};
use chrono::TimeDelta;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use sea_orm::DbErr;

/// Name of the pruning among the signs of life.
const PRUNE: &str = "prune";
/// How often.
const EVERY: TimeDelta = TimeDelta::days(1);
/// How long a delivery that arrived is kept, with its attempts.
const DELIVERED: TimeDelta = TimeDelta::days(90);
/// How long one that was given up is kept.
const DEAD: TimeDelta = TimeDelta::days(365);
/// How long the same submission is recognised.
const REQUESTS: TimeDelta = TimeDelta::days(7);

/// How long a job is kept after its end, with its lines.
const JOBS: TimeDelta = TimeDelta::days(30);

/// How much was removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Deliveries, each with its attempts.
    pub deliveries: u64,
    /// Jobs, each with its lines.
    pub jobs: u64,
    /// Ids of submissions.
    pub requests: u64,
    /// Sessions that have ended.
    pub sessions: u64,
}

/// Prunes, unless some process did so within a day; `None` then.
///
/// # Errors
/// The database's; what was removed until then stays removed.
pub async fn prune_daily(ctx: &Ctx) -> Result<Option<Pruned>, OpError> {
    let now = ctx.clock.now();
    let latest = heartbeats::latest(ctx.store.read(), PRUNE).await?;
    if latest.is_some_and(|latest| now - latest < EVERY) {
        return Ok(None);
    }
    let mut pruned = Pruned::default();
    for (state, kept) in [(DeliveryState::Delivered, DELIVERED), (DeliveryState::Dead, DEAD)] {
        pruned.deliveries += all(ctx, move |tx| prune::deliveries(tx, state, now - kept).boxed()).await?;
    }
    pruned.jobs = all(ctx, move |tx| prune::jobs(tx, now - JOBS).boxed()).await?;
    pruned.requests = all(ctx, move |tx| prune::requests(tx, now - REQUESTS).boxed()).await?;
    pruned.sessions = all(ctx, move |tx| prune::sessions(tx, now).boxed()).await?;
    // Last, so that what an outage left undone is done once it is over. Two processes may remove at once: each
    // batch is retried where they collide.
    heartbeats::beat(ctx.store.write(), PRUNE, now).await?;
    Ok(Some(pruned))
}

/// Removes batch after batch, each in a transaction of its own, until one is not full.
async fn all(
    ctx: &Ctx,
    batch: impl for<'a> Fn(&'a Transaction) -> BoxFuture<'a, Result<u64, DbErr>>,
) -> Result<u64, OpError> {
    let mut all = 0;
    loop {
        let removed = retry_on_deadlock(async || {
            let tx = ctx.store.begin().await?;
            let removed = batch(&tx).await?;
            tx.commit().await?;
            Ok(removed)
        });
        let removed = removed.await?;
        all += removed;
        if removed < prune::BATCH {
            return Ok(all);
        }
    }
}
