//! Finding machines, people and repairs of a machine by what somebody typed.

use super::{Ctx, OpError};
use crate::domain::ids::{EquipmentId, RepairId};
use crate::domain::text::{cut, fold};
use crate::store::{self, equipment::Machine, repairs::Repair};
use crate::views::equipment::EquipmentMatch;
use crate::views::repairs::{OtherRepair, PersonMatch};

/// Most matches of a search: what one Slack select can show.
pub const MATCHES_MAX: u64 = MOST as u64;
const MOST: usize = 100;

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

/// Repairs of one machine whose texts are read at a time.
const OTHERS_AT_ONCE: usize = 500;
/// How often: whoever types waits for it, for 3 s at most (a Slack limit). Older ones are found by their number.
const OTHERS_PAGES: usize = 20;
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

/// Other repairs of the same machine for what somebody types, of its newest 10,000: the one of that number;
/// else those whose number or description begins with it, then those whose description holds it, the newest
/// first.
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
    let (wanted, number) = (fold(typed), typed.trim().trim_start_matches('#'));
    let (mut first, mut rest) = (Vec::new(), Vec::new());
    let mut before = None;
    for _ in 0..OTHERS_PAGES {
        let page = store::repairs::others_of(db, machine, repair, before, OTHERS_AT_ONCE as u64).await?;
        let is_last = page.len() < OTHERS_AT_ONCE;
        before = page.last().map(|row| row.id);
        for row in page {
            let key = fold(&row.description);
            let begins =
                key.starts_with(&wanted) || !number.is_empty() && row.id.to_string().starts_with(number);
            let matches = if begins { &mut first } else { &mut rest };
            if matches.len() < MOST && (begins || key.contains(&wanted)) {
                matches.push(other(row));
            }
        }
        if is_last || first.len() == MOST {
            break;
        }
    }
    first.extend(rest);
    first.truncate(MOST);
    Ok(first)
}

pub(super) fn other(repair: Repair) -> OtherRepair {
    OtherRepair { id: repair.id, status: repair.status, description: cut(&repair.description, HINT_MAX) }
}

/// The best of what holds `wanted`, in the order in which it came: what begins with it first.
fn best<T>(keyed: impl Iterator<Item = (String, T)>, wanted: &str) -> Vec<T> {
    let (first, others): (Vec<_>, Vec<_>) =
        keyed.filter(|(key, _)| key.contains(wanted)).partition(|(key, _)| key.starts_with(wanted));
    first.into_iter().chain(others).map(|(_, found)| found).take(MOST).collect()
}

async fn by_number(ctx: &Ctx, text: &str) -> Result<Option<EquipmentMatch>, OpError> {
    let Some(Ok(id)) = text.trim().strip_prefix('#').map(str::parse::<EquipmentId>) else { return Ok(None) };
    let machine = store::equipment::find(ctx.store.read(), id).await?;
    Ok(machine.filter(|machine| !machine.is_archived()).map(found))
}

fn found(machine: Machine) -> EquipmentMatch {
    EquipmentMatch { id: machine.id, name: machine.name, area: machine.area_name }
}
