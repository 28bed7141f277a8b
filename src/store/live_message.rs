//! Live messages: Slack messages that are edited when their content changes, i.e. a repair's card and a job's private
//! message. Owns what both share: pending edits, desired and rendered version, and removal. Both a change and a
//! finished edit lock the message's row, so one of the two sees the other and no message stays out of date. `cards`
//! and `job_messages` name the rows.

use super::deliveries::{self, NewDelivery};
use super::entities::{card, delivery, job};
use super::time::AT_ONCE;
use crate::domain::delivery::{DeliveryKind, DeliveryState};
use crate::domain::ids::{CardId, JobId};
use chrono::{DateTime, Utc};
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QuerySelect};
use std::collections::HashSet;

pub use super::entities::delivery::LiveMessage;

/// The first desired version.
pub(super) const FIRST: i64 = 1;

/// The state of a live message in Slack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RenderedMessage {
    /// Slack's id of the channel.
    pub channel: String,
    /// Slack's timestamp of the message.
    pub ts: String,
    /// The desired version that was read before the rendered content.
    pub desired_version: i64,
}

/// A table whose rows have a live message each.
pub(super) trait LiveMessageTable: EntityTrait {
    const ID: Self::Column;
    /// Slack's id of the channel; NULL while the message is not posted.
    const CHANNEL: Self::Column;
    /// Slack's timestamp of the message; NULL while it is not posted.
    const TS: Self::Column;
    /// The version that the message shows.
    const RENDERED_VERSION: Self::Column;
    /// The version that the message should show.
    const DESIRED_VERSION: Self::Column;

    fn desired_version(row: &Self::Model) -> i64;

    /// The edit that updates a posted message.
    fn edit(row: &Self::Model) -> Option<NewDelivery>;
}

/// What happens to a failed edit that waits for its retry when there is a new change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FailedEdits {
    /// It is retried immediately: its cause may have ended, and a person expects to see the change.
    RetryNow,
    /// It waits: changes by programs may be frequent and would use up its attempts.
    KeepSchedule,
}

/// Enqueues these edits, unless one of the same message is pending. True when an edit is pending now.
pub(super) async fn enqueue_edits(
    db: &impl ConnectionTrait,
    mut edits: Vec<NewDelivery>,
    failed: FailedEdits,
    now: DateTime<Utc>,
) -> Result<bool, DbErr> {
    if edits.is_empty() {
        return Ok(false);
    }
    let ids = edits.iter().map(|edit| LiveMessage::columns(edit.live_message));
    let (cards, jobs): (Vec<_>, Vec<_>) = ids.unzip();
    let (cards, jobs): (Vec<_>, Vec<_>) =
        (cards.into_iter().flatten().collect(), jobs.into_iter().flatten().collect());
    // Omitted without ids: otherwise no database would use the index.
    let mut of_these = Condition::any();
    if !cards.is_empty() {
        of_these = of_these.add(delivery::Column::CardId.is_in(cards));
    }
    if !jobs.is_empty() {
        of_these = of_these.add(delivery::Column::JobId.is_in(jobs));
    }
    let of_these = Condition::all().add(of_these).add(delivery::Column::Kind.eq(DeliveryKind::Edit));
    let pending: Vec<(Option<CardId>, Option<JobId>, DeliveryState)> = delivery::Entity::find()
        .select_only()
        .columns([delivery::Column::CardId, delivery::Column::JobId, delivery::Column::State])
        .filter(of_these.clone())
        .filter(delivery::Column::State.is_in(DeliveryState::PENDING))
        .into_tuple()
        .all(db)
        .await?;
    if failed == FailedEdits::RetryNow && pending.iter().any(|(.., state)| *state == DeliveryState::Failed) {
        delivery::Entity::update_many()
            .col_expr(delivery::Column::DueAt, Expr::value(AT_ONCE))
            .filter(of_these)
            .filter(delivery::Column::State.eq(DeliveryState::Failed))
            .exec(db)
            .await?;
    }
    let pending = pending.into_iter().filter_map(|(card, job, _)| LiveMessage::from_columns((card, job)));
    let pending: HashSet<LiveMessage> = pending.collect();
    edits.retain(|edit| edit.live_message.is_some_and(|live_message| !pending.contains(&live_message)));
    deliveries::enqueue(db, edits, now).await?;
    Ok(true)
}

/// Records what a message shows, and enqueues an edit if that is out of date. An edit that finishes must be settled
/// earlier in the same transaction.
pub async fn record_rendered(
    db: &impl ConnectionTrait,
    live_message: LiveMessage,
    shown: &RenderedMessage,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let behind = match live_message {
        LiveMessage::Card(CardId(id)) => note::<card::Entity>(db, id, shown).await?,
        LiveMessage::Job(JobId(id)) => note::<job::Entity>(db, id, shown).await?,
    };
    enqueue_edits(db, behind.into_iter().collect(), FailedEdits::KeepSchedule, now).await?;
    Ok(())
}

/// Most cards of one target to update at once.
const STALE_MAX: u64 = 500;

/// Enqueues edits of the cards of a target that are out of date and have no pending edit: their edits were given up
/// while the channel was blocked.
pub async fn enqueue_stale_edits(
    db: &impl ConnectionTrait,
    target: &str,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let stale: Vec<CardId> = card::Entity::find()
        .select_only()
        .column(card::Column::Id)
        .filter(card::Column::Target.eq(target))
        .filter(card::Column::Ts.is_not_null())
        .filter(Expr::col(card::Column::RenderedVersion).lt(Expr::col(card::Column::DesiredVersion)))
        .limit(STALE_MAX)
        .into_tuple()
        .all(db)
        .await?;
    if stale.is_empty() {
        return Ok(());
    }
    // Counts as a change, since the edit of the latest one was enqueued before.
    card::Entity::update_many()
        .col_expr(card::Column::DesiredVersion, Expr::col(card::Column::DesiredVersion).add(1))
        .filter(card::Column::Id.is_in(stale.iter().copied()))
        .exec(db)
        .await?;
    let cards = card::Entity::find().filter(card::Column::Id.is_in(stale)).all(db).await?;
    enqueue_edits(db, cards.iter().filter_map(card::Entity::edit).collect(), FailedEdits::KeepSchedule, now)
        .await?;
    Ok(())
}

async fn note<L: LiveMessageTable>(
    db: &impl ConnectionTrait,
    id: i64,
    shown: &RenderedMessage,
) -> Result<Option<NewDelivery>, DbErr> {
    L::update_many()
        .col_expr(L::CHANNEL, Expr::value(shown.channel.as_str()))
        .col_expr(L::TS, Expr::value(shown.ts.as_str()))
        .col_expr(L::RENDERED_VERSION, Expr::value(shown.desired_version))
        .filter(L::ID.eq(id))
        .exec(db)
        .await?;
    if shown.desired_version == 0 {
        // A message that was found again may show anything. Counts as a change, since the edit of the latest one
        // may have been enqueued before.
        let more = Expr::col(L::DESIRED_VERSION).add(1);
        L::update_many().col_expr(L::DESIRED_VERSION, more).filter(L::ID.eq(id)).exec(db).await?;
    }
    let row = L::find().filter(L::ID.eq(id)).one(db).await?;
    Ok(row.filter(|row| L::desired_version(row) > shown.desired_version).and_then(|row| L::edit(&row)))
}

/// Clears the posted message, if it is still this one, so that it is no longer edited. The next message of the
/// repair in that channel becomes its card.
pub async fn forget(
    db: &impl ConnectionTrait,
    live_message: LiveMessage,
    ts: Option<&str>,
) -> Result<(), DbErr> {
    match live_message {
        LiveMessage::Card(CardId(id)) => leave::<card::Entity>(db, id, ts).await,
        LiveMessage::Job(JobId(id)) => leave::<job::Entity>(db, id, ts).await,
    }
}

async fn leave<L: LiveMessageTable>(
    db: &impl ConnectionTrait,
    id: i64,
    ts: Option<&str>,
) -> Result<(), DbErr> {
    let there = ts.map_or(Condition::all(), |ts| Condition::all().add(L::TS.eq(ts)));
    L::update_many()
        .col_expr(L::CHANNEL, Expr::value(None::<String>))
        .col_expr(L::TS, Expr::value(None::<String>))
        .filter(L::ID.eq(id))
        .filter(there)
        .exec(db)
        .await?;
    Ok(())
}
