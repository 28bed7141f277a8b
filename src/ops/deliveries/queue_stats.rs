//! Figures for operators: how much is pending, when the worker last ran.

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
    /// Creation time of the oldest of them.
    pub oldest: Option<DateTime<Utc>>,
}

pub async fn queue(ctx: &Ctx) -> Result<QueueFigures, OpError> {
    let pending = store::deliveries::pending(ctx.store.read()).await?;
    Ok(QueueFigures { pending: pending.count, oldest: pending.oldest })
}

/// Messages with delivery problems; dead ones until they are pruned.
///
/// # Errors
/// `Forbidden` unless the actor is staff.
pub async fn delivery_problems(ctx: &Ctx, actor: &Actor) -> Result<DeliveryProblems, OpError> {
    let db = ctx.store.read();
    require(db, actor, Role::Staff).await?;
    Ok(DeliveryProblems {
        failing: store::deliveries::count(db, DeliveryState::Failed).await?,
        given_up: store::deliveries::count(db, DeliveryState::Dead).await?,
    })
}

/// Time of the worker's last iteration; `None` if there was none.
pub async fn worker_last_iteration(ctx: &Ctx) -> Result<Option<DateTime<Utc>>, OpError> {
    Ok(store::heartbeats::latest(ctx.store.read(), WORKER).await?)
}

/// Checks by a small write that the database is writable, unless one was tried in the last seconds.
///
/// # Errors
/// The database is not writable.
pub async fn check_writable(ctx: &Ctx) -> Result<(), OpError> {
    Ok(ctx.store.check_writable(ctx.clock.now()).await?)
}

/// Number of jobs of a kind in a state; `None` for kinds that this version does not support.
pub type JobFigure = (Option<JobKind>, JobState, i64);

/// Number of jobs of every kind and state, zeros included.
pub async fn jobs(ctx: &Ctx) -> Result<Vec<JobFigure>, OpError> {
    let counts = store::jobs::counts(ctx.store.read()).await?;
    let kinds = JobKind::ALL.map(Some).into_iter().chain([None]);
    let figure = |kind: Option<JobKind>, state| {
        let of = counts.iter().filter(|of| JobKind::of_key(&of.kind) == kind && of.state == state);
        (kind, state, of.map(|of| of.count).sum())
    };
    Ok(kinds.flat_map(|kind| JobState::ALL.map(|state| figure(kind, state))).collect())
}
