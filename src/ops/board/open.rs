//! Reads: all open repairs, worst first, cached per revision, and the search over them. A search reads only the
//! cache, since it runs with every letter that a person types.

use super::revision;
use crate::domain::ids::RepairId;
use crate::domain::search::{Fit, SearchKey, SearchQuery, rank};
use crate::domain::text::cut;
use crate::ops::search::MATCHES_MAX;
use crate::ops::{Ctx, OpError};
use crate::store;
use crate::store::board::OpenPlace;
use crate::views::repairs::OpenRepairLine;
use std::collections::HashMap;
use std::sync::Arc;

/// Most characters of the description.
const ISSUE_MAX: usize = 200;

/// The cached open repairs.
#[derive(Debug)]
pub(super) struct Searchable {
    lines: Arc<Vec<OpenRepairLine>>,
    /// The search keys of each repair.
    keys: Vec<Keys>,
}

/// What a repair is found by, besides its number: its equipment, area and assignee.
type Keys = [Arc<SearchKey>; 3];

/// The keys of all names. Repairs share them: there are fewer machines than repairs.
#[derive(Default)]
struct Names(HashMap<String, Arc<SearchKey>>);

/// How well a repair matches, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum RepairFit {
    Number,
    Names(Fit),
}

/// All open repairs, those of archived machines too: worst severity first, then oldest.
pub async fn open_repairs(ctx: &Ctx) -> Result<Arc<Vec<OpenRepairLine>>, OpError> {
    Ok(Arc::clone(&kept(ctx).await?.lines))
}

/// Open repairs that match a typed text: a part of the number, or words of the machine, the area and the assignee.
/// An exact number comes first, then the best matches; within each the worst, then the oldest. At most
/// [`MATCHES_MAX`]; without a match, those of the nearest names.
pub async fn search_open_repairs(ctx: &Ctx, typed: &str) -> Result<Vec<OpenRepairLine>, OpError> {
    let kept = kept(ctx).await?;
    let most = usize::try_from(MATCHES_MAX).unwrap_or(usize::MAX);
    Ok(search(&kept.lines, &kept.keys, typed, most).into_iter().cloned().collect())
}

fn search<'a>(
    lines: &'a [OpenRepairLine],
    keys: &[Keys],
    typed: &str,
    most: usize,
) -> Vec<&'a OpenRepairLine> {
    let query = SearchQuery::new(typed);
    let fitting = lines.iter().zip(keys).filter_map(|(line, keys)| Some((fit(&query, line.id, keys)?, line)));
    let mut found: Vec<(RepairFit, &OpenRepairLine)> = fitting.collect();
    if found.is_empty() {
        return rank(&query, lines.iter().zip(keys.iter().map(borrowed)), most).into_items();
    }
    found.sort_by_key(|(fit, _)| *fit);
    found.into_iter().take(most).map(|(_, line)| line).collect()
}

async fn kept(ctx: &Ctx) -> Result<Arc<Searchable>, OpError> {
    let revision = revision(ctx).await?;
    ctx.board.open.get(&revision, read(ctx)).await
}

async fn read(ctx: &Ctx) -> Result<Arc<Searchable>, OpError> {
    let (mut lines, mut names) = (Vec::new(), Names::default());
    let mut keys = Vec::new();
    store::board::for_each_open_place(ctx.store.read(), |place| {
        let line = line(place);
        keys.push(names.keys(&line));
        lines.push(line);
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

impl Names {
    fn keys(&mut self, line: &OpenRepairLine) -> Keys {
        let assignee = line.assignee.as_deref().unwrap_or_default();
        [&line.equipment, &line.area, assignee].map(|name| self.key(name))
    }

    fn key(&mut self, name: &str) -> Arc<SearchKey> {
        if let Some(key) = self.0.get(name) {
            return Arc::clone(key);
        }
        let key = Arc::new(SearchKey::new(name));
        self.0.insert(name.to_owned(), Arc::clone(&key));
        key
    }
}

fn borrowed(keys: &Keys) -> [&SearchKey; 3] {
    keys.each_ref().map(|key| &**key)
}

fn fit(query: &SearchQuery, id: RepairId, keys: &Keys) -> Option<RepairFit> {
    if query.number() == Some(id.0) {
        return Some(RepairFit::Number);
    }
    let fit = query.begins_number(id.0).then_some(Fit::Beginning);
    fit.or_else(|| query.fit(&borrowed(keys))).map(RepairFit::Names)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::{AreaId, EquipmentId};
    use crate::domain::repair::RepairStatus;

    fn line(id: i64, equipment: &str, assignee: Option<&str>, issue: &str) -> OpenRepairLine {
        OpenRepairLine {
            id: RepairId(id),
            equipment_id: EquipmentId(1),
            equipment: equipment.to_owned(),
            area_id: AreaId(1),
            area: "Wood shop".to_owned(),
            issue: issue.to_owned(),
            severity: None,
            status: RepairStatus::New,
            assignee: assignee.map(str::to_owned),
            eta: None,
        }
    }

    #[test]
    fn number_comes_first_then_names() {
        let lines = [
            line(70, "Jigsaw", None, "Hums"),
            line(7, "Band saw", Some("Sam"), "Blade wanders"),
            line(8, "Saw 7", None, "Will not start"),
            line(9, "Lathe", None, "Saw dust everywhere"),
        ];
        let mut names = Names::default();
        let keys: Vec<Keys> = lines.iter().map(|line| names.keys(line)).collect();
        for (typed, expected) in [
            ("", &[70, 7, 8, 9][..]),
            ("7", &[7, 70, 8]),
            ("#7", &[7, 70, 8]),
            ("#9", &[9]),
            ("saw", &[8, 7, 70]),
            ("band-saw", &[7]),
            ("sam wood", &[7]),
            ("wanders", &[]),
            ("lazhee", &[9]),
            ("drill", &[]),
        ] {
            let found: Vec<i64> = search(&lines, &keys, typed, 100).iter().map(|line| line.id.0).collect();
            assert_eq!(found, expected, "{typed}");
        }
        assert_eq!(search(&lines, &keys, "", 2).len(), 2);
    }
}
