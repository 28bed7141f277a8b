//! Jobs: enqueued within the caller's transaction; listed, canceled and resumed by staff. The worker runs them.

pub mod messages;

use crate::domain::actor::{Actor, Edge, Role, SlackUserId};
use crate::domain::change::AuditRecord;
use crate::domain::ids::JobId;
use crate::domain::job::{FetchPhotos, JobKind, JobState, Work};
use crate::domain::text::RequestId;
use crate::ops::permission::require;
use crate::ops::{Announce, Ctx, OpError, mutation_log, retry_on_deadlock};
use crate::store;
use crate::store::jobs::{Job, NewJob};
use crate::views::jobs::{JobDetails, JobLine, JobView, JobsView};
use chrono::{DateTime, Utc};
use sea_orm::ConnectionTrait;
use serde_json::json;

/// Jobs on a page.
pub const PART: u64 = 50;

/// A job that is enqueued in a transaction that is not committed yet, or existed before.
#[derive(Debug)]
#[must_use = "after the commit the worker is to be woken"]
pub struct QueuedJob {
    pub id: JobId,
    record: Option<AuditRecord>,
    now: DateTime<Utc>,
}

impl QueuedJob {
    /// Call after the commit: wakes the worker and writes the log line.
    pub fn committed(self, ctx: &Ctx, actor: &Actor) {
        if let Some(record) = self.record {
            ctx.wake.notify_one();
            mutation_log::changes(&[record], actor, self.now);
        }
    }
}

/// Enqueues a job that fetches photos from Slack for a repair, within the caller's transaction. With `work_key` the
/// same work is enqueued once. The caller ensures that the repair exists.
pub async fn fetch_photos(
    ctx: &Ctx,
    db: &impl ConnectionTrait,
    actor: &Actor,
    photos: FetchPhotos,
    work_key: Option<&RequestId>,
) -> Result<QueuedJob, OpError> {
    queue(ctx, db, actor, &Work::FetchPhotos(photos), work_key).await
}

async fn queue(
    ctx: &Ctx,
    db: &impl ConnectionTrait,
    actor: &Actor,
    work: &Work,
    work_key: Option<&RequestId>,
) -> Result<QueuedJob, OpError> {
    let (now, kind) = (ctx.clock.now(), work.kind());
    let steps = i64::try_from(work.steps()).unwrap_or(i64::MAX);
    let (input, activity) = (work.input()?, work.begins_with());
    let new = NewJob {
        kind,
        input,
        steps,
        activity,
        work_key,
        starter: actor,
        starter_in_slack: starter_in_slack(ctx, actor),
    };
    let (id, is_new) = store::jobs::queue(db, new, now).await?;
    if !is_new {
        return Ok(QueuedJob { id, record: None, now });
    }
    let new = json!({ "kind": kind.key(), "steps": steps });
    let record = AuditRecord::made("job.queued", "job", id.0, &new)?;
    store::audit::append(db, std::slice::from_ref(&record), actor, now).await?;
    Ok(QueuedJob { id, record: Some(record), now })
}

/// The recipient of the job's private message: the person who started it in Slack, unless Slack is off.
fn starter_in_slack<'a>(ctx: &Ctx, actor: &'a Actor) -> Option<&'a SlackUserId> {
    let is_on = ctx.announce != Announce::Nowhere;
    actor.slack_id.as_ref().filter(|_| is_on && actor.edge == Edge::Slack)
}

/// The newest jobs in a state and of a kind with a number below `older_than`.
///
/// # Errors
/// `Forbidden` unless the actor is staff.
pub async fn jobs(
    ctx: &Ctx,
    actor: &Actor,
    state: Option<JobState>,
    kind: Option<JobKind>,
    older_than: Option<JobId>,
) -> Result<JobsView, OpError> {
    let db = ctx.store.read();
    require(db, actor, Role::Staff).await?;
    let mut jobs = store::jobs::page(db, (state, kind), older_than, PART + 1).await?;
    let part = usize::try_from(PART).unwrap_or(usize::MAX);
    let more = jobs.len() > part;
    jobs.truncate(part);
    let older_than = jobs.last().map(|job| job.id).filter(|_| more);
    Ok(JobsView { jobs: jobs.into_iter().map(view).collect(), older_than })
}

/// A job with its latest lines.
///
/// # Errors
/// `Forbidden` unless the actor is staff; `NotFound`.
pub async fn job(ctx: &Ctx, actor: &Actor, id: JobId, lines: u64) -> Result<JobDetails, OpError> {
    let db = ctx.store.read();
    require(db, actor, Role::Staff).await?;
    let job = store::jobs::find(db, id).await?.ok_or(OpError::NotFound)?;
    let lines = store::jobs::latest_updates(db, id, lines).await?;
    let line = |update: store::jobs::JobUpdate| JobLine { text: update.text, at: update.created_at };
    Ok(JobDetails { job: view(job), lines: lines.into_iter().map(line).collect() })
}

/// Ends a job: immediately if it is queued, after its current step if it runs.
///
/// # Errors
/// `Forbidden` unless the actor is staff; `NotFound`; refused when it has ended.
pub async fn cancel(ctx: &Ctx, actor: &Actor, id: JobId) -> Result<(), OpError> {
    let cancelled = retry_on_deadlock(async || {
        let tx = ctx.store.begin().await?;
        let (mut job, now) = (locked(&tx, actor, id).await?, ctx.clock.now());
        let record = acted("job.cancelled", &job);
        if !job.state.may_be_cancelled() {
            return Err(refused(format!("This job has already ended: {}.", job.state.key())));
        }
        if job.state == JobState::Running {
            store::jobs::want_cancel(&tx, &job, now).await?;
            let line = format!("{} asked to cancel: it ends after this step.", actor.name);
            store::jobs::write_update(&tx, &job, &line, now).await?;
        } else {
            job.state = JobState::Cancelled;
            store::jobs::record(&tx, &job, &format!("Cancelled by {}.", actor.name), now).await?;
        }
        ctx.commit_recorded(tx, actor, record).await
    });
    cancelled.await?;
    ctx.wake.notify_one();
    Ok(())
}

/// Resumes a failed or canceled job from its last checkpoint.
///
/// # Errors
/// `Forbidden` unless the actor is staff; `NotFound`; refused in any other state.
pub async fn resume(ctx: &Ctx, actor: &Actor, id: JobId) -> Result<(), OpError> {
    let resumed = retry_on_deadlock(async || {
        let tx = ctx.store.begin().await?;
        let (mut job, now) = (locked(&tx, actor, id).await?, ctx.clock.now());
        let record = acted("job.resumed", &job);
        if !job.state.may_be_resumed() {
            let state = job.state.key();
            let message = "Only a failed or canceled job can be resumed. This one is";
            return Err(refused(format!("{message} {state}.")));
        }
        (job.state, job.due_at) = (JobState::Queued, store::AT_ONCE);
        (job.failure, job.failures, job.failing_since) = (None, 0, None);
        store::jobs::record(&tx, &job, &format!("Resumed by {}.", actor.name), now).await?;
        ctx.commit_recorded(tx, actor, record).await
    });
    resumed.await?;
    ctx.wake.notify_one();
    Ok(())
}

/// Locks the job, for staff to change it.
async fn locked(db: &impl ConnectionTrait, actor: &Actor, id: JobId) -> Result<Job, OpError> {
    require(db, actor, Role::Staff).await?;
    store::jobs::lock(db, id).await?.ok_or(OpError::NotFound)
}

/// The audit record of a staff action on a job.
fn acted(action: &'static str, job: &Job) -> AuditRecord {
    let old = Some(json!({ "state": job.state.key() }));
    AuditRecord { action, noun: "job", noun_id: job.id.0, old, new: None }
}

fn refused(message: String) -> OpError {
    OpError::Refused(crate::ops::Refusal { field: None, message })
}

pub(in crate::ops) fn view(job: Job) -> JobView {
    let kind = JobKind::of_key(&job.kind).map_or(job.kind, |kind| kind.words().to_owned());
    // A delay that Slack requested is not a new failure, but the reason for one.
    let waits = job.state == JobState::Queued && job.failing_since.is_some();
    let failed = job.state == JobState::Failed;
    JobView {
        id: job.id,
        kind,
        state: job.state,
        is_ending: job.cancel_requested,
        step: job.step,
        steps: job.steps,
        activity: if job.state.is_over() { String::new() } else { job.activity },
        waits_because: job.failure.clone().filter(|_| waits),
        failure: job.failure.filter(|_| failed),
        next_try: waits.then_some(job.due_at),
        starter: job.starter_name,
        created_at: job.created_at,
        updated_at: job.updated_at,
        finished_at: job.finished_at,
    }
}
