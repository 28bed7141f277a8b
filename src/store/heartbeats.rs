//! Signs of life of loops, the latest of all processes.

use super::entities::heartbeat;
use chrono::{DateTime, Utc};
use sea_orm::sea_query::OnConflict;
use sea_orm::{ConnectionTrait, DbErr, EntityTrait, Set};

/// Name of the worker's loop.
pub const WORKER: &str = "worker";

/// Notes that the loop went round.
///
/// # Errors
/// The database's.
pub async fn beat(db: &impl ConnectionTrait, name: &str, now: DateTime<Utc>) -> Result<(), DbErr> {
    let row = heartbeat::ActiveModel { name: Set(name.to_owned()), beat_at: Set(now) };
    let replace =
        OnConflict::column(heartbeat::Column::Name).update_column(heartbeat::Column::BeatAt).to_owned();
    heartbeat::Entity::insert(row).on_conflict(replace).exec_without_returning(db).await?;
    Ok(())
}

/// When the loop last went round; `None`: never.
///
/// # Errors
/// The database's.
pub async fn latest(db: &impl ConnectionTrait, name: &str) -> Result<Option<DateTime<Utc>>, DbErr> {
    Ok(heartbeat::Entity::find_by_id(name).one(db).await?.map(|row| row.beat_at))
}
