//! What a repair's card shows at this moment: the worker asks, before each time it sends one. Which repair's
//! card a message is: the Slack edge asks where somebody replied or reacted to one.

use crate::domain::change::RepairSnapshot;
use crate::domain::ids::{CardId, RepairId};
use crate::domain::setting::REACTIONS;
use crate::domain::timeline::TimelineKind;
use crate::ops::repairs::record_change::snapshot;
use crate::ops::{Ctx, OpError};
use crate::store;
use crate::store::cards::Card;
use chrono::{DateTime, Utc};

/// A card, and the repair as it is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PresentCard {
    /// The card, read before the repair: what changed since then is counted by it.
    pub card: Card,
    /// The repair, with the names of this moment.
    pub repair: RepairSnapshot,
    /// How many people said "me too".
    pub me_too: u64,
}

/// What a message in Slack is to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CardLookup {
    CardOf(RepairId),
    /// No card so far, but one is being posted somewhere and not recorded yet: it may be this message.
    Unrecorded,
    NoCard,
}

/// Finds the repair whose card a message is.
pub async fn find_card(ctx: &Ctx, channel: &str, ts: &str) -> Result<CardLookup, OpError> {
    let db = ctx.store.read();
    let recorded = || async { store::cards::at(db, channel, ts).await };
    if let Some(card) = recorded().await? {
        return Ok(CardLookup::CardOf(card.repair_id));
    }
    if store::cards::any_unrecorded(db).await? {
        return Ok(CardLookup::Unrecorded);
    }
    // It may have been recorded between the two questions.
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
    let repair = snapshot(row.id, row.version, &equipment, &fields, &row.reporter_name);
    Ok(PresentCard { card, repair, me_too })
}

/// The same for a message that somebody reacted to; `NoCard` where staff have switched reactions off.
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
