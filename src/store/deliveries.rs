//! Deliveries: enqueued in the transaction of the change; attempts and counts. `delivery_queue` leases and settles.

use super::entities::delivery::{self, LiveMessage};
use super::entities::delivery_attempt;
use super::time::AT_ONCE;
use crate::domain::announce::Announcement;
use crate::domain::delivery::{DeliveryKind, DeliveryState};
use crate::domain::ids::{CardId, DeliveryId};
use crate::domain::text::cut;
use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, FromQueryResult, PaginatorTrait,
    QueryFilter, QueryOrder, QuerySelect, Set,
};

pub use super::entities::delivery::Model as Delivery;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDelivery {
    /// Channel as configured, or Slack's id of a person.
    pub target: String,
    /// Unique: the same message is enqueued once.
    pub dedupe_key: String,
    /// Deliveries of one lane are sent in order.
    pub lane: String,
    /// The event as JSON; empty if the message shows a current state instead; sealed for a password.
    pub event: String,
    pub kind: DeliveryKind,
    /// The live message that it belongs to.
    pub live_message: Option<LiveMessage>,
}

impl NewDelivery {
    /// A message about an event: on its own, as a card, or in a card's thread.
    ///
    /// # Errors
    /// The event cannot be written as JSON.
    pub fn message(announcement: &Announcement, card: Option<CardId>) -> Result<Self, DbErr> {
        Ok(Self {
            target: announcement.target.to_string(),
            dedupe_key: announcement.dedupe_key.clone(),
            lane: announcement.lane.clone(),
            event: serde_json::to_string(&announcement.event).map_err(|e| DbErr::Json(e.to_string()))?,
            kind: DeliveryKind::Message,
            live_message: card.map(LiveMessage::Card),
        })
    }
}

/// Inserts deliveries that are due immediately, regardless of this host's clock. An existing `dedupe_key` is a
/// unique violation.
pub async fn enqueue(
    db: &impl ConnectionTrait,
    pending: Vec<NewDelivery>,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    if pending.is_empty() {
        return Ok(());
    }
    let row = |new: NewDelivery| {
        let (card_id, job_id) = LiveMessage::columns(new.live_message);
        delivery::ActiveModel {
            target: Set(new.target),
            dedupe_key: Set(new.dedupe_key),
            lane: Set(new.lane),
            event: Set(new.event),
            state: Set(DeliveryState::Pending),
            failures: Set(0),
            rejections: Set(0),
            due_at: Set(AT_ONCE),
            created_at: Set(now),
            kind: Set(new.kind),
            card_id: Set(card_id),
            job_id: Set(job_id),
            ..Default::default()
        }
    };
    delivery::Entity::insert_many(pending.into_iter().map(row)).exec_without_returning(db).await?;
    Ok(())
}

/// Slack's id of a channel as configured, if a message has arrived there.
pub async fn channel_id(db: &impl ConnectionTrait, target: &str) -> Result<Option<String>, DbErr> {
    let latest: Option<Option<String>> = delivery::Entity::find()
        .select_only()
        .column(delivery::Column::PostedChannel)
        .filter(delivery::Column::Target.eq(target))
        .filter(delivery::Column::PostedChannel.is_not_null())
        .order_by_desc(delivery::Column::Id)
        .into_tuple()
        .one(db)
        .await?;
    Ok(latest.flatten())
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// `delivered`, or why not.
    pub outcome: String,
    pub took: TimeDelta,
    pub at: DateTime<Utc>,
}

pub async fn record_attempt(
    db: &impl ConnectionTrait,
    id: DeliveryId,
    attempt: &Attempt,
) -> Result<(), DbErr> {
    let row = delivery_attempt::ActiveModel {
        delivery_id: Set(id),
        outcome: Set(cut(&attempt.outcome, 80)),
        duration_ms: Set(attempt.took.num_milliseconds()),
        created_at: Set(attempt.at),
        ..Default::default()
    };
    row.insert(db).await?;
    Ok(())
}

#[derive(Debug, Clone, PartialEq, Eq, FromQueryResult)]
pub struct PendingCount {
    /// Deliveries pending, sending or failed.
    pub count: i64,
    /// Creation time of the oldest of them.
    pub oldest: Option<DateTime<Utc>>,
}

pub async fn count(db: &impl ConnectionTrait, state: DeliveryState) -> Result<u64, DbErr> {
    delivery::Entity::find().filter(delivery::Column::State.eq(state)).count(db).await
}

/// Counts pending deliveries; dead ones are not included.
pub async fn pending(db: &impl ConnectionTrait) -> Result<PendingCount, DbErr> {
    let pending = delivery::Entity::find()
        .select_only()
        .column_as(delivery::Column::Id.count(), "count")
        .column_as(delivery::Column::CreatedAt.min(), "oldest")
        .filter(delivery::Column::State.is_in(DeliveryState::PENDING))
        .into_model()
        .one(db)
        .await?;
    Ok(pending.unwrap_or(PendingCount { count: 0, oldest: None }))
}
