//! Accepted submissions, so that a repeated one gets the first answer; and processed events, so that a repeated one
//! has no effect.

use super::entities::request;
use crate::domain::idempotency::IdempotencyKey;
use crate::domain::text::EventId;
use chrono::{DateTime, Utc};
use sea_orm::{ActiveModelTrait, ConnectionTrait, DbErr, EntityTrait, Set, SqlErr};

/// The answer to an accepted submission, as JSON.
pub async fn answer(db: &impl ConnectionTrait, key: &IdempotencyKey) -> Result<Option<String>, DbErr> {
    Ok(request::Entity::find_by_id(key.as_str()).one(db).await?.map(|row| row.answer))
}

/// Stores the answer, in the transaction that did the work. A unique violation when another transaction has just
/// accepted the submission.
pub async fn remember(
    db: &impl ConnectionTrait,
    key: &IdempotencyKey,
    answer: String,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let row =
        request::ActiveModel { id: Set(key.as_str().to_owned()), answer: Set(answer), created_at: Set(now) };
    row.insert(db).await?;
    Ok(())
}

/// True for a stored event.
pub async fn knows_event(db: &impl ConnectionTrait, event: &EventId) -> Result<bool, DbErr> {
    Ok(request::Entity::find_by_id(event_key(event)).one(db).await?.is_some())
}

fn event_key(event: &EventId) -> String {
    format!("event:{}", event.as_str())
}

/// Stores an event; false when it is already stored. Its id differs from the keys of submissions, which contain no
/// colon.
pub async fn remember_event(
    db: &impl ConnectionTrait,
    event: &EventId,
    now: DateTime<Utc>,
) -> Result<bool, DbErr> {
    let row = request::ActiveModel {
        id: Set(event_key(event)),
        answer: Set("null".to_owned()),
        created_at: Set(now),
    };
    match request::Entity::insert(row).exec_without_returning(db).await {
        Ok(_) => Ok(true),
        Err(error) if matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_))) => Ok(false),
        Err(error) => Err(error),
    }
}
