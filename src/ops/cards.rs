//! What a repair's card shows at this moment: the worker asks, before each time it sends one. Which repair's
//! card somebody reacted to.

use super::recording::snapshot;
use super::{Ctx, OpError};
use crate::domain::change::RepairSnapshot;
use crate::domain::ids::{CardId, RepairId};
use crate::domain::setting::REACTIONS;
use crate::store;
use crate::store::cards::Card;

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

/// A card with its repair.
///
/// # Errors
/// `NotFound`; the database's.
pub async fn present(ctx: &Ctx, id: CardId) -> Result<PresentCard, OpError> {
    let db = ctx.store.read();
    let card = store::cards::find(db, id).await?.ok_or(OpError::NotFound)?;
    let row = store::repairs::find(db, card.repair_id).await?.ok_or(OpError::NotFound)?;
    let machine = store::equipment::find(db, row.equipment_id).await?.ok_or(OpError::NotFound)?;
    let fields = store::repairs::fields(db, &row).await?;
    let me_too = store::me_toos::counts(db, &[row.id]).await?.remove(&row.id).unwrap_or(0);
    let repair = snapshot(row.id, row.version, &machine, &fields, &row.reporter_name);
    Ok(PresentCard { card, repair, me_too })
}

/// The repair whose card is this message, unless staff have switched reactions off.
///
/// # Errors
/// The database's.
pub async fn reacted(ctx: &Ctx, channel: &str, ts: &str) -> Result<Option<RepairId>, OpError> {
    let db = ctx.store.read();
    let Some(card) = store::cards::at(db, channel, ts).await? else { return Ok(None) };
    let is_off = store::settings::stored(db).await?.get(REACTIONS) == Some("false");
    Ok((!is_off).then_some(card.repair_id))
}
