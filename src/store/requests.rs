//! Accepted submissions, so that the second arrival of one gets the first one's answer.

use super::entities::request;
use crate::domain::text::RequestId;
use chrono::{DateTime, Utc};
use sea_orm::{ActiveModelTrait, ConnectionTrait, DbErr, EntityTrait, Set};

/// The answer, as JSON, that this submission got when it was accepted.
///
/// # Errors
/// The database's.
pub async fn answer(db: &impl ConnectionTrait, id: &RequestId) -> Result<Option<String>, DbErr> {
    Ok(request::Entity::find_by_id(id.as_str()).one(db).await?.map(|row| row.answer))
}

/// Keeps the answer: part of the transaction that did the work.
///
/// # Errors
/// The database's; a unique violation when the submission is being accepted elsewhere just now.
pub async fn remember(
    db: &impl ConnectionTrait,
    id: &RequestId,
    answer: String,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let row =
        request::ActiveModel { id: Set(id.as_str().to_owned()), answer: Set(answer), created_at: Set(now) };
    row.insert(db).await?;
    Ok(())
}
