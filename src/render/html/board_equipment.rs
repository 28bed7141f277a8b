//! Machines in a list, the same wherever one is shown: what does not work first, in full; what
//! works after it, in short.

use super::StatusMark;
use super::times::Eta;
use crate::domain::board::BoardStatus;
use crate::domain::ids::EquipmentId;
use crate::domain::text::cut;
use crate::views::board::{BoardEquipment, StatusCounts};
use chrono::NaiveDate;
use serde::Serialize;

/// Most characters of an issue in a list; the machine's own page has it whole.
const ISSUE_SHOWN: usize = 140;

/// The machines of one list.
#[derive(Debug, Default, Serialize)]
pub(super) struct MachineList {
    pub(super) broken: Vec<BrokenMachine>,
    pub(super) working: Vec<WorkingMachine>,
}

/// A machine that is not green.
#[derive(Debug, Serialize)]
pub(super) struct BrokenMachine {
    id: EquipmentId,
    name: String,
    status: StatusMark,
    safety_risk: bool,
    issue: String,
    eta: Option<Eta>,
    /// "2 more problems", when other repairs are open too.
    others: Option<String>,
}

/// A green one.
#[derive(Debug, Serialize)]
pub(super) struct WorkingMachine {
    id: EquipmentId,
    name: String,
    status: StatusMark,
}

impl MachineList {
    /// Lists machines in the order in which they are given.
    pub(super) fn new<'a>(machines: impl IntoIterator<Item = &'a BoardEquipment>, today: NaiveDate) -> Self {
        let mut list = Self::default();
        for machine in machines {
            match machine.status {
                BoardStatus::Operational => list.working.push(WorkingMachine {
                    id: machine.id,
                    name: machine.name.clone(),
                    status: machine.status.into(),
                }),
                BoardStatus::Degraded | BoardStatus::Down => list.broken.push(broken(machine, today)),
            }
        }
        list
    }
}

/// Worst first; among equals in the order in which they are given.
pub(super) fn worst_first<'a>(machines: impl IntoIterator<Item = &'a BoardEquipment>) -> Vec<&'a BoardEquipment> {
    let mut machines: Vec<_> = machines.into_iter().collect();
    machines.sort_by_key(|machine| std::cmp::Reverse(machine.status));
    machines
}

fn broken(machine: &BoardEquipment, today: NaiveDate) -> BrokenMachine {
    let headline = machine.headline.as_ref();
    let issue = headline.map(|headline| headline.issue.split_whitespace().collect::<Vec<_>>().join(" "));
    let others = headline.map_or(0, |headline| headline.open_repairs.saturating_sub(1));
    BrokenMachine {
        id: machine.id,
        name: machine.name.clone(),
        status: machine.status.into(),
        safety_risk: machine.safety_risk,
        issue: cut(&issue.unwrap_or_default(), ISSUE_SHOWN),
        eta: headline.and_then(|headline| headline.eta).map(|date| Eta::new(date, today)),
        others: (others > 0).then(|| super::counted(others, "more problem", "more problems")),
    }
}

/// How many machines have which colour, as numbers and in words.
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
    pub(super) fn of<'a>(machines: impl IntoIterator<Item = &'a BoardEquipment>) -> Self {
        let StatusCounts { operational, degraded, down } = StatusCounts::of(machines);
        let total = operational + degraded + down;
        let amiss = [(down, "down"), (degraded, "degraded")];
        let amiss: Vec<_> =
            amiss.iter().filter(|(n, _)| *n > 0).map(|(n, word)| format!("{n} {word}")).collect();
        let machines = super::counted(total, "machine", "machines");
        let words = match (total, amiss.is_empty()) {
            (0, _) => "no machines".to_owned(),
            (1, true) => "1 machine, operational".to_owned(),
            (_, true) => format!("{machines}, all operational"),
            (_, false) => format!("{machines}: {}", amiss.join(", ")),
        };
        Self { total, operational, degraded, down, words }
    }
}
