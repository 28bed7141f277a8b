//! The modals of `/esb-status`: summary, area, matches and errors; and parts shared with the equipment modal
//! (`status_equipment`).

use super::mrkdwn::{SAFETY, SECTION_MAX, back, bold, line, line_within, shape};
use super::paging::{Button, Page, Section, pack, page};
use super::{Blocks, BlocksError, Modal};
use crate::domain::board::BoardStatus;
use crate::domain::ids::{EquipmentId, RepairId};
use crate::domain::text::cut;
use crate::views::board::{BoardArea, BoardEquipment, BoardView, StatusCounts};
use crate::views::equipment::EquipmentMatch;
use crate::views::repairs::OpenRepairLine;
use chrono::NaiveDate;
use serde::Serialize;
use std::collections::HashMap;

/// Most characters of a view's title (a Slack limit).
pub(super) const TITLE_MAX: usize = 24;
pub(super) const NAME_MAX: usize = 80;
/// Most characters of an issue in a line (spec `/esb-status`).
pub(super) const ISSUE_MAX: usize = 80;
/// Characters reserved for the prefix of an error view.
pub(super) const ERROR_PREFIX: usize = 10;
/// At this many matches there may be more (also the most options of one select).
const MATCHES_MAX: usize = 100;

/// The data of the template `list`.
#[derive(Serialize)]
pub(super) struct List {
    pub(super) title: String,
    pub(super) heading: String,
    pub(super) page: Page,
    pub(super) link: Option<String>,
}

impl Blocks {
    /// The whole board: one section per area, one line per piece of equipment that is not green. `notice` is shown
    /// above.
    pub fn status_summary(
        &self,
        board: &BoardView,
        wanted: usize,
        notice: Option<&str>,
    ) -> Result<Modal, BlocksError> {
        let areas: Vec<&BoardArea> = board.areas.iter().filter(|area| !area.equipment.is_empty()).collect();
        let empty =
            "No machines are registered yet. Staff can add them; until then there is nothing to see here.";
        let mut heading: Vec<String> = notice.map(|notice| line(notice, 500)).into_iter().collect();
        heading.push(if areas.is_empty() { empty.into() } else { in_all(&areas) });
        let sections = areas.iter().flat_map(|area| area_sections(area, self.today())).collect();
        let list = List {
            title: "Equipment status".into(),
            heading: heading.join("\n"),
            page: page(sections, wanted),
            link: None,
        };
        Ok(Modal(self.fill("status_summary", &list)?))
    }

    /// One area: all equipment with its status. `open` are its open repairs, with a button each, for people who may act
    /// on them.
    pub fn status_area(
        &self,
        area: &BoardArea,
        open: Option<&[OpenRepairLine]>,
        wanted: usize,
    ) -> Result<Modal, BlocksError> {
        let mut equipment: Vec<&BoardEquipment> = area.equipment.iter().collect();
        equipment.sort_by_key(|equipment| std::cmp::Reverse(equipment.status));
        let (broken, plain): (Vec<_>, Vec<_>) =
            equipment.into_iter().partition(|equipment| open.is_some() && equipment.headline.is_some());
        let mut sections = to_act_on(&broken, open.unwrap_or_default(), self.today());
        let lines: Vec<String> =
            plain.into_iter().map(|equipment| equipment_lines(equipment, self.today())).collect();
        let packed = pack("", &lines).into_iter().enumerate();
        sections.extend(packed.map(|(i, text)| section(format!("part:{i}"), text)));
        let heading = match area.equipment.len() {
            0 => "No machines are registered in this area.".into(),
            _ => counts(StatusCounts::of(&area.equipment)),
        };
        let list = List {
            title: cut(&area.name, TITLE_MAX),
            heading: format!("{}\n{heading}", bold(&area.name, NAME_MAX)),
            page: page(sections, wanted),
            link: None,
        };
        Ok(Modal(self.fill("status_area", &list)?))
    }

    /// The results of a search.
    pub fn status_matches(
        &self,
        typed: &str,
        found: &[EquipmentMatch],
        wanted: usize,
    ) -> Result<Modal, BlocksError> {
        let list = List {
            title: "Equipment found".into(),
            heading: matches_heading(typed, found.len()),
            page: page(found.iter().map(match_section).collect(), wanted),
            link: None,
        };
        Ok(Modal(self.fill("status_matches", &list)?))
    }

    /// Replaces a view that can no longer be shown.
    pub fn status_error(&self, message: &str) -> Result<Modal, BlocksError> {
        #[derive(Serialize)]
        struct Failed {
            message: String,
        }
        Ok(Modal(
            self.fill("status_error", &Failed { message: line_within(message, SECTION_MAX - ERROR_PREFIX) })?,
        ))
    }
}

pub(super) fn section(block_id: String, text: String) -> Section {
    Section { block_id, text, button: None }
}

/// The line for equipment in every list: a safety risk is shown before the status.
pub(super) fn name_line(name: &str, status: BoardStatus, safety_risk: bool) -> String {
    let safety = if safety_risk { SAFETY } else { "" };
    format!("{safety}{} {} · {}", shape(status), bold(name, NAME_MAX), status.word())
}

pub(super) fn matches_heading(typed: &str, found: usize) -> String {
    let typed = bold(typed, NAME_MAX);
    match found {
        0 => format!("No machine matches {typed} any more."),
        1 => format!("One machine matches {typed}."),
        2..MATCHES_MAX => format!("{found} machines match {typed}."),
        _ => format!(
            "At least {found} machines match {typed}. These are the best {found}: \
             type more of the name after `/esb-status` to find others."
        ),
    }
}

/// One section per piece of equipment, and one for each further open repair of it.
fn to_act_on(equipment: &[&BoardEquipment], open: &[OpenRepairLine], today: NaiveDate) -> Vec<Section> {
    let mut by_equipment: HashMap<EquipmentId, Vec<&OpenRepairLine>> = HashMap::new();
    for repair in open {
        by_equipment.entry(repair.equipment_id).or_default().push(repair);
    }
    let mut sections = Vec::new();
    for equipment in equipment {
        let headline = equipment.headline.as_ref().map(|headline| headline.repair);
        let shown = section(format!("machine:{}", equipment.id), equipment_lines(equipment, today));
        sections.push(Section { button: headline.map(open_repair), ..shown });
        let others = by_equipment.remove(&equipment.id).unwrap_or_default();
        for repair in others.into_iter().filter(|repair| Some(repair.id) != headline) {
            let shown = section(format!("repair:{}", repair.id), further(repair, today));
            sections.push(Section { button: Some(open_repair(repair.id)), ..shown });
        }
    }
    sections
}

/// Another open repair of the equipment above.
fn further(repair: &OpenRepairLine, today: NaiveDate) -> String {
    let mut facts = vec![format!("#{}", repair.id)];
    facts.extend(repair.severity.map(|severity| severity.word().to_owned()));
    facts.push(repair.status.word().to_owned());
    facts.push(
        repair
            .assignee
            .as_ref()
            .map_or_else(|| "nobody assigned".into(), |who| format!("assigned to {}", line(who, NAME_MAX))),
    );
    facts.extend(repair.eta.map(|eta| back(eta, today)));
    format!(
        "Also on {}\n>{}\n>{}",
        bold(&repair.equipment, NAME_MAX),
        line(&repair.issue, 300),
        facts.join(" · ")
    )
}

/// The button that opens a repair.
pub(super) fn open_repair(repair: RepairId) -> Button {
    Button {
        action_id: "open_repair",
        value: repair.to_string(),
        label: "Open",
        description: format!("Open repair {repair}"),
    }
}

pub(super) fn in_all(areas: &[&BoardArea]) -> String {
    counts(StatusCounts::of(areas.iter().flat_map(|area| &area.equipment)))
}

pub(super) fn counts(counts: StatusCounts) -> String {
    let part =
        |n: usize, status: BoardStatus| format!("{} {n} {}", shape(status), status.word().to_lowercase());
    [
        part(counts.operational, BoardStatus::Operational),
        part(counts.degraded, BoardStatus::Degraded),
        part(counts.down, BoardStatus::Down),
    ]
    .join("   ")
}

/// The sections of an area; several if its lines exceed one section.
fn area_sections(area: &BoardArea, today: NaiveDate) -> Vec<Section> {
    let heading = format!("{}   {}", bold(&area.name, NAME_MAX), counts(StatusCounts::of(&area.equipment)));
    let mut equipment: Vec<&BoardEquipment> =
        area.equipment.iter().filter(|m| m.headline.is_some()).collect();
    equipment.sort_by_key(|equipment| std::cmp::Reverse(equipment.status));
    let lines: Vec<String> = equipment.into_iter().map(|equipment| summary_line(equipment, today)).collect();
    let mut sections: Vec<Section> = pack(&heading, &lines)
        .into_iter()
        .enumerate()
        .map(|(i, text)| section(format!("area:{}:{i}", area.id), text))
        .collect();
    if let Some(first) = sections.first_mut() {
        first.button = Some(view_area(area));
    }
    sections
}

/// The button that opens an area.
pub(super) fn view_area(area: &BoardArea) -> Button {
    Button {
        action_id: "view_area",
        value: area.id.to_string(),
        label: "View area",
        description: cut(&format!("View all machines of {}", area.name), 75),
    }
}

/// The button that opens equipment.
pub(super) fn view_equipment(id: EquipmentId, name: &str) -> Button {
    Button {
        action_id: "view_equipment",
        value: id.to_string(),
        label: "View",
        description: cut(&format!("View {name}"), 75),
    }
}

/// The button that opens the whole board.
pub(super) fn view_all() -> Button {
    Button {
        action_id: "back_to_summary",
        value: "1".into(),
        label: "See all",
        description: "See all areas".into(),
    }
}

pub(super) fn summary_line(equipment: &BoardEquipment, today: NaiveDate) -> String {
    let mut text = name_line(&equipment.name, equipment.status, equipment.safety_risk);
    if let Some(headline) = &equipment.headline {
        text.push_str(": ");
        text.push_str(&line(&headline.issue, ISSUE_MAX));
        if let Some(eta) = headline.eta {
            text.push_str(&format!(" · {}", back(eta, today)));
        }
    }
    text
}

fn equipment_lines(equipment: &BoardEquipment, today: NaiveDate) -> String {
    let name = name_line(&equipment.name, equipment.status, equipment.safety_risk);
    let Some(headline) = &equipment.headline else { return name };
    let mut facts = vec![format!("#{}", headline.repair)];
    facts.push(
        headline
            .assignee
            .as_ref()
            .map_or_else(|| "nobody assigned".into(), |who| format!("assigned to {}", line(who, NAME_MAX))),
    );
    facts.extend(headline.eta.map(|eta| back(eta, today)));
    if headline.open_repairs > 1 {
        facts.push(format!("{} open repairs", headline.open_repairs));
    }
    format!("{name}\n>{}\n>{}", line(&headline.issue, 300), facts.join(" · "))
}

pub(super) fn match_section(found: &EquipmentMatch) -> Section {
    Section {
        block_id: format!("equipment:{}", found.id),
        text: format!("{}\n{}", bold(&found.name, 200), line(&found.area, NAME_MAX)),
        button: Some(view_equipment(found.id, &found.name)),
    }
}
