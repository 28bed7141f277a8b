//! A person reports that they have a known problem too.

use crate::domain::actor::Actor;
use crate::domain::ids::{EquipmentId, RepairId};
use crate::ops::{Ctx, OpError, mutation_log, retry_on_deadlock};
use crate::store;
use serde_json::json;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MeToo {
    pub equipment: EquipmentId,
    /// Number of people counted so far.
    pub people: u64,
    /// False when this person was counted before.
    pub counted: bool,
}

/// Counts a person on an open repair, once per `person_key` (a Slack id, or a browser). `machine` is the machine
/// that the person means, if the edge has it.
///
/// # Errors
/// `NotFound`, also when the repair is another machine's; `Archived` when its machine is; refused when the repair
/// is closed.
pub async fn me_too(
    ctx: &Ctx,
    actor: &Actor,
    equipment: Option<EquipmentId>,
    repair: RepairId,
    person_key: &str,
) -> Result<MeToo, OpError> {
    retry_on_deadlock(|| count_once(ctx, actor, equipment, repair, person_key)).await
}

async fn count_once(
    ctx: &Ctx,
    actor: &Actor,
    equipment: Option<EquipmentId>,
    repair: RepairId,
    person_key: &str,
) -> Result<MeToo, OpError> {
    let now = ctx.clock.now();
    let tx = ctx.store.begin().await?;
    let known = store::repairs::find(&tx, repair).await?.ok_or(OpError::NotFound)?;
    if equipment.is_some_and(|equipment| equipment != known.equipment_id) {
        return Err(OpError::NotFound);
    }
    let equipment = store::equipment::find(&tx, known.equipment_id).await?.ok_or(OpError::NotFound)?;
    if equipment.is_archived() {
        return Err(OpError::Archived);
    }
    if !known.open {
        let message = "This repair is closed now. If the problem returns, please report it again.";
        return Err(OpError::refused("me_too", message));
    }
    let counted = store::me_toos::add(&tx, repair, person_key, now).await?;
    let people = store::me_toos::counts(&tx, &[repair]).await?.remove(&repair).unwrap_or(0);
    if counted {
        let has_edits = store::cards::changed(&tx, repair, now).await?;
        ctx.commit_visible(tx).await?;
        if has_edits {
            ctx.wake.notify_one();
        }
        mutation_log::write("repair.me_too", &actor.name, &json!({ "id": repair, "people": people }), now);
    }
    Ok(MeToo { equipment: known.equipment_id, people, counted })
}
