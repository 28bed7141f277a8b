//! Replies to mentions and direct messages: status texts, and buttons that open the modals, since an event has no
//! trigger to open one.

use super::mrkdwn::{bold, line, line_within};
use super::paging::{Button, Section, pack};
use super::repair_forms::facts;
use super::status::{
    NAME_MAX, counts, in_all, match_section, matches_heading, name_line, open_repair, section, summary_line,
    view_all, view_area, view_equipment,
};
use super::status_equipment::repair_lines;
use super::{Blocks, BlocksError, Message};
use crate::domain::ids::EquipmentId;
use crate::domain::text::cut;
use crate::views::board::{BoardArea, BoardEquipment, BoardView, StatusCounts};
use crate::views::equipment::{EquipmentMatch, OpenRepair, PublicEquipment};
use crate::views::repairs::RepairBrief;
use chrono::NaiveDate;
use serde::Serialize;
use std::cmp::Reverse;

/// Most equipment in a list; the modal lists all.
const MACHINES_MAX: usize = 20;
/// Most matches and repairs, one section each.
const SECTIONS_MAX: usize = 5;
/// Most characters of one repair among several.
const REPAIR_MAX: usize = 300;
/// Most characters of a repair's description, so that its facts fit into the same section.
const ISSUE_MAX: usize = 400;

const HELP: &str = "I know which machines work. Write to me here, or mention me in a channel:\n\
    • `status`: what does not work\n\
    • `status` and the name of an area or a machine: how it stands\n\
    • `report` and the name of a machine: something is wrong with it\n\
    • a repair’s number, such as `42`: how that repair stands\n\
    The commands `/esb-report` and `/esb-status` do the same, and only you see the answer.";

#[derive(Serialize)]
struct Content<'a> {
    sections: &'a [Section],
}

impl Blocks {
    /// The available commands.
    pub fn answer_help(&self) -> Result<Message, BlocksError> {
        self.answer(vec![with(report(None), section("help".into(), HELP.into()))])
    }

    /// The whole board: counts, and what is not operational, worst first. `notice` is shown above.
    pub fn answer_board(&self, board: &BoardView, notice: Option<&str>) -> Result<Message, BlocksError> {
        let areas: Vec<&BoardArea> = board.areas.iter().collect();
        let mut heading: Vec<String> = notice.map(|notice| line(notice, 500)).into_iter().collect();
        heading.push(in_all(&areas));
        let equipment = areas.iter().flat_map(|area| &area.equipment);
        self.answer(equipment_list(&heading.join("\n"), equipment, view_all(), self.today()))
    }

    pub fn answer_area(&self, area: &BoardArea) -> Result<Message, BlocksError> {
        let heading =
            format!("{}   {}", bold(&area.name, NAME_MAX), counts(StatusCounts::of(&area.equipment)));
        self.answer(equipment_list(&heading, area.equipment.iter(), view_area(area), self.today()))
    }

    /// One piece of equipment with the worst of its open repairs.
    pub fn answer_equipment(&self, equipment: &PublicEquipment) -> Result<Message, BlocksError> {
        let name = name_line(&equipment.name, equipment.status, equipment.safety_risk);
        let heading = format!("{name}\n{}", line(&equipment.area, NAME_MAX));
        let mut sections =
            vec![with(view_equipment(equipment.id, &equipment.name), section("machine".into(), heading))];
        let repairs =
            equipment.open_repairs.iter().take(SECTIONS_MAX).map(|repair| short(repair, self.today()));
        sections.extend(repairs);
        sections.extend(more(equipment.open_count.saturating_sub(SECTIONS_MAX)));
        self.answer(sections)
    }

    /// The results of a search.
    pub fn answer_matches(&self, typed: &str, found: &[EquipmentMatch]) -> Result<Message, BlocksError> {
        let mut sections = vec![section("matches".into(), matches_heading(typed, found.len()))];
        sections.extend(found.iter().take(SECTIONS_MAX).map(match_section));
        sections.extend(more(found.len().saturating_sub(SECTIONS_MAX)));
        self.answer(sections)
    }

    /// A button for the report form: of this equipment, or of any.
    pub fn answer_report(
        &self,
        equipment: Option<&EquipmentMatch>,
        typed: &str,
    ) -> Result<Message, BlocksError> {
        let words = match equipment {
            Some(equipment) => {
                format!("Press the button to report a problem with {}.", bold(&equipment.name, 200))
            }
            None if typed.is_empty() => "Press the button to report a problem.".into(),
            None => format!(
                "No single machine matches {}. Press the button to choose one and report the problem.",
                bold(typed, NAME_MAX)
            ),
        };
        let equipment = equipment.map(|equipment| equipment.id);
        self.answer(vec![with(report(equipment), section("report".into(), words))])
    }

    pub fn answer_repair(&self, repair: &RepairBrief) -> Result<Message, BlocksError> {
        let text = format!(
            "{}\n>{}",
            facts(repair, self.today()),
            line_within(&repair.fields.description, ISSUE_MAX)
        );
        self.answer(vec![with(open_repair(repair.id), section("repair".into(), text))])
    }

    /// No repair has this id. `typed` is a number.
    pub fn answer_no_repair(&self, typed: &str) -> Result<Message, BlocksError> {
        self.answer(vec![section("repair".into(), format!(":x: There is no repair #{}.", line(typed, 20)))])
    }

    fn answer(&self, sections: Vec<Section>) -> Result<Message, BlocksError> {
        let texts: Vec<&str> = sections.iter().map(|section| section.text.as_str()).collect();
        let blocks = self.fill("answer", &Content { sections: &sections })?;
        Ok(Message::new(texts.join("\n"), blocks))
    }
}

fn with(button: Button, shown: Section) -> Section {
    Section { button: Some(button), ..shown }
}

/// The button that opens the report form.
fn report(equipment: Option<EquipmentId>) -> Button {
    Button {
        action_id: "report",
        value: equipment.map_or_else(|| "any".into(), |id| id.to_string()),
        label: "Report a problem",
        description: "Report a problem".into(),
    }
}

/// Equipment that is not green, worst first, below a heading with a button.
fn equipment_list<'a>(
    heading: &str,
    equipment: impl Iterator<Item = &'a BoardEquipment>,
    button: Button,
    today: NaiveDate,
) -> Vec<Section> {
    let mut broken: Vec<&BoardEquipment> =
        equipment.filter(|equipment| equipment.headline.is_some()).collect();
    broken.sort_by_key(|equipment| Reverse(equipment.status));
    let lines: Vec<String> =
        broken.iter().take(MACHINES_MAX).map(|equipment| summary_line(equipment, today)).collect();
    let packed = pack(heading, &lines).into_iter().enumerate();
    let mut sections: Vec<Section> = packed.map(|(i, text)| section(format!("machines:{i}"), text)).collect();
    if let Some(first) = sections.first_mut() {
        first.button = Some(button);
    }
    sections.extend(more(broken.len().saturating_sub(MACHINES_MAX)));
    sections
}

fn short(repair: &OpenRepair, today: NaiveDate) -> Section {
    let description = cut(&repair.description, REPAIR_MAX);
    let text = repair_lines(&OpenRepair { description, ..repair.clone() }, today);
    with(open_repair(repair.id), section(format!("repair:{}", repair.id), text))
}

fn more(left: usize) -> Option<Section> {
    (left > 0).then(|| section("more".into(), format!("… and {left} more")))
}
