//! Removes what was kept long enough, in batches small enough to keep nobody waiting.

use super::entities::{delivery, delivery_attempt, request, session};
use crate::domain::delivery::DeliveryState;
use crate::domain::ids::DeliveryId;
use chrono::{DateTime, Utc};
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QuerySelect};

/// Most rows that one call removes.
pub const BATCH: u64 = 500;

/// Removes deliveries that ended as `state` before a time, with their attempts; how many.
///
/// # Errors
/// The database's.
pub async fn deliveries(
    db: &impl ConnectionTrait,
    state: DeliveryState,
    before: DateTime<Utc>,
) -> Result<u64, DbErr> {
    let old: Vec<DeliveryId> = delivery::Entity::find()
        .select_only()
        .column(delivery::Column::Id)
        .filter(delivery::Column::State.eq(state))
        .filter(delivery::Column::FinishedAt.lt(before))
        .limit(BATCH)
        .into_tuple()
        .all(db)
        .await?;
    if old.is_empty() {
        return Ok(0);
    }
    let attempts = delivery_attempt::Column::DeliveryId.is_in(old.iter().copied());
    delivery_attempt::Entity::delete_many().filter(attempts).exec(db).await?;
    let ended = delivery::Entity::delete_many().filter(delivery::Column::Id.is_in(old)).exec(db).await?;
    Ok(ended.rows_affected)
}

/// Forgets submissions that were accepted before a time; how many.
///
/// # Errors
/// The database's.
pub async fn requests(db: &impl ConnectionTrait, before: DateTime<Utc>) -> Result<u64, DbErr> {
    let old: Vec<String> = request::Entity::find()
        .select_only()
        .column(request::Column::Id)
        .filter(request::Column::CreatedAt.lt(before))
        .limit(BATCH)
        .into_tuple()
        .all(db)
        .await?;
    if old.is_empty() {
        return Ok(0);
    }
    let forgotten = request::Entity::delete_many().filter(request::Column::Id.is_in(old)).exec(db).await?;
    Ok(forgotten.rows_affected)
}

/// Removes sessions that ended before a time; how many.
///
/// # Errors
/// The database's.
pub async fn sessions(db: &impl ConnectionTrait, before: DateTime<Utc>) -> Result<u64, DbErr> {
    let old: Vec<String> = session::Entity::find()
        .select_only()
        .column(session::Column::TokenHash)
        .filter(session::Column::ExpiresAt.lt(before))
        .limit(BATCH)
        .into_tuple()
        .all(db)
        .await?;
    if old.is_empty() {
        return Ok(0);
    }
    let ended = session::Entity::delete_many().filter(session::Column::TokenHash.is_in(old)).exec(db).await?;
    Ok(ended.rows_affected)
}
