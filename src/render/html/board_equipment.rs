//! Equipment in a list, the same everywhere: equipment that is not operational first, in full; operational equipment
//! after it, in short form.

use super::StatusMark;
use super::times::Eta;
use crate::domain::board::BoardStatus;
use crate::domain::ids::EquipmentId;
use crate::domain::text::cut;
use crate::views::board::{BoardEquipment, StatusCounts};
use chrono::NaiveDate;
use serde::Serialize;

/// Most characters of an issue in a list; the equipment's page shows it whole.
const ISSUE_SHOWN: usize = 140;

#[derive(Debug, Default, Serialize)]
pub(super) struct BoardEquipmentList {
    pub(super) broken: Vec<BrokenEquipment>,
    pub(super) working: Vec<WorkingEquipment>,
}

/// Equipment that is not green.
#[derive(Debug, Serialize)]
pub(super) struct BrokenEquipment {
    id: EquipmentId,
    name: String,
    status: StatusMark,
    safety_risk: bool,
    issue: String,
    eta: Option<Eta>,
    /// "2 more problems", if other repairs are open too.
    others: Option<String>,
}

/// Green equipment.
#[derive(Debug, Serialize)]
pub(super) struct WorkingEquipment {
    id: EquipmentId,
    name: String,
    status: StatusMark,
}

impl BoardEquipmentList {
    /// Keeps the given order.
    pub(super) fn new<'a>(equipment: impl IntoIterator<Item = &'a BoardEquipment>, today: NaiveDate) -> Self {
        let mut list = Self::default();
        for equipment in equipment {
            match equipment.status {
                BoardStatus::Operational => list.working.push(WorkingEquipment {
                    id: equipment.id,
                    name: equipment.name.clone(),
                    status: equipment.status.into(),
                }),
                BoardStatus::Degraded | BoardStatus::Down => list.broken.push(broken(equipment, today)),
            }
        }
        list
    }
}

/// Sorts worst first; stable.
pub(super) fn worst_first<'a>(
    equipment: impl IntoIterator<Item = &'a BoardEquipment>,
) -> Vec<&'a BoardEquipment> {
    let mut equipment: Vec<_> = equipment.into_iter().collect();
    equipment.sort_by_key(|equipment| std::cmp::Reverse(equipment.status));
    equipment
}

fn broken(equipment: &BoardEquipment, today: NaiveDate) -> BrokenEquipment {
    let headline = equipment.headline.as_ref();
    let issue = headline.map(|headline| headline.issue.split_whitespace().collect::<Vec<_>>().join(" "));
    let others = headline.map_or(0, |headline| headline.open_repairs.saturating_sub(1));
    BrokenEquipment {
        id: equipment.id,
        name: equipment.name.clone(),
        status: equipment.status.into(),
        safety_risk: equipment.safety_risk,
        issue: cut(&issue.unwrap_or_default(), ISSUE_SHOWN),
        eta: headline.and_then(|headline| headline.eta).map(|date| Eta::new(date, today)),
        others: (others > 0).then(|| super::counted(others, "more problem", "more problems")),
    }
}

/// Equipment per board status, as numbers and in words.
#[derive(Debug, Serialize)]
pub(super) struct Counts {
    pub(super) total: usize,
    pub(super) operational: usize,
    pub(super) degraded: usize,
    pub(super) down: usize,
    /// "12 machines: 1 down, 2 degraded", "12 machines, all operational".
    pub(super) words: String,
}

impl Counts {
    pub(super) fn of<'a>(equipment: impl IntoIterator<Item = &'a BoardEquipment>) -> Self {
        let StatusCounts { operational, degraded, down } = StatusCounts::of(equipment);
        let total = operational + degraded + down;
        let amiss = [(down, "down"), (degraded, "degraded")];
        let amiss: Vec<_> =
            amiss.iter().filter(|(n, _)| *n > 0).map(|(n, word)| format!("{n} {word}")).collect();
        let equipment = super::counted(total, "machine", "machines");
        let words = match (total, amiss.is_empty()) {
            (0, _) => "no machines".to_owned(),
            (1, true) => "1 machine, operational".to_owned(),
            (_, true) => format!("{equipment}, all operational"),
            (_, false) => format!("{equipment}: {}", amiss.join(", ")),
        };
        Self { total, operational, degraded, down, words }
    }
}
