//! Removes expired rows, in batches small enough not to block other writers.

use super::entities::{delivery, delivery_attempt, job, job_line, request, session};
use crate::domain::delivery::DeliveryState;
use crate::domain::ids::{DeliveryId, JobId};
use chrono::{DateTime, Utc};
use sea_orm::sea_query::{ExprTrait, IntoCondition};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QuerySelect, TryGetableMany,
    Value,
};

/// Most rows that one call removes.
pub const BATCH: u64 = 500;

/// Removes deliveries that ended as `state` before a time, with their attempts; returns their number.
pub async fn deliveries(
    db: &impl ConnectionTrait,
    state: DeliveryState,
    before: DateTime<Utc>,
) -> Result<u64, DbErr> {
    let ended =
        delivery::Column::State.eq(state).and(delivery::Column::FinishedAt.lt(before)).into_condition();
    let old: Vec<DeliveryId> = keys::<delivery::Entity, _>(db, delivery::Column::Id, ended).await?;
    remove::<delivery_attempt::Entity, _>(db, delivery_attempt::Column::DeliveryId, &old).await?;
    remove::<delivery::Entity, _>(db, delivery::Column::Id, &old).await
}

/// Removes jobs that ended before a time, with their lines; returns their number.
pub async fn jobs(db: &impl ConnectionTrait, before: DateTime<Utc>) -> Result<u64, DbErr> {
    let ended = job::Column::FinishedAt.lt(before).into_condition();
    let old: Vec<JobId> = keys::<job::Entity, _>(db, job::Column::Id, ended).await?;
    remove::<job_line::Entity, _>(db, job_line::Column::JobId, &old).await?;
    remove::<job::Entity, _>(db, job::Column::Id, &old).await
}

/// Removes submissions that were accepted before a time; returns their number.
pub async fn requests(db: &impl ConnectionTrait, before: DateTime<Utc>) -> Result<u64, DbErr> {
    let accepted = request::Column::CreatedAt.lt(before).into_condition();
    let old: Vec<String> = keys::<request::Entity, _>(db, request::Column::Id, accepted).await?;
    remove::<request::Entity, _>(db, request::Column::Id, &old).await
}

/// Removes sessions that ended before a time; returns their number.
pub async fn sessions(db: &impl ConnectionTrait, before: DateTime<Utc>) -> Result<u64, DbErr> {
    let ended = session::Column::ExpiresAt.lt(before).into_condition();
    let old: Vec<String> = keys::<session::Entity, _>(db, session::Column::TokenHash, ended).await?;
    remove::<session::Entity, _>(db, session::Column::TokenHash, &old).await
}

/// Locks a batch of expired rows; returns their keys.
async fn keys<E: EntityTrait, K: TryGetableMany>(
    db: &impl ConnectionTrait,
    key: E::Column,
    old: Condition,
) -> Result<Vec<K>, DbErr> {
    E::find().select_only().column(key).filter(old).limit(BATCH).lock_exclusive().into_tuple().all(db).await
}

/// Removes the rows whose column has one of these keys; returns their number.
async fn remove<E: EntityTrait, K: Clone + Into<Value>>(
    db: &impl ConnectionTrait,
    column: E::Column,
    keys: &[K],
) -> Result<u64, DbErr> {
    if keys.is_empty() {
        return Ok(0);
    }
    let removed = E::delete_many().filter(column.is_in(keys.iter().cloned())).exec(db).await?;
    Ok(removed.rows_affected)
}
