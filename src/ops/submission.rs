//! What every submission of a form has in common: one transaction that stores its idempotency key, so that a
//! repeated submission changes nothing and gets the first answer.

use super::idempotency::{find_answer, remember, run_once};
use super::jobs::QueuedJob;
use super::repairs::record_change::RecordedChange;
use super::{Ctx, OpError, mutation_log};
use crate::domain::actor::Actor;
use crate::domain::change::AuditRecord;
use crate::domain::idempotency::IdempotencyKey;
use crate::store::{self, Transaction};
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A submission in progress.
pub(super) struct Submission {
    pub(super) now: DateTime<Utc>,
    pub(super) tx: Transaction,
    records: Vec<AuditRecord>,
    visible: bool,
    repairs: Vec<RecordedChange>,
    job: Option<QueuedJob>,
}

impl Submission {
    const fn new(tx: Transaction, now: DateTime<Utc>) -> Self {
        Self { now, tx, records: Vec::new(), visible: false, repairs: Vec::new(), job: None }
    }

    /// Records a change that boards do not show.
    pub(super) fn record(&mut self, records: impl IntoIterator<Item = AuditRecord>) {
        self.records.extend(records);
    }

    /// Records a change that boards may show.
    pub(super) fn record_visible(&mut self, records: impl IntoIterator<Item = AuditRecord>) {
        self.record(records);
        self.visible |= !self.records.is_empty();
    }

    /// Records changed repairs, whose timeline, audit and deliveries are already written.
    pub(super) fn record_repairs(&mut self, repairs: impl IntoIterator<Item = RecordedChange>) {
        let before = self.repairs.len();
        self.repairs.extend(repairs);
        self.visible |= self.repairs.len() > before;
    }

    /// The same for details that boards do not show: notes and photos.
    pub(super) fn record_repair_details(&mut self, repair: Option<RecordedChange>) {
        self.repairs.extend(repair);
    }

    pub(super) fn record_job(&mut self, job: Option<QueuedJob>) {
        self.job = job;
    }

    /// Ends the submission with its answer.
    pub(super) const fn answer<T>(self, answer: T) -> SubmissionResult<T> {
        Ok((self, answer))
    }

    /// Commits the change with its audit records.
    async fn commit(self, ctx: &Ctx, actor: &Actor) -> Result<(), OpError> {
        if !self.records.is_empty() {
            store::audit::append(&self.tx, &self.records, actor, self.now).await?;
        }
        if self.visible {
            ctx.commit_visible(self.tx).await?;
        } else {
            self.tx.commit().await?;
        }
        mutation_log::changes(&self.records, actor, self.now);
        for repair in self.repairs {
            repair.committed(ctx, actor);
        }
        if let Some(job) = self.job {
            job.committed(ctx, actor);
        }
        Ok(())
    }
}

/// A finished submission with its answer; an error rolls everything back.
pub(super) type SubmissionResult<T> = Result<(Submission, T), OpError>;

/// Runs a submission: `run` changes and records. A repeated submission gets the first answer. `taken` is the error
/// for a name that is already taken.
pub(super) async fn submit<T, F>(
    ctx: &Ctx,
    actor: &Actor,
    key: IdempotencyKey,
    taken: impl FnOnce() -> OpError,
    run: impl Fn(Submission) -> F,
) -> Result<T, OpError>
where
    T: Serialize + DeserializeOwned,
    F: Future<Output = SubmissionResult<T>>,
{
    let done = run_once(ctx, &key, || async {
        let tx = ctx.store.begin().await?;
        if let Some(answer) = find_answer(&tx, &key).await? {
            return Ok(answer);
        }
        let submission = Submission::new(tx, ctx.clock.now());
        let (submission, answer) = run(submission).await?;
        remember(&submission.tx, &key, &answer, submission.now).await?;
        submission.commit(ctx, actor).await?;
        Ok(answer)
    });
    done.await.map_err(|error| if error.is_unique_violation() { taken() } else { error })
}

/// For submissions without a unique name: the only unique value is the key.
pub(super) fn nothing_is_taken() -> OpError {
    OpError::Internal("a row is there already".into())
}
