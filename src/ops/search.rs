//! Finding machines by what somebody typed.

use super::{Ctx, OpError};
use crate::domain::ids::EquipmentId;
use crate::store::{self, equipment::Machine};
use crate::views::equipment::EquipmentMatch;

/// Most matches of a search: what one Slack select can show.
pub const MATCHES_MAX: u64 = 100;

/// Live machines for what somebody types, best first: names that begin with it, then names that hold
/// it, case and accents ignored; `#id` finds just that machine.
///
/// # Errors
/// The database's.
pub async fn search_equipment(ctx: &Ctx, typed: &str) -> Result<Vec<EquipmentMatch>, OpError> {
    if let Some(machine) = by_number(ctx, typed).await? {
        return Ok(vec![machine]);
    }
    let machines = store::equipment::search(ctx.store.read(), typed, MATCHES_MAX).await?;
    Ok(machines.into_iter().map(found).collect())
}

/// The machine that a text names for certain: `#id`, or the name of exactly one machine.
///
/// # Errors
/// The database's.
pub async fn exact_equipment(ctx: &Ctx, text: &str) -> Result<Option<EquipmentMatch>, OpError> {
    if let Some(machine) = by_number(ctx, text).await? {
        return Ok(Some(machine));
    }
    let mut machines = store::equipment::named(ctx.store.read(), text, 2).await?;
    Ok(if machines.len() == 1 { machines.pop().map(found) } else { None })
}

/// True when at least one machine is registered.
///
/// # Errors
/// The database's.
pub async fn any_equipment(ctx: &Ctx) -> Result<bool, OpError> {
    Ok(store::equipment::any_live(ctx.store.read()).await?)
}

async fn by_number(ctx: &Ctx, text: &str) -> Result<Option<EquipmentMatch>, OpError> {
    let Some(Ok(id)) = text.trim().strip_prefix('#').map(str::parse::<EquipmentId>) else { return Ok(None) };
    let machine = store::equipment::find(ctx.store.read(), id).await?;
    Ok(machine.filter(|machine| !machine.is_archived()).map(found))
}

fn found(machine: Machine) -> EquipmentMatch {
    EquipmentMatch { id: machine.id, name: machine.name, area: machine.area_name }
}
