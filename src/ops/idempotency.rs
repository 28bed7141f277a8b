//! A submission is accepted once: the same request id with the same content gets the first answer. The stored key
//! covers the operation, the caller and the content, so that an id with other content, or from another form, counts
//! as a different submission. Used by operations that carry a request id.

use super::secret::digest_of;
use super::{Ctx, OpError, retry_on_deadlock};
use crate::domain::actor::Actor;
use crate::domain::file::StoredFile;
use crate::domain::idempotency::IdempotencyKey;
use crate::domain::text::RequestId;
use crate::store;
use chrono::{DateTime, Utc};
use sea_orm::ConnectionTrait;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The key of a submission. `content` is what the person entered: not the version that they saw, and nothing else
/// that could differ when the same form arrives again.
pub(super) fn key(
    operation: &str,
    actor: &Actor,
    request_id: &RequestId,
    content: &impl Serialize,
) -> Result<IdempotencyKey, OpError> {
    // A Slack user keeps the same key when an account is linked to them; names may change.
    let account = actor.account.as_ref().filter(|_| actor.slack_id.is_none()).map(|account| account.id);
    let named = (operation, request_id, &actor.slack_id, account, content);
    let digest = digest_of(&serde_json::to_string(&named)?);
    IdempotencyKey::parse(&digest).ok_or_else(|| OpError::Internal("a digest of another length".into()))
}

/// A file as content of a submission, without its stored name, which is random for each upload.
pub(super) fn file_content(file: &StoredFile) -> (&str, &'static str, u64) {
    (file.name.as_str(), file.kind.ending(), file.size)
}

/// Runs one transaction for a submission. If another process has just accepted the same one, returns its answer.
pub(super) async fn run_once<T, F>(ctx: &Ctx, key: &IdempotencyKey, run: impl Fn() -> F) -> Result<T, OpError>
where
    T: DeserializeOwned,
    F: Future<Output = Result<T, OpError>>,
{
    match retry_on_deadlock(run).await {
        Err(error) if error.may_be_replay() => find_answer(ctx.store.read(), key).await?.ok_or(error),
        answer => answer,
    }
}

/// The answer that an accepted submission got.
///
/// # Errors
/// `NotFound` if the key belongs to another operation.
pub(super) async fn find_answer<T: DeserializeOwned>(
    db: &impl ConnectionTrait,
    key: &IdempotencyKey,
) -> Result<Option<T>, OpError> {
    let answer = store::requests::answer(db, key).await?;
    answer.map(|answer| serde_json::from_str(&answer).map_err(|_| OpError::NotFound)).transpose()
}

/// Stores the answer: part of the transaction that did the work.
pub(super) async fn remember(
    db: &impl ConnectionTrait,
    key: &IdempotencyKey,
    answer: &impl Serialize,
    now: DateTime<Utc>,
) -> Result<(), OpError> {
    Ok(store::requests::remember(db, key, serde_json::to_string(answer)?, now).await?)
}
