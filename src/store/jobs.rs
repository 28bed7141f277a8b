//! Jobs: enqueued in the transaction of the operation that needs the work, leased by workers, recorded step by
//! step.

use super::delivery_queue::LEASE;
use super::entities::{job, job_line};
use super::job_messages;
use super::live_message::FIRST;
use super::time::{AT_ONCE, due, expired};
use crate::domain::actor::{Actor, SlackUserId};
use crate::domain::delivery::WAIT_MAX;
use crate::domain::ids::JobId;
use crate::domain::job::{JobKind, JobState};
use crate::domain::text::{RequestId, cut};
use chrono::{DateTime, Utc};
use sea_orm::sea_query::{Alias, Expr, ExprTrait, OnConflict, Query};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, FromQueryResult,
    QueryFilter, QueryOrder, QuerySelect, Set, SqlErr, UpdateMany,
};

pub use super::entities::job::Model as Job;
pub use super::entities::job_line::Model as JobUpdate;

/// Most lines that one job writes.
const UPDATES_MAX: i64 = 500;
/// The last of them.
const NO_MORE_UPDATES: &str = "This job has written many lines. What follows is not written down.";
/// Longest line in characters.
const UPDATE_MAX: usize = 500;
/// Longest reason of a failure in characters.
const FAILURE_MAX: usize = 1_000;
/// Longest activity in characters.
const ACTIVITY_MAX: usize = 200;

/// A job to enqueue.
#[derive(Debug)]
pub struct NewJob<'a> {
    pub kind: JobKind,
    /// As JSON of its kind.
    pub input: String,
    pub steps: i64,
    /// Activity of the first step.
    pub activity: String,
    /// Identifies the work; a job with the same key is enqueued once.
    pub work_key: Option<&'a RequestId>,
    pub starter: &'a Actor,
    /// Recipient of the private message in Slack, if any.
    pub starter_in_slack: Option<&'a SlackUserId>,
}

/// Enqueues a job, due immediately, and its private message. Returns its id, and false when the same work was
/// already enqueued or done.
pub async fn queue(
    db: &impl ConnectionTrait,
    new: NewJob<'_>,
    now: DateTime<Utc>,
) -> Result<(JobId, bool), DbErr> {
    let starter_in_slack = new.starter_in_slack.map(|id| id.0.clone());
    let (id, is_new) = add(db, new, now).await?;
    if let Some(starter) = starter_in_slack.filter(|_| is_new) {
        job_messages::begin(db, id, starter, now).await?;
    }
    Ok((id, is_new))
}

async fn add(db: &impl ConnectionTrait, new: NewJob<'_>, now: DateTime<Utc>) -> Result<(JobId, bool), DbErr> {
    let key = new.work_key.map(RequestId::as_str);
    let row = job::ActiveModel {
        kind: Set(new.kind.key().to_owned()),
        work_key: Set(key.map(str::to_owned)),
        input: Set(new.input),
        state: Set(JobState::Queued),
        step: Set(0),
        steps: Set(new.steps),
        activity: Set(cut(&new.activity, ACTIVITY_MAX)),
        failures: Set(0),
        due_at: Set(AT_ONCE),
        losses: Set(0),
        cancel_requested: Set(false),
        updates: Set(0),
        edge: Set(new.starter.edge),
        starter_name: Set(new.starter.name.clone()),
        starter_user_id: Set(new.starter.account.as_ref().map(|account| account.id)),
        starter_slack_id: Set(new.starter.slack_id.as_ref().map(|id| id.0.clone())),
        message_desired_version: Set(new.starter_in_slack.map(|_| FIRST)),
        message_rendered_version: Set(0),
        created_at: Set(now),
        updated_at: Set(now),
        ..Default::default()
    };
    let Some(key) = key else { return Ok((row.insert(db).await?.id, true)) };
    let of_key = || job::Entity::find().filter(job::Column::WorkKey.eq(key));
    if let Some(job) = of_key().one(db).await? {
        return Ok((job.id, false));
    }
    // Two inserts at once: not "do nothing", which MariaDB lacks; rewriting the key changes nothing.
    let again = OnConflict::column(job::Column::WorkKey).update_column(job::Column::WorkKey).to_owned();
    job::Entity::insert(row).on_conflict(again).exec_without_returning(db).await?;
    let job = of_key().one(db).await?.ok_or(DbErr::RecordNotInserted)?;
    Ok((job.id, true))
}

/// Queued and due, no other of its kind running; or left by a worker that is gone.
fn ready(now: DateTime<Utc>, leases_expire: bool, ours: &[JobId]) -> Condition {
    let other = Alias::new("other");
    let running = Query::select()
        .expr(Expr::val(1))
        .from_as(job::Entity, other.clone())
        .and_where(Expr::col((other, job::Column::RunningKind)).equals((job::Entity, job::Column::Kind)))
        .take();
    let waiting = waiting(now).add(Expr::exists(running).not());
    let not_ours = (!ours.is_empty()).then(|| job::Column::Id.is_not_in(ours.iter().copied()));
    let abandoned = leases_expire.then(|| abandoned(now).add_option(not_ours));
    Condition::any().add(waiting).add_option(abandoned)
}

fn waiting(now: DateTime<Utc>) -> Condition {
    Condition::all().add(job::Column::State.eq(JobState::Queued)).add(due(job::Column::DueAt, now, WAIT_MAX))
}

fn abandoned(now: DateTime<Utc>) -> Condition {
    Condition::all().add(job::Column::State.eq(JobState::Running)).add(expired(
        job::Column::LeasedUntil,
        now,
        LEASE,
    ))
}

/// The first job of each kind that could be leased now. Includes other workers' expired ones only if
/// `leases_expire`, and none of `ours`, which this worker is running.
pub async fn due_now(
    db: &impl ConnectionTrait,
    now: DateTime<Utc>,
    leases_expire: bool,
    ours: &[JobId],
) -> Result<Vec<JobId>, DbErr> {
    job::Entity::find()
        .select_only()
        .column_as(job::Column::Id.min(), "id")
        .filter(ready(now, leases_expire, ours))
        .group_by(job::Column::Kind)
        .into_tuple()
        .all(db)
        .await
}

/// Takes the lease of a job; `None` when another worker was faster, or another job of its kind runs. One
/// conditional statement and a unique index, so that it behaves the same on every database.
pub async fn lease(
    db: &impl ConnectionTrait,
    id: JobId,
    lease: &str,
    now: DateTime<Utc>,
    until: DateTime<Utc>,
) -> Result<Option<Job>, DbErr> {
    let lost = Expr::case(
        Condition::all().add(job::Column::State.eq(JobState::Running)),
        Expr::col(job::Column::Losses).add(1),
    )
    .finally(0);
    let taken = job::Entity::update_many()
        // Before the state: MariaDB evaluates assignments from left to right and would see the new state.
        .col_expr(job::Column::Losses, lost.into())
        .col_expr(job::Column::State, Expr::value(JobState::Running))
        .col_expr(job::Column::RunningKind, Expr::col(job::Column::Kind))
        .col_expr(job::Column::Lease, Expr::value(lease))
        .col_expr(job::Column::LeasedUntil, Expr::value(until))
        .col_expr(job::Column::UpdatedAt, Expr::value(now))
        .filter(job::Column::Id.eq(id))
        .filter(Condition::any().add(waiting(now)).add(abandoned(now)))
        .exec(db)
        .await;
    match taken {
        Ok(taken) if taken.rows_affected == 0 => Ok(None),
        Ok(_) => job::Entity::find_by_id(id).filter(job::Column::Lease.eq(lease)).one(db).await,
        Err(error) if matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_))) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Renews a lease; `false` when it was lost. In a transaction, locks the job until its end.
pub async fn hold(
    db: &impl ConnectionTrait,
    id: JobId,
    lease: &str,
    until: DateTime<Utc>,
) -> Result<bool, DbErr> {
    let held = job::Entity::update_many()
        .col_expr(job::Column::LeasedUntil, Expr::value(until))
        .filter(job::Column::Id.eq(id))
        .filter(job::Column::Lease.eq(lease))
        .exec(db)
        .await?;
    Ok(held.rows_affected == 1)
}

/// Records the state of a job, and a line about it; updates its message. Releases its lease unless it is running.
pub async fn record(
    db: &impl ConnectionTrait,
    job: &Job,
    update: &str,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let is_running = job.state == JobState::Running;
    let mut change = changed(job.id, now)
        .col_expr(job::Column::State, Expr::value(job.state))
        .col_expr(job::Column::Checkpoint, Expr::value(job.checkpoint.clone()))
        .col_expr(job::Column::Step, Expr::value(job.step))
        .col_expr(job::Column::Steps, Expr::value(job.steps))
        .col_expr(job::Column::Activity, Expr::value(cut(&job.activity, ACTIVITY_MAX)))
        .col_expr(job::Column::Failure, Expr::value(job.failure.as_deref().map(|why| cut(why, FAILURE_MAX))))
        .col_expr(job::Column::Failures, Expr::value(job.failures))
        .col_expr(job::Column::Losses, Expr::value(0))
        .col_expr(job::Column::FailingSince, Expr::value(job.failing_since))
        .col_expr(job::Column::DueAt, Expr::value(job.due_at))
        .col_expr(job::Column::FinishedAt, Expr::value(job.state.is_over().then_some(now)));
    if !is_running {
        change = change
            .col_expr(job::Column::RunningKind, Expr::value(None::<String>))
            .col_expr(job::Column::Lease, Expr::value(None::<String>))
            .col_expr(job::Column::LeasedUntil, Expr::value(None::<DateTime<Utc>>))
            .col_expr(job::Column::CancelRequested, Expr::value(false));
    }
    change.exec(db).await?;
    job_messages::changed(db, job, now).await?;
    write_update(db, job, update, now).await
}

/// Releases a lease without a line: another worker continues the job immediately.
pub async fn release(
    db: &impl ConnectionTrait,
    id: JobId,
    lease: &str,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    changed(id, now)
        .col_expr(job::Column::State, Expr::value(JobState::Queued))
        .col_expr(job::Column::RunningKind, Expr::value(None::<String>))
        .col_expr(job::Column::Lease, Expr::value(None::<String>))
        .col_expr(job::Column::LeasedUntil, Expr::value(None::<DateTime<Utc>>))
        .filter(job::Column::Lease.eq(lease))
        .exec(db)
        .await?;
    Ok(())
}

/// Requests cancellation from the worker that runs a job; updates its message.
pub async fn want_cancel(db: &impl ConnectionTrait, job: &Job, now: DateTime<Utc>) -> Result<(), DbErr> {
    let wanted = changed(job.id, now)
        .col_expr(job::Column::CancelRequested, Expr::value(true))
        .filter(job::Column::State.eq(JobState::Running));
    wanted.exec(db).await?;
    job_messages::changed(db, job, now).await
}

fn changed(id: JobId, now: DateTime<Utc>) -> UpdateMany<job::Entity> {
    job::Entity::update_many()
        .col_expr(job::Column::UpdatedAt, Expr::value(now))
        .filter(job::Column::Id.eq(id))
}

/// Appends a line, up to the limit.
pub async fn write_update(
    db: &impl ConnectionTrait,
    job: &Job,
    text: &str,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    if job.updates >= UPDATES_MAX {
        return Ok(());
    }
    let text = if job.updates + 1 == UPDATES_MAX { NO_MORE_UPDATES.into() } else { cut(text, UPDATE_MAX) };
    let counted = changed(job.id, now).col_expr(job::Column::Updates, Expr::col(job::Column::Updates).add(1));
    counted.exec(db).await?;
    let row = job_line::ActiveModel {
        job_id: Set(job.id),
        text: Set(text),
        created_at: Set(now),
        ..Default::default()
    };
    job_line::Entity::insert(row).exec_without_returning(db).await?;
    Ok(())
}

pub async fn find(db: &impl ConnectionTrait, id: JobId) -> Result<Option<Job>, DbErr> {
    job::Entity::find_by_id(id).one(db).await
}

/// Locks a job until the transaction ends.
pub async fn lock(db: &impl ConnectionTrait, id: JobId) -> Result<Option<Job>, DbErr> {
    job::Entity::find_by_id(id).lock_exclusive().one(db).await
}

/// The latest lines of a job, newest first.
pub async fn latest_updates(
    db: &impl ConnectionTrait,
    id: JobId,
    limit: u64,
) -> Result<Vec<JobUpdate>, DbErr> {
    job_line::Entity::find()
        .filter(job_line::Column::JobId.eq(id))
        .order_by_desc(job_line::Column::Id)
        .limit(limit)
        .all(db)
        .await
}

/// Jobs, newest first: at most `limit`, with an id below `older_than`.
pub async fn page(
    db: &impl ConnectionTrait,
    (state, kind): (Option<JobState>, Option<JobKind>),
    older_than: Option<JobId>,
    limit: u64,
) -> Result<Vec<Job>, DbErr> {
    let wanted = Condition::all()
        .add_option(state.map(|state| job::Column::State.eq(state)))
        .add_option(kind.map(|kind| job::Column::Kind.eq(kind.key())))
        .add_option(older_than.map(|id| job::Column::Id.lt(id)));
    job::Entity::find().filter(wanted).order_by_desc(job::Column::Id).limit(limit).all(db).await
}

/// Number of jobs of a kind in a state.
#[derive(Debug, Clone, PartialEq, Eq, FromQueryResult)]
pub struct JobCount {
    pub kind: String,
    pub state: JobState,
    pub count: i64,
}

pub async fn counts(db: &impl ConnectionTrait) -> Result<Vec<JobCount>, DbErr> {
    job::Entity::find()
        .select_only()
        .columns([job::Column::Kind, job::Column::State])
        .column_as(job::Column::Id.count(), "count")
        .group_by(job::Column::Kind)
        .group_by(job::Column::State)
        .into_model()
        .all(db)
        .await
}
