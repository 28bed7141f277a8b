//! Table `deliveries`: messages pending, and those sent.

use sea_orm::entity::prelude::*;

use crate::domain::delivery::{Cause, DeliveryKind, DeliveryState};
use crate::domain::ids::{CardId, DeliveryId, JobId};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "deliveries")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: DeliveryId,
    /// Channel; for a job's message and a password, Slack's id of the person.
    pub target: String,
    /// Unique: the same event for the same target is enqueued once.
    pub dedupe_key: String,
    /// Deliveries of one lane are sent in order.
    pub lane: String,
    /// `domain::announce::Event` as JSON; empty if the message shows a current state instead. A password is sealed,
    /// and erased once it is delivered, given up or withdrawn.
    #[sea_orm(column_type = "Text")]
    pub event: String,
    pub state: DeliveryState,
    /// Failures of any kind.
    pub failures: i32,
    /// Failures that were rejections of the message.
    pub rejections: i32,
    /// The shared cause that it waits for.
    pub cause: Option<Cause>,
    /// Earliest time of the next attempt.
    pub due_at: DateTimeUtc,
    pub lease: Option<String>,
    /// End of the lease.
    pub leased_until: Option<DateTimeUtc>,
    pub created_at: DateTimeUtc,
    pub finished_at: Option<DateTimeUtc>,
    /// Slack's id of the channel.
    pub posted_channel: Option<String>,
    /// Slack's timestamp of the message.
    pub posted_ts: Option<String>,
    pub kind: DeliveryKind,
    /// The card that it edits, becomes, or replies to; `None` for a separate message.
    pub card_id: Option<CardId>,
    /// The job whose message it begins or edits.
    pub job_id: Option<JobId>,
    /// Since when an earlier attempt may have posted it: the worker searches for it before a retry.
    pub in_doubt_since: Option<DateTimeUtc>,
}

impl ActiveModelBehavior for ActiveModel {}

/// The live message that a delivery belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LiveMessage {
    /// The card of a repair in a channel.
    Card(CardId),
    /// The private message of a job.
    Job(JobId),
}

impl LiveMessage {
    /// The live message that a delivery begins, edits or replies to; none for a separate message.
    pub fn of(delivery: &Model) -> Option<Self> {
        Self::from_columns((delivery.card_id, delivery.job_id))
    }

    /// The columns `card_id` and `job_id`.
    pub(in crate::store) const fn columns(live_message: Option<Self>) -> (Option<CardId>, Option<JobId>) {
        match live_message {
            None => (None, None),
            Some(Self::Card(id)) => (Some(id), None),
            Some(Self::Job(id)) => (None, Some(id)),
        }
    }

    /// The inverse of [`Self::columns`].
    pub(in crate::store) fn from_columns((card, job): (Option<CardId>, Option<JobId>)) -> Option<Self> {
        card.map(Self::Card).or(job.map(Self::Job))
    }
}
