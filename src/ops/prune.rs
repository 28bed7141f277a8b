//! Removes expired rows once a day (spec "Database", "Kept how long"). Timeline and audit are never removed. The
//! worker calls it.

use super::{Ctx, OpError, retry_on_deadlock};
use crate::domain::delivery::DeliveryState;
use crate::store::{Transaction, heartbeats, prune};
use chrono::TimeDelta;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use sea_orm::DbErr;

/// Name of the pruning in the heartbeats table.
const PRUNE: &str = "prune";
const EVERY: TimeDelta = TimeDelta::days(1);
/// How long a delivered delivery is kept, with its attempts.
const DELIVERED: TimeDelta = TimeDelta::days(90);
/// How long a dead delivery is kept.
const DEAD: TimeDelta = TimeDelta::days(365);
/// How long a repeated submission is recognized.
const REQUESTS: TimeDelta = TimeDelta::days(7);

/// How long a finished job is kept, with its lines.
const JOBS: TimeDelta = TimeDelta::days(30);

/// Numbers of removed rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Deliveries, each with its attempts.
    pub deliveries: u64,
    /// Jobs, each with its lines.
    pub jobs: u64,
    /// Request ids of submissions.
    pub requests: u64,
    /// Expired sessions.
    pub sessions: u64,
}

/// Prunes, unless a process has done so within a day; `None` then. After an error, the rows removed so far stay
/// removed.
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
    // Last, so that pruning is repeated after a failure. Two processes may prune at once: a batch that collides is
    // retried.
    heartbeats::beat(ctx.store.write(), PRUNE, now).await?;
    Ok(Some(pruned))
}

/// Removes batch after batch, each in its own transaction, until one is not full.
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
