//! The app's Home tab: what is not green; for technicians their repairs; for staff links to their pages.

use super::mrkdwn::{SAFETY, SECTION_MAX, back, bold, line, line_within};
use super::paging::{Section, first};
use super::status::{
    ERROR_PREFIX, ISSUE_MAX, NAME_MAX, in_all, open_repair, section, summary_line, view_all, view_equipment,
};
use super::{Blocks, BlocksError, Modal};
use crate::domain::repair::Severity;
use crate::domain::text::cut;
use crate::views::board::{BoardArea, BoardEquipment, BoardView};
use crate::views::deliveries::DeliveryProblems;
use crate::views::repairs::{QueueItem, QueueView};
use chrono::NaiveDate;
use serde::Serialize;
use std::cmp::Reverse;
use std::sync::Arc;

// Slack shows at most 100 blocks: two above all lists, one for staff, two lists of repairs, one of equipment, each with
// a heading and a line for the rest.
const MACHINES_MAX: usize = 61;
const REPAIRS_MAX: usize = 15;
/// Bytes of text of the equipment list, which keep the view below Slack's 250 kB in any encoding.
const MACHINES_BYTES: usize = 26_000;
/// Bytes of text of one list of repairs.
const REPAIRS_BYTES: usize = 12_000;
/// Most characters of a name in an accessibility label.
const SPOKEN_MAX: usize = 40;

#[derive(Debug, Clone, Copy)]
pub struct Home<'a> {
    pub board: &'a BoardView,
    /// For technicians and staff.
    pub repairs: Option<&'a HomeRepairs>,
    pub staff: Option<&'a HomeStaff>,
}

/// The part for technicians.
#[derive(Debug, Clone)]
pub struct HomeRepairs {
    /// The first repairs assigned to the viewer.
    pub mine: Arc<QueueView>,
    /// The first repairs without assignee.
    pub unassigned: Arc<QueueView>,
}

/// The part for staff.
#[derive(Debug, Clone)]
pub struct HomeStaff {
    pub problems: DeliveryProblems,
    pub pages: Vec<(&'static str, String)>,
}

#[derive(Serialize)]
struct Content {
    heading: String,
    sections: Vec<Section>,
}

impl Blocks {
    pub fn home(&self, home: &Home<'_>) -> Result<Modal, BlocksError> {
        let areas: Vec<&BoardArea> = home.board.areas.iter().collect();
        let mut sections: Vec<Section> = home.staff.map(staff).into_iter().collect();
        if let Some(repairs) = home.repairs {
            sections.extend(repair_list(
                "mine",
                "*My repairs*",
                "You have none.",
                &repairs.mine,
                self.today(),
            ));
            sections.extend(repair_list(
                "unassigned",
                "*Nobody’s repairs*",
                "Every open repair is assigned.",
                &repairs.unassigned,
                self.today(),
            ));
        }
        sections.extend(not_green(&areas, self.today()));
        Ok(Modal(self.fill("home", &Content { heading: in_all(&areas), sections })?))
    }

    /// Shown if the Home tab cannot be rendered; its buttons still work.
    pub fn home_that_failed(&self, message: &str) -> Result<Modal, BlocksError> {
        let heading = format!(":x: {}", line_within(message, SECTION_MAX - ERROR_PREFIX));
        Ok(Modal(self.fill("home", &Content { heading, sections: Vec::new() })?))
    }
}

fn staff(staff: &HomeStaff) -> Section {
    let DeliveryProblems { failing, given_up } = staff.problems;
    let messages = match (failing, given_up) {
        (0, 0) => ":white_check_mark: No message to a channel has failed.".into(),
        _ => {
            format!(":warning: Messages to channels: {failing} failed and tried again, {given_up} given up.")
        }
    };
    let pages: Vec<String> = staff.pages.iter().map(|(name, url)| format!("<{url}|{name}>")).collect();
    section("staff".into(), format!("*For staff*\n{messages}\n{}", pages.join(" · ")).trim_end().to_owned())
}

fn repair_list(name: &str, heading: &str, none: &str, queue: &QueueView, today: NaiveDate) -> Vec<Section> {
    let lines = queue.rows.iter().map(|repair| {
        let shown = section(format!("{name}:{}", repair.id), repair_line(repair, today));
        Section { button: Some(open_repair(repair.id)), ..shown }
    });
    let (lines, _) = first(lines.collect(), REPAIRS_MAX, REPAIRS_BYTES);
    let left = queue.total.saturating_sub(lines.len() as u64);
    let heading = if lines.is_empty() { format!("{heading}\n{none}") } else { heading.to_owned() };
    let mut sections = vec![section(name.to_owned(), heading)];
    sections.extend(lines);
    if left > 0 {
        sections
            .push(section(format!("{name}:more"), format!("… and {left} more: `/esb-repair` finds each.")));
    }
    sections
}

fn repair_line(repair: &QueueItem, today: NaiveDate) -> String {
    let mut facts: Vec<String> = repair.severity.map(Severity::word).map(str::to_owned).into_iter().collect();
    facts.push(repair.status.word().to_owned());
    facts.extend(repair.eta.map(|eta| back(eta, today)));
    format!(
        "{}*#{}* {} ({}) · {}\n>{}",
        if repair.safety_risk { SAFETY } else { "" },
        repair.id,
        bold(&repair.equipment, NAME_MAX),
        line(&repair.area, NAME_MAX),
        facts.join(" · "),
        line(&repair.description, ISSUE_MAX)
    )
}

/// Down before degraded, each in the order of the board.
fn not_green(areas: &[&BoardArea], today: NaiveDate) -> Vec<Section> {
    let of_area = |area: &&BoardArea| area.equipment.len();
    if areas.iter().map(of_area).sum::<usize>() == 0 {
        return vec![section("machines".into(), "No machines are registered yet.".into())];
    }
    let all = areas.iter().flat_map(|area| area.equipment.iter().map(move |equipment| (*area, equipment)));
    let mut broken: Vec<(&BoardArea, &BoardEquipment)> =
        all.filter(|(_, it)| it.headline.is_some()).collect();
    if broken.is_empty() {
        return vec![section("machines".into(), ":white_check_mark: Every machine works.".into())];
    }
    broken.sort_by_key(|(_, equipment)| Reverse(equipment.status));
    let (lines, left) = first(
        broken.into_iter().map(|broken| equipment_section(broken, today)).collect(),
        MACHINES_MAX,
        MACHINES_BYTES,
    );
    let mut sections = vec![section("machines".into(), "*Not working as it should*".into())];
    sections.extend(lines);
    if left > 0 {
        let more = section("machines:more".into(), format!("… and {left} more"));
        sections.push(Section { button: Some(view_all()), ..more });
    }
    sections
}

fn equipment_section((area, equipment): (&BoardArea, &BoardEquipment), today: NaiveDate) -> Section {
    let text = format!("{}\n{}", summary_line(equipment, today), line(&area.name, NAME_MAX));
    let button = view_equipment(equipment.id, &cut(&equipment.name, SPOKEN_MAX));
    Section { button: Some(button), ..section(format!("machine:{}", equipment.id), text) }
}
