//! Heartbeats of loops, the latest of all processes.

use super::entities::heartbeat;
use chrono::{DateTime, Utc};
use sea_orm::sea_query::{Expr, ExprTrait, OnConflict};
use sea_orm::{ConnectionTrait, DbErr, EntityTrait, Set};

/// Name of the worker's loop.
pub const WORKER: &str = "worker";

/// Stores a heartbeat, unless a later one is stored: another host's clock may be behind.
pub async fn beat(db: &impl ConnectionTrait, name: &str, now: DateTime<Utc>) -> Result<(), DbErr> {
    let row = heartbeat::ActiveModel { name: Set(name.to_owned()), beat_at: Set(now) };
    let noted = (heartbeat::Entity, heartbeat::Column::BeatAt);
    let later = Expr::case(Expr::col(noted).lt(now), Expr::value(now)).finally(Expr::col(noted));
    let replace =
        OnConflict::column(heartbeat::Column::Name).value(heartbeat::Column::BeatAt, later).to_owned();
    heartbeat::Entity::insert(row).on_conflict(replace).exec_without_returning(db).await?;
    Ok(())
}

/// The last heartbeat of a loop, if any.
pub async fn latest(db: &impl ConnectionTrait, name: &str) -> Result<Option<DateTime<Utc>>, DbErr> {
    Ok(heartbeat::Entity::find_by_id(name).one(db).await?.map(|row| row.beat_at))
}
