//! Messages with a temporary password: deliveries of a separate kind, of which at most the latest is valid.
//! Operations enqueue and withdraw them; the worker ends those that were withdrawn while being sent.

use super::deliveries::{self, Attempt, Delivery, NewDelivery};
use super::entities::delivery;
use crate::domain::actor::SlackUserId;
use crate::domain::delivery::{DeliveryKind, DeliveryState};
use crate::domain::ids::{DeliveryId, UserId};
use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QuerySelect};

/// Messages to one user are sent in order.
fn lane(user: UserId) -> String {
    format!("password:{user}")
}

/// Enqueues the message with a user's password, sealed for that key.
pub async fn enqueue(
    db: &impl ConnectionTrait,
    user: UserId,
    to: &SlackUserId,
    (key, sealed): (&str, String),
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let message = NewDelivery {
        target: to.0.clone(),
        dedupe_key: key.to_owned(),
        lane: lane(user),
        event: sealed,
        kind: DeliveryKind::Password,
        live_message: None,
    };
    deliveries::enqueue(db, vec![message], now).await
}

/// Withdraws a user's pending messages: erases them, and ends those that are not being sent right now. A message
/// that is being sent keeps its lane, so that its successor arrives later, and is not retried.
///
/// The caller has locked the user's row, so that no message is enqueued at the same time.
pub async fn withdraw(db: &impl ConnectionTrait, user: UserId, now: DateTime<Utc>) -> Result<(), DbErr> {
    let lane = lane(user);
    delivery::Entity::update_many()
        .col_expr(delivery::Column::Event, Expr::value(""))
        .filter(delivery::Column::Lane.eq(lane.as_str()))
        .filter(delivery::Column::State.is_in(DeliveryState::PENDING))
        .exec(db)
        .await?;
    end_withdrawn(db, &lane, now).await
}

/// Ends withdrawn messages that are not being sent.
pub async fn end_withdrawn(db: &impl ConnectionTrait, lane: &str, now: DateTime<Utc>) -> Result<(), DbErr> {
    let withdrawn: Vec<DeliveryId> = delivery::Entity::find()
        .select_only()
        .column(delivery::Column::Id)
        .filter(delivery::Column::Lane.eq(lane))
        .filter(delivery::Column::Kind.eq(DeliveryKind::Password))
        .filter(delivery::Column::State.is_in([DeliveryState::Pending, DeliveryState::Failed]))
        .filter(delivery::Column::Event.eq(""))
        .lock_exclusive()
        .into_tuple()
        .all(db)
        .await?;
    for id in withdrawn {
        delivery::Entity::update_many()
            .col_expr(delivery::Column::State, Expr::value(DeliveryState::Delivered))
            .col_expr(delivery::Column::FinishedAt, Expr::value(now))
            .filter(delivery::Column::Id.eq(id))
            .exec(db)
            .await?;
        let attempt = Attempt { outcome: "withdrawn".into(), took: TimeDelta::zero(), at: now };
        deliveries::record_attempt(db, id, &attempt).await?;
    }
    Ok(())
}

/// The message with that key.
pub async fn find(db: &impl ConnectionTrait, key: &str) -> Result<Option<Delivery>, DbErr> {
    delivery::Entity::find().filter(delivery::Column::DedupeKey.eq(key)).one(db).await
}
