//! The content of a repair's card: the worker reads it before each send. Also finds the repair of a card: the Slack
//! edge looks it up when a person replies or reacts to a message.

use crate::domain::change::RepairSnapshot;
use crate::domain::field::RepairFields;
use crate::domain::ids::{CardId, RepairId};
use crate::domain::setting::REACTIONS;
use crate::domain::timeline::TimelineKind;
use crate::ops::repairs::record_change::snapshot;
use crate::ops::repairs::update_repair::still_open;
use crate::ops::{Ctx, OpError};
use crate::store;
use crate::store::cards::Card;
use crate::store::photos::Subject;
use crate::store::repairs::Repair;
use crate::views::repairs::{CardDetails, Closing};
use chrono::{DateTime, Utc};
use sea_orm::ConnectionTrait;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PresentCard {
    /// Read before the repair: a later change increments its desired version.
    pub card: Card,
    /// With current names.
    pub repair: RepairSnapshot,
    pub details: CardDetails,
}

/// Whether a message in Slack is a card.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CardLookup {
    CardOf(RepairId),
    /// No recorded card, but one is being posted and not recorded yet: it may be this message.
    Unrecorded,
    NoCard,
}

pub async fn find_card(ctx: &Ctx, channel: &str, ts: &str) -> Result<CardLookup, OpError> {
    let db = ctx.store.read();
    let recorded = || async { store::cards::at(db, channel, ts).await };
    if let Some(card) = recorded().await? {
        return Ok(CardLookup::CardOf(card.repair_id));
    }
    if store::cards::any_unrecorded(db).await? {
        return Ok(CardLookup::Unrecorded);
    }
    // It may have been recorded between the two queries.
    Ok(recorded().await?.map_or(CardLookup::NoCard, |card| CardLookup::CardOf(card.repair_id)))
}

/// A card with its repair.
///
/// # Errors
/// `NotFound`.
pub async fn present(ctx: &Ctx, id: CardId) -> Result<PresentCard, OpError> {
    let db = ctx.store.read();
    let card = store::cards::find(db, id).await?.ok_or(OpError::NotFound)?;
    let row = store::repairs::find(db, card.repair_id).await?.ok_or(OpError::NotFound)?;
    let equipment = store::equipment::find(db, row.equipment_id).await?.ok_or(OpError::NotFound)?;
    let fields = store::repairs::fields(db, &row).await?;
    let me_too = store::me_toos::counts(db, &[row.id]).await?.remove(&row.id).unwrap_or(0);
    let photos = store::photos::count(db, Subject::Repair(row.id)).await?;
    let closing = match row.closed_at {
        Some(closed_at) => Some(closing(db, &row, &fields, closed_at).await?),
        None => None,
    };
    let repair = snapshot(row.id, row.version, &equipment, &fields, &row.reporter_name);
    Ok(PresentCard { card, repair, details: CardDetails { me_too, photos, closing } })
}

/// Who closed a repair, with which note, and what is still wrong with its machine.
async fn closing(
    db: &impl ConnectionTrait,
    row: &Repair,
    fields: &RepairFields,
    closed_at: DateTime<Utc>,
) -> Result<Closing, OpError> {
    let entries = store::timeline::latest_status(db, row.id).await?;
    let (by, note) = match entries {
        Some((status, note)) => (status.actor_name, note),
        // An imported repair may have no such entry.
        None => ("Somebody".to_owned(), None),
    };
    let others = still_open(db, row.equipment_id).await?;
    let took = closed_at - row.created_at;
    Ok(Closing { by, note, took, duplicate_of: fields.duplicate_of, others })
}

/// Like [`find_card`], for a message that a person reacted to; `NoCard` if staff have turned reactions off.
pub async fn find_reacted(ctx: &Ctx, channel: &str, ts: &str) -> Result<CardLookup, OpError> {
    let found = find_card(ctx, channel, ts).await?;
    if found == CardLookup::NoCard {
        return Ok(found);
    }
    let is_off = store::settings::stored(ctx.store.read()).await?.get(REACTIONS) == Some("false");
    Ok(if is_off { CardLookup::NoCard } else { found })
}

/// True when the repair's assignee was changed after a time.
pub async fn is_assigned_since(ctx: &Ctx, repair: RepairId, since: DateTime<Utc>) -> Result<bool, OpError> {
    Ok(store::timeline::has_since(ctx.store.read(), repair, TimelineKind::Assignee, since).await?)
}
