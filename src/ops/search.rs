//! Search for equipment, people and repairs of a machine by a typed text.

mod equipment;

use super::{Ctx, OpError};
use crate::domain::ids::RepairId;
use crate::domain::search::{Fit, SearchKey, SearchQuery, rank};
use crate::domain::text::cut;
use crate::store::{self, repairs::Repair};
use crate::views::repairs::{OtherRepair, PersonMatch};

pub(super) use equipment::{EquipmentNames, search_beyond_database, search_equipment_list};
pub use equipment::{exact_equipment, find_equipment, search_board, search_equipment};

/// Most matches of a search: the limit of a Slack select.
pub const MATCHES_MAX: u64 = MOST as u64;
const MOST: usize = 100;

pub async fn any_equipment(ctx: &Ctx) -> Result<bool, OpError> {
    Ok(store::equipment::any_live(ctx.store.read()).await?)
}

/// Repairs of one machine whose texts are read at a time.
const OTHERS_AT_ONCE: usize = 500;
/// Most pages to read: Slack waits 3 s for the options. Older repairs are found by their number.
const OTHERS_PAGES: usize = 20;
/// Most characters of another repair's description.
const HINT_MAX: usize = 100;

/// Active people who match a typed text, best first; without a match, the nearest names.
pub async fn search_people(ctx: &Ctx, typed: &str) -> Result<Vec<PersonMatch>, OpError> {
    let people = store::users::names(ctx.store.read()).await?;
    let keys: Vec<SearchKey> = people.iter().map(|(_, name, _)| SearchKey::new(name)).collect();
    let people = people.into_iter().map(|(id, name, role)| PersonMatch { id, name, role });
    Ok(rank(&SearchQuery::new(typed), people.zip(keys.iter().map(|key| [key])), MOST).into_items())
}

/// Other repairs of the same machine that match a typed text, of its newest 10,000: the one with that number;
/// else those whose number begins with it, then those whose description matches, best first, then newest.
///
/// # Errors
/// `NotFound` when there is no such repair.
pub async fn search_others(ctx: &Ctx, repair: RepairId, typed: &str) -> Result<Vec<OtherRepair>, OpError> {
    let db = ctx.store.read();
    let equipment = store::repairs::find(db, repair).await?.ok_or(OpError::NotFound)?.equipment_id;
    let query = SearchQuery::new(typed);
    if let Some(number) = query.number() {
        let named = store::repairs::find(db, RepairId(number)).await?;
        let named = named.filter(|other| other.equipment_id == equipment && other.id != repair);
        if let Some(named) = named {
            return Ok(vec![other(named)]);
        }
    }
    let mut found: Vec<(Fit, OtherRepair)> = Vec::new();
    let mut before = None;
    for _ in 0..OTHERS_PAGES {
        let page = store::repairs::others_of(db, equipment, repair, before, OTHERS_AT_ONCE as u64).await?;
        let is_last = page.len() < OTHERS_AT_ONCE;
        before = page.last().map(|row| row.id);
        let fitting = page.into_iter().filter_map(|row| Some((other_fit(&query, &row)?, other(row))));
        found.extend(fitting);
        found.sort_by_key(|(fit, _)| *fit);
        found.truncate(MOST);
        // All further repairs are older and match no better.
        let is_full = found.len() == MOST && found.iter().all(|(fit, _)| *fit <= Fit::Beginning);
        if is_last || is_full {
            break;
        }
    }
    Ok(found.into_iter().map(|(_, other)| other).collect())
}

fn other_fit(query: &SearchQuery, row: &Repair) -> Option<Fit> {
    if query.begins_number(row.id.0) {
        Some(Fit::Name)
    } else {
        query.fit(&[&SearchKey::new(&row.description)])
    }
}

pub(super) fn other(repair: Repair) -> OtherRepair {
    OtherRepair { id: repair.id, status: repair.status, description: cut(&repair.description, HINT_MAX) }
}
