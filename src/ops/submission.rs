//! What every submission of a form has in common: one transaction that remembers its request id, so that
//! a second arrival changes nothing and gets the first one's answer.

use super::once::{answered, once, remember};
use super::{Ctx, OpError, mutation_log};
use crate::domain::actor::Actor;
use crate::domain::change::AuditRecord;
use crate::domain::text::RequestId;
use crate::store;
use chrono::{DateTime, Utc};
use sea_orm::DatabaseTransaction;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A submission that is being carried out. Dropped without [`Submission::commit`], it changes nothing.
pub(super) struct Submission<'a> {
    ctx: &'a Ctx,
    actor: &'a Actor,
    request_id: &'a RequestId,
    /// When it began.
    pub(super) now: DateTime<Utc>,
    /// Its transaction.
    pub(super) tx: DatabaseTransaction,
    records: Vec<AuditRecord>,
    visible: bool,
}

/// A submission, or the answer that it got before.
pub(super) enum Begun<'a, T> {
    Now(Submission<'a>),
    Before(T),
}

impl<'a> Submission<'a> {
    /// Begins one.
    pub(super) async fn begin<T: DeserializeOwned>(
        ctx: &'a Ctx,
        actor: &'a Actor,
        request_id: &'a RequestId,
    ) -> Result<Begun<'a, T>, OpError> {
        let tx = ctx.store.begin().await?;
        if let Some(answer) = answered(&tx, request_id).await? {
            return Ok(Begun::Before(answer));
        }
        let now = ctx.clock.now();
        Ok(Begun::Now(Self { ctx, actor, request_id, now, tx, records: Vec::new(), visible: false }))
    }

    /// Something was changed that boards do not show.
    pub(super) fn record(&mut self, records: impl IntoIterator<Item = AuditRecord>) {
        self.records.extend(records);
    }

    /// Something was changed that boards may show.
    pub(super) fn record_visible(&mut self, records: impl IntoIterator<Item = AuditRecord>) {
        self.record(records);
        self.visible |= !self.records.is_empty();
    }

    /// Commits the change with its audit and its answer.
    pub(super) async fn commit<T: Serialize>(self, answer: T) -> Result<T, OpError> {
        if !self.records.is_empty() {
            store::audit::append(&self.tx, &self.records, self.actor, self.now).await?;
        }
        remember(&self.tx, self.request_id, &answer, self.now).await?;
        if self.visible {
            self.ctx.commit_visible(self.tx).await?;
        } else {
            self.tx.commit().await?;
        }
        mutation_log::changes(&self.records, self.actor, self.now);
        Ok(answer)
    }
}

/// Carries a submission out. `taken` is said where a name is another's already.
pub(super) async fn submit<T, F>(
    ctx: &Ctx,
    request_id: &RequestId,
    taken: impl FnOnce() -> OpError,
    run: impl Fn() -> F,
) -> Result<T, OpError>
where
    T: DeserializeOwned,
    F: Future<Output = Result<T, OpError>>,
{
    once(ctx, request_id, run)
        .await
        .map_err(|error| if error.is_unique_violation() { taken() } else { error })
}

/// For what has no name of its own: nothing can be taken but the request id.
pub(super) fn nothing_is_taken() -> OpError {
    OpError::Internal("a row is there already".into())
}
