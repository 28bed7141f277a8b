//! Finding machines, people and repairs of a machine by what somebody typed.

use super::{Ctx, OpError};
use crate::domain::ids::{EquipmentId, RepairId};
use crate::domain::text::{cut, fold};
use crate::store::{self, equipment::Machine, repairs::Repair};
use crate::views::equipment::EquipmentMatch;
use crate::views::repairs::{OtherRepair, PersonMatch};

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

/// Repairs of one machine that a search looks at, the newest of more: their texts are read.
const OTHERS_MAX: u64 = 500;
/// Most characters of another repair's description.
const HINT_MAX: usize = 100;

/// Active people for what somebody types: names that begin with it, then names that hold it.
///
/// # Errors
/// The database's.
pub async fn search_people(ctx: &Ctx, typed: &str) -> Result<Vec<PersonMatch>, OpError> {
    let people = store::users::names(ctx.store.read()).await?;
    let people = people.into_iter().map(|(id, name, role)| (fold(&name), PersonMatch { id, name, role }));
    Ok(best(people, &fold(typed)))
}

/// Other repairs of the same machine for what somebody types: a number, or a part of a description; the
/// newest first.
///
/// # Errors
/// `NotFound` when there is no such repair; the database's.
pub async fn search_others(ctx: &Ctx, repair: RepairId, typed: &str) -> Result<Vec<OtherRepair>, OpError> {
    let db = ctx.store.read();
    let machine = store::repairs::find(db, repair).await?.ok_or(OpError::NotFound)?.equipment_id;
    if let Ok(id) = typed.trim().trim_start_matches('#').parse::<RepairId>() {
        let named = store::repairs::find(db, id).await?;
        let named = named.filter(|other| other.equipment_id == machine && other.id != repair);
        if let Some(named) = named {
            return Ok(vec![other(named)]);
        }
    }
    let others = store::repairs::others_of(db, machine, repair, OTHERS_MAX).await?;
    Ok(best(others.into_iter().map(|row| (fold(&row.description), other(row))), &fold(typed)))
}

pub(super) fn other(repair: Repair) -> OtherRepair {
    OtherRepair { id: repair.id, status: repair.status, description: cut(&repair.description, HINT_MAX) }
}

/// The best of what holds `wanted`, in the order in which it came: what begins with it first.
fn best<T>(keyed: impl Iterator<Item = (String, T)>, wanted: &str) -> Vec<T> {
    let (first, others): (Vec<_>, Vec<_>) =
        keyed.filter(|(key, _)| key.contains(wanted)).partition(|(key, _)| key.starts_with(wanted));
    let most = usize::try_from(MATCHES_MAX).unwrap_or(usize::MAX);
    first.into_iter().chain(others).map(|(_, found)| found).take(most).collect()
}

async fn by_number(ctx: &Ctx, text: &str) -> Result<Option<EquipmentMatch>, OpError> {
    let Some(Ok(id)) = text.trim().strip_prefix('#').map(str::parse::<EquipmentId>) else { return Ok(None) };
    let machine = store::equipment::find(ctx.store.read(), id).await?;
    Ok(machine.filter(|machine| !machine.is_archived()).map(found))
}

fn found(machine: Machine) -> EquipmentMatch {
    EquipmentMatch { id: machine.id, name: machine.name, area: machine.area_name }
}
