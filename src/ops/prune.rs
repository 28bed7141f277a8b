//! Removes, once a day, what was kept long enough (spec "Database", "Kept how long"). Timeline and audit
//! stay for good. The worker calls it.

use super::{Ctx, OpError};
use crate::domain::delivery::DeliveryState;
use crate::store::{heartbeats, prune};
use chrono::{DateTime, TimeDelta, Utc};
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

/// How much was removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Deliveries, each with its attempts.
    pub deliveries: u64,
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
    // First, so that another process does not begin as well.
    heartbeats::beat(ctx.store.write(), PRUNE, now).await?;
    let mut pruned = Pruned::default();
    for (state, kept) in [(DeliveryState::Delivered, DELIVERED), (DeliveryState::Dead, DEAD)] {
        pruned.deliveries += deliveries(ctx, state, now - kept).await?;
    }
    let db = ctx.store.write();
    pruned.requests = all(|| prune::requests(db, now - REQUESTS)).await?;
    pruned.sessions = all(|| prune::sessions(db, now)).await?;
    Ok(Some(pruned))
}

async fn deliveries(ctx: &Ctx, state: DeliveryState, before: DateTime<Utc>) -> Result<u64, OpError> {
    all(|| async {
        let tx = ctx.store.begin().await?;
        let batch = prune::deliveries(&tx, state, before).await?;
        tx.commit().await?;
        Ok(batch)
    })
    .await
}

/// Removes batch after batch, until one is not full.
async fn all<F>(batch: impl Fn() -> F) -> Result<u64, OpError>
where
    F: Future<Output = Result<u64, DbErr>>,
{
    let mut all = 0;
    loop {
        let batch = batch().await?;
        all += batch;
        if batch < prune::BATCH {
            return Ok(all);
        }
    }
}
