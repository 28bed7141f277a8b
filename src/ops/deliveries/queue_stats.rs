//! What operators watch: how much is pending, when the worker last went round.

use crate::domain::actor::{Actor, Role};
use crate::domain::delivery::DeliveryState;
use crate::domain::job::{JobKind, JobState};
use crate::ops::permission::require;
use crate::ops::{Ctx, OpError};
use crate::store;
use crate::store::heartbeats::WORKER;
use crate::views::deliveries::DeliveryProblems;
use chrono::{DateTime, Utc};

/// Figures of the queue, from the database: the same in every process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueueFigures {
    /// Deliveries pending, sending or failed.
    pub pending: i64,
    /// Since when the oldest of them is pending.
    pub oldest: Option<DateTime<Utc>>,
}

/// How much is pending.
pub async fn queue(ctx: &Ctx) -> Result<QueueFigures, OpError> {
    let pending = store::deliveries::pending(ctx.store.read()).await?;
    Ok(QueueFigures { pending: pending.count, oldest: pending.oldest })
}

/// Messages that did not leave as they should; those that were given up as long as they are kept.
///
/// # Errors
/// `Forbidden` for all but staff.
pub async fn delivery_problems(ctx: &Ctx, actor: &Actor) -> Result<DeliveryProblems, OpError> {
    let db = ctx.store.read();
    require(db, actor, Role::Staff).await?;
    Ok(DeliveryProblems {
        failing: store::deliveries::count(db, DeliveryState::Failed).await?,
        given_up: store::deliveries::count(db, DeliveryState::Dead).await?,
    })
}

/// Time of the last worker iteration; `None`: none ever has.
pub async fn worker_last_iteration(ctx: &Ctx) -> Result<Option<DateTime<Utc>>, OpError> {
    Ok(store::heartbeats::latest(ctx.store.read(), WORKER).await?)
}

/// Finds out whether the database can be written: by a small write, unless one was tried in the last seconds.
///
/// # Errors
/// It cannot.
pub async fn check_writable(ctx: &Ctx) -> Result<(), OpError> {
    Ok(ctx.store.check_writable(ctx.clock.now()).await?)
}

/// How many jobs there are of a kind in a state; `None` stands for kinds that this version does not know.
pub type JobFigure = (Option<JobKind>, JobState, i64);

/// How many jobs there are, for every kind and state, also where there are none.
pub async fn jobs(ctx: &Ctx) -> Result<Vec<JobFigure>, OpError> {
    let counts = store::jobs::counts(ctx.store.read()).await?;
    let kinds = JobKind::ALL.map(Some).into_iter().chain([None]);
    let figure = |kind: Option<JobKind>, state| {
        let of = counts.iter().filter(|of| JobKind::of_key(&of.kind) == kind && of.state == state);
        (kind, state, of.map(|of| of.count).sum())
    };
    Ok(kinds.flat_map(|kind| JobState::ALL.map(|state| figure(kind, state))).collect())
}
