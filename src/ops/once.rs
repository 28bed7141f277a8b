//! A submission is accepted once: whoever sends it again gets the first one's answer. Used by operations
//! that carry a request id.

use super::{Ctx, OpError, again_after_deadlock};
use crate::domain::text::RequestId;
use crate::store;
use chrono::{DateTime, Utc};
use sea_orm::ConnectionTrait;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Runs one transaction for a submission; where another process accepted the same one just now, its
/// answer is the answer.
pub(super) async fn once<T, F>(ctx: &Ctx, request: &RequestId, run: impl Fn() -> F) -> Result<T, OpError>
where
    T: DeserializeOwned,
    F: Future<Output = Result<T, OpError>>,
{
    match again_after_deadlock(run).await {
        Err(error) if error.may_be_of_a_twin() => answered(ctx.store.read(), request).await?.ok_or(error),
        answer => answer,
    }
}

/// The answer that an accepted submission got.
///
/// # Errors
/// `NotFound` where the id was that of another kind of submission; the database's.
pub(super) async fn answered<T: DeserializeOwned>(
    db: &impl ConnectionTrait,
    request: &RequestId,
) -> Result<Option<T>, OpError> {
    let answer = store::requests::answer(db, request).await?;
    // An answer of another shape is that of another form: its id says nothing here.
    answer.map(|answer| serde_json::from_str(&answer).map_err(|_| OpError::NotFound)).transpose()
}

/// Keeps the answer: part of the transaction that did the work.
pub(super) async fn remember(
    db: &impl ConnectionTrait,
    request: &RequestId,
    answer: &impl Serialize,
    now: DateTime<Utc>,
) -> Result<(), OpError> {
    Ok(store::requests::remember(db, request, serde_json::to_string(answer)?, now).await?)
}
