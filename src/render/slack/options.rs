//! Options of selects (equipment, people, repairs, words), and the responses to selects that load options.

use super::{Blocks, BlocksError};
use crate::domain::field::Person;
use crate::domain::ids::AreaId;
use crate::domain::repair::{RepairStatus, Severity};
use crate::domain::text::cut;
use crate::views::equipment::EquipmentMatch;
use crate::views::repairs::{OpenRepairLine, OtherRepair, PersonMatch};
use serde::Serialize;
use serde_json::Value;

/// Most characters of an option's text and description, and of a group's label (a Slack limit; its documents disagree
/// on more).
pub(super) const OPTION_MAX: usize = 75;

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct SelectOption {
    text: String,
    description: Option<String>,
    value: String,
}

impl SelectOption {
    pub(super) fn new(text: &str, description: &str, value: impl ToString) -> Self {
        let description = one_line(description);
        Self {
            text: cut(text, OPTION_MAX),
            description: Some(cut(&description, OPTION_MAX)).filter(|text| !text.is_empty()),
            value: value.to_string(),
        }
    }

    pub(super) fn of_equipment(equipment: &EquipmentMatch) -> Self {
        Self::new(&equipment.name, &equipment.area, equipment.id)
    }

    pub(super) fn of_person(person: &Person) -> Self {
        Self::new(&person.name, "", person.id)
    }

    pub(super) fn of_other(repair: &OtherRepair) -> Self {
        Self::new(&format!("#{} — {}", repair.id, repair.status), &repair.description, repair.id)
    }

    pub(super) fn of_status(status: RepairStatus) -> Self {
        Self::new(status.word(), "", status)
    }

    pub(super) fn of_severity(severity: Severity) -> Self {
        Self::new(severity.word(), severity.meaning(), severity)
    }

    /// `#42 Table saw — In Progress`; only the name is truncated.
    fn of_open(repair: &OpenRepairLine) -> Self {
        let (number, status) = (format!("#{} ", repair.id), format!(" — {}", repair.status));
        let room = OPTION_MAX.saturating_sub(number.chars().count() + status.chars().count());
        let severity = repair.severity.map_or("No severity", Severity::word);
        let assignee = repair.assignee.as_deref().unwrap_or("nobody assigned");
        let text = format!("{number}{}{status}", cut(&repair.equipment, room));
        Self::new(&text, &format!("{severity} | {assignee}"), repair.id)
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[derive(Serialize)]
struct Options {
    options: Vec<SelectOption>,
}

#[derive(Serialize)]
struct Group {
    #[serde(skip)]
    area: AreaId,
    label: String,
    options: Vec<SelectOption>,
}

#[derive(Serialize)]
struct Groups {
    groups: Vec<Group>,
}

impl Blocks {
    pub fn equipment_options(&self, equipment: &[EquipmentMatch]) -> Result<Value, BlocksError> {
        self.options(equipment.iter().map(SelectOption::of_equipment))
    }

    pub fn people_options(&self, people: &[PersonMatch]) -> Result<Value, BlocksError> {
        self.options(people.iter().map(|it| SelectOption::new(&it.name, it.role.word(), it.id)))
    }

    pub fn duplicate_options(&self, repairs: &[OtherRepair]) -> Result<Value, BlocksError> {
        self.options(repairs.iter().map(SelectOption::of_other))
    }

    /// The response to a select for open repairs: one group per area, in the order in which areas first occur.
    pub fn repair_options(&self, repairs: &[OpenRepairLine]) -> Result<Value, BlocksError> {
        if repairs.is_empty() {
            return self.options(std::iter::empty());
        }
        let mut groups: Vec<Group> = Vec::new();
        for repair in repairs {
            let option = SelectOption::of_open(repair);
            match groups.iter_mut().find(|group| group.area == repair.area_id) {
                Some(group) => group.options.push(option),
                None => groups.push(Group {
                    area: repair.area_id,
                    label: cut(&repair.area, OPTION_MAX),
                    options: vec![option],
                }),
            }
        }
        self.fill("option_groups", &Groups { groups })
    }

    fn options(&self, options: impl Iterator<Item = SelectOption>) -> Result<Value, BlocksError> {
        self.fill("options", &Options { options: options.collect() })
    }
}
