//! Reads: all open repairs, worst first, kept per revision, and the search over them. A search reads nothing
//! but what is kept: it is asked for with every letter that somebody types.

use super::revision;
use crate::domain::ids::RepairId;
use crate::domain::text::{cut, fold};
use crate::ops::search::MATCHES_MAX;
use crate::ops::{Ctx, OpError};
use crate::store;
use crate::store::board::OpenPlace;
use crate::views::repairs::OpenRepairLine;
use std::sync::Arc;

/// Most characters of what is wrong.
const ISSUE_MAX: usize = 200;

/// What is kept of the open repairs.
#[derive(Debug)]
pub(super) struct Searchable {
    lines: Arc<Vec<OpenRepairLine>>,
    /// Machine, area and assignee of each, as they are compared.
    keys: Vec<[String; 3]>,
}

/// All open repairs, those of archived machines too: worst severity first, then oldest.
///
/// # Errors
/// The database's.
pub async fn open_repairs(ctx: &Ctx) -> Result<Arc<Vec<OpenRepairLine>>, OpError> {
    Ok(Arc::clone(&kept(ctx).await?.lines))
}

/// Open repairs for what somebody types: a part of the number, the machine, the area or the assignee, case
/// and accents ignored. That very number comes first, then what begins with it, then what holds it; within
/// each the worst, then the oldest. The best [`MATCHES_MAX`] of more.
///
/// # Errors
/// The database's.
pub async fn search_open_repairs(ctx: &Ctx, typed: &str) -> Result<Vec<OpenRepairLine>, OpError> {
    let kept = kept(ctx).await?;
    let most = usize::try_from(MATCHES_MAX).unwrap_or(usize::MAX);
    let wanted = fold(typed);
    let mut found: Vec<(u8, &OpenRepairLine)> = kept
        .lines
        .iter()
        .zip(&kept.keys)
        .filter_map(|(line, keys)| Some((fit(&wanted, line.id, keys)?, line)))
        .collect();
    found.sort_by_key(|(fit, _)| *fit);
    Ok(found.into_iter().take(most).map(|(_, line)| line.clone()).collect())
}

async fn kept(ctx: &Ctx) -> Result<Arc<Searchable>, OpError> {
    let revision = revision(ctx).await?;
    ctx.board.open.get(&revision, read(ctx)).await
}

async fn read(ctx: &Ctx) -> Result<Arc<Searchable>, OpError> {
    let (mut lines, mut keys) = (Vec::new(), Vec::new());
    store::board::for_each_open_place(ctx.store.read(), |place| {
        let assignee = place.assignee.as_deref().unwrap_or_default();
        keys.push([fold(&place.equipment), fold(&place.area), fold(assignee)]);
        lines.push(line(place));
    })
    .await?;
    Ok(Arc::new(Searchable { lines: Arc::new(lines), keys }))
}

fn line(place: OpenPlace) -> OpenRepairLine {
    OpenRepairLine {
        id: place.id,
        equipment_id: place.equipment_id,
        equipment: place.equipment,
        area_id: place.area_id,
        area: place.area,
        issue: cut(&place.description, ISSUE_MAX),
        severity: place.severity,
        status: place.status,
        assignee: place.assignee,
        eta: place.eta,
    }
}

/// How well a repair fits, 0 being best; `None` when it does not.
fn fit(wanted: &str, id: RepairId, keys: &[String; 3]) -> Option<u8> {
    let (id, number) = (id.to_string(), wanted.trim_start_matches('#'));
    if !number.is_empty() && id == number {
        return Some(0);
    }
    if id.starts_with(number) || keys.iter().any(|key| key.starts_with(wanted)) {
        return Some(1);
    }
    keys.iter().any(|key| key.contains(wanted)).then_some(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_very_number_fits_best_then_what_begins_with_it() {
        let keys = ["saw 42".to_owned(), "wood shop".to_owned(), "sam".to_owned()];
        for (typed, expected) in [
            ("", Some(1)),
            ("7", Some(0)),
            ("#7", Some(0)),
            ("saw", Some(1)),
            ("wood", Some(1)),
            ("sam", Some(1)),
            ("42", Some(2)),
            ("shop", Some(2)),
            ("drill", None),
            ("#8", None),
            ("71", None),
        ] {
            assert_eq!(fit(typed, RepairId(7), &keys), expected, "{typed}");
        }
        assert_eq!(fit("4", RepairId(42), &keys), Some(1), "a part of the number");
    }
}
