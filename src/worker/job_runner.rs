//! Runs jobs: leases one of a kind at a time, calls `jobs` for a step, records the outcome, and continues. A step runs
//! at least once: a worker that takes over a lost worker's job starts at its last checkpoint.

use super::db_clock::DbClock;
use super::lease::RenewalTimes;
use crate::domain::actor::{Account, Actor, SlackUserId};
use crate::domain::ids::JobId;
use crate::domain::job::{JobState, LOSSES_MAX, StepFailure, Work, next_try};
use crate::error_chain::ErrorChain;
use crate::jobs::{self, Jobs, Progress, Stepped, Task};
use crate::ops::{Ctx, mutation_log};
use crate::store;
use crate::store::db_error::{is_deadlock, retry_on_deadlock, within};
use crate::store::delivery_queue::LEASE;
use crate::store::jobs::Job;
use chrono::{DateTime, TimeDelta, Utc};
use futures_util::FutureExt;
use sea_orm::DbErr;
use serde_json::json;
use std::collections::HashSet;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

/// Longest attempt to record a step.
const RECORD_MAX: Duration = Duration::from_secs(10);
/// Delays between such attempts; together shorter than a lease.
const RECORD_AGAIN: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(5)];

/// Shared by the worker's loop and its runs.
pub struct JobRunner {
    ctx: Ctx,
    jobs: Jobs,
    db_clock: DbClock,
    /// The jobs that run in this process. It never leases one of them again, even if its lease seems to have expired.
    running: Mutex<HashSet<JobId>>,
}

/// The outcome of a step.
enum Outcome {
    Stepped(Stepped),
    Failed(StepFailure),
    /// No step ran, since a person canceled the job.
    Cancelled,
}

/// A running job with its lease.
struct Run {
    id: JobId,
    lease: String,
}

impl JobRunner {
    pub fn new(ctx: Ctx, jobs: Jobs) -> Self {
        let db_clock = DbClock::new(ctx.clock.clone());
        Self { ctx, jobs, db_clock, running: Mutex::default() }
    }

    /// Leases due jobs, one of each kind, and starts them. Once `stop` is canceled, runs release their leases.
    /// Dropping the future loses no job: each lease is taken within its run. After an error, the jobs that were
    /// started continue.
    pub async fn poll(
        self: &Arc<Self>,
        running: &mut JoinSet<()>,
        stop: &CancellationToken,
    ) -> Result<(), DbErr> {
        self.db_clock.compare(&self.ctx.store).await?;
        let ours: Vec<JobId> = self.running().iter().copied().collect();
        let leases_expire = self.db_clock.can_judge_leases();
        let due = store::jobs::due_now(self.ctx.store.read(), self.db_clock.now(), leases_expire, &ours);
        for id in due.await? {
            let run = Run { id, lease: format!("{:032x}", rand::random::<u128>()) };
            let (runner, stop) = (Arc::clone(self), stop.clone());
            let (leased, is_leased) = oneshot::channel();
            running.spawn(async move { runner.start(run, stop, leased).await });
            // A closed channel means a panic, which the owner of `running` logs.
            is_leased.await.unwrap_or(Ok(()))?;
        }
        Ok(())
    }

    /// Takes the lease of a run, reports that to `leased`, and runs the job.
    async fn start(&self, run: Run, stop: CancellationToken, leased: oneshot::Sender<Result<(), DbErr>>) {
        let (db, now, asked) = (self.ctx.store.write(), self.db_clock.now(), Instant::now());
        let lease = || store::jobs::lease(db, run.id, &run.lease, now, now + LEASE);
        let (result, job) = match within(RECORD_MAX, retry_on_deadlock(is_deadlock, lease)).await {
            Ok(job) => (Ok(()), job),
            Err(error) => {
                // The lease may have been taken nevertheless.
                self.release(&run).await;
                (Err(error), None)
            }
        };
        let _ = leased.send(result);
        if let Some(job) = job {
            let id = run.id;
            self.running().insert(id);
            // A step that panics counts as a failed step, so the job is always removed again.
            self.run(run, job, asked, stop).await;
            self.running().remove(&id);
        }
    }

    fn running(&self) -> MutexGuard<'_, HashSet<JobId>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs jobs until none is due.
    pub async fn settle(self: &Arc<Self>) -> Result<(), DbErr> {
        let (mut running, stop) = (JoinSet::new(), CancellationToken::new());
        loop {
            self.poll(&mut running, &stop).await?;
            if running.join_next().await.is_none() {
                return Ok(());
            }
        }
    }

    /// Runs step after step until the job ends, waits, or belongs to another worker. The lease was requested at
    /// `held`.
    async fn run(&self, run: Run, job: Job, mut held: Instant, stop: CancellationToken) {
        let mut next = Some(job);
        while let Some(job) = next {
            let outcome = tokio::select! {
                biased;
                () = stop.cancelled() => return self.release(&run).await,
                () = self.renew_until_lost(&run, held) => {
                    return tracing::warn!(id = run.id.0, "job lease lost: another worker has it");
                }
                outcome = self.step(&job) => outcome,
            };
            // Recording renews the lease.
            held = Instant::now();
            next = self.record_with_retries(&run, &outcome).await;
        }
    }

    async fn step(&self, job: &Job) -> Outcome {
        if job.cancel_requested {
            return Outcome::Cancelled;
        }
        let fatal = |why: String| Outcome::Failed(StepFailure::Final { why });
        if job.losses >= LOSSES_MAX {
            return fatal(format!(
                "The program ended {LOSSES_MAX} times during this step. The log may say why."
            ));
        }
        let work = match Work::read(&job.kind, &job.input) {
            Ok(work) => work,
            Err(unknown) => return fatal(unknown.to_string()),
        };
        let starter = match self.starter(job).await {
            Ok(starter) => starter,
            Err(error) => {
                tracing::warn!(error = %ErrorChain(&error), id = job.id.0, "job starter unknown");
                let why = "The database did not answer.".to_owned();
                return Outcome::Failed(StepFailure::Passing { why, wait: None });
            }
        };
        let limit = jobs::step_max(work.kind());
        let task = Task { work: &work, checkpoint: job.checkpoint.as_deref(), starter: &starter };
        let step = AssertUnwindSafe(self.jobs.step(&task)).catch_unwind();
        match timeout(limit, step).await {
            Ok(Ok(Ok(stepped))) => Outcome::Stepped(stepped),
            Ok(Ok(Err(failure))) => Outcome::Failed(failure),
            Ok(Err(_)) => fatal("Something went wrong in ESB itself. The log says what.".to_owned()),
            Err(_) => {
                let why = format!("This step took longer than {} minutes.", limit.as_secs() / 60);
                Outcome::Failed(StepFailure::Passing { why, wait: None })
            }
        }
    }

    /// The actor who started a job, with the current role of their account.
    async fn starter(&self, job: &Job) -> Result<Actor, DbErr> {
        let account = match job.starter_user_id {
            Some(id) => store::users::active(self.ctx.store.read(), id).await?,
            None => None,
        };
        Ok(Actor {
            edge: job.edge,
            name: job.starter_name.clone(),
            slack_id: job.starter_slack_id.clone().map(SlackUserId),
            account: account.map(|user| Account { id: user.id, role: user.role }),
        })
    }

    async fn renew_until_lost(&self, run: &Run, held: Instant) {
        let db = self.ctx.store.write();
        let hold = || store::jobs::hold(db, run.id, &run.lease, self.db_clock.now() + LEASE);
        RenewalTimes::STANDARD.renew_until_lost(held, hold).await;
    }

    /// Releases the job, so that another worker can continue immediately.
    async fn release(&self, run: &Run) {
        let db = self.ctx.store.write();
        let mut waits = RECORD_AGAIN.into_iter();
        loop {
            let release = || store::jobs::release(db, run.id, &run.lease, self.db_clock.now());
            let Err(error) = within(RECORD_MAX, retry_on_deadlock(is_deadlock, release)).await else {
                return;
            };
            let error = ErrorChain(&error);
            let Some(wait) = waits.next() else {
                return tracing::warn!(%error, id = run.id.0, "job not released: its lease will expire");
            };
            sleep(wait).await;
        }
    }

    /// Records a step with retries. Returns the job if it continues.
    async fn record_with_retries(&self, run: &Run, outcome: &Outcome) -> Option<Job> {
        let mut waits = RECORD_AGAIN.into_iter();
        loop {
            let record = || self.record(run, outcome);
            match within(RECORD_MAX, retry_on_deadlock(is_deadlock, record)).await {
                Ok(next) => return next,
                Err(error) => {
                    let error = ErrorChain(&error);
                    tracing::warn!(%error, id = run.id.0, "job step outcome not recorded yet");
                }
            }
            let Some(wait) = waits.next() else { break };
            sleep(wait).await;
        }
        tracing::error!(id = run.id.0, "job step outcome could not be recorded: the step runs again");
        None
    }

    /// Records checkpoint, progress and line in one transaction.
    async fn record(&self, run: &Run, outcome: &Outcome) -> Result<Option<Job>, DbErr> {
        let now = self.db_clock.now();
        let tx = self.ctx.store.begin().await?;
        // First, since it locks the row: `cancel_requested` cannot change after it is read.
        if !store::jobs::hold(&tx, run.id, &run.lease, now + LEASE).await? {
            return Ok(None);
        }
        let Some(mut job) = store::jobs::find(&tx, run.id).await? else { return Ok(None) };
        let line = settle(&mut job, outcome, now);
        store::jobs::record(&tx, &job, &line, now).await?;
        tx.commit().await?;
        log_end(&job, now);
        Ok((job.state == JobState::Running).then_some(job))
    }
}

/// Writes the mutation line of a job that has ended.
fn log_end(job: &Job, now: DateTime<Utc>) {
    if !job.state.is_over() {
        return;
    }
    let data =
        json!({ "id": job.id, "kind": job.kind, "step": job.step, "steps": job.steps, "why": job.failure });
    let event = match job.state {
        JobState::Failed => "job.failed",
        JobState::Cancelled => "job.ended",
        _ => "job.succeeded",
    };
    mutation_log::write(event, "worker", &data, now);
}

/// Updates the job after a step. Returns the line for its page.
fn settle(job: &mut Job, outcome: &Outcome, now: DateTime<Utc>) -> String {
    match outcome {
        Outcome::Cancelled => {
            job.state = JobState::Cancelled;
            format!("Cancelled after step {} of {}.", job.step, job.steps)
        }
        Outcome::Stepped(stepped) => {
            job.checkpoint = Some(stepped.checkpoint.clone());
            (job.step, job.activity) = (stepped.step, stepped.activity.clone());
            (job.failure, job.failures, job.failing_since) = (None, 0, None);
            match &stepped.progress {
                Progress::More if job.cancel_requested => job.state = JobState::Cancelled,
                Progress::More => {}
                Progress::Done => job.state = JobState::Succeeded,
                Progress::Incomplete { why } => {
                    (job.state, job.failure) = (JobState::Failed, Some(why.clone()));
                }
            }
            stepped.line.clone()
        }
        Outcome::Failed(StepFailure::Final { why }) => {
            (job.state, job.failure) = (JobState::Failed, Some(why.clone()));
            why.clone()
        }
        Outcome::Failed(StepFailure::Passing { why, .. }) if job.cancel_requested => {
            job.state = JobState::Cancelled;
            why.clone()
        }
        Outcome::Failed(StepFailure::Passing { why, wait }) => {
            let since = *job.failing_since.get_or_insert(now);
            match next_try(job.failures, since, *wait, now) {
                Some(at) => {
                    (job.state, job.due_at, job.failure) = (JobState::Queued, at, Some(why.clone()));
                    job.failures += i64::from(wait.is_none());
                    format!("{why} The next try is in {}.", format_wait(at - now))
                }
                None => {
                    let why = format!("{why} It was tried for a day.");
                    (job.state, job.failure) = (JobState::Failed, Some(why.clone()));
                    why
                }
            }
        }
    }
}

/// "30 s", "5 min", "1 h".
fn format_wait(wait: TimeDelta) -> String {
    match wait.num_seconds() {
        seconds @ ..60 => format!("{seconds} s"),
        seconds @ 60..3600 => format!("{} min", seconds / 60),
        seconds => format!("{} h", seconds / 3600),
    }
}
