//! The modals of `/esb-status`: summary, area, machine, matches, and the one that says what went wrong.

use super::mrkdwn::{SAFETY, SECTION_MAX, bold, date, line, line_within, shape};
use super::paging::{Button, Page, Section, pack, page};
use super::report::people;
use super::{Blocks, BlocksError, Modal};
use crate::domain::board::BoardStatus;
use crate::domain::repair::Severity;
use crate::domain::text::cut;
use crate::views::board::{BoardArea, BoardMachine, BoardView, StatusCounts};
use crate::views::equipment::{EquipmentMatch, EquipmentView, OpenRepair};
use serde::Serialize;

/// Most characters of a view's title (a Slack limit).
const TITLE_MAX: usize = 24;
/// Most characters of a name in a line.
const NAME_MAX: usize = 80;
/// Most characters of an issue in a line (spec `/esb-status`).
const ISSUE_MAX: usize = 80;
/// Room for what the template writes before the words of a `status_error`.
const ERROR_PREFIX: usize = 10;
/// Matches from which on there may be more than were looked for (what one select can show, too).
const MATCHES_MAX: usize = 100;
/// Most characters of what somebody searched for, kept for the pager: all that private_metadata takes.
const TYPED_MAX: usize = 3000;

#[derive(Serialize)]
struct List {
    private_metadata: String,
    title: String,
    heading: String,
    page: Page,
    link: Option<String>,
}

impl Blocks {
    /// The whole board: a section an area, a line a machine that is not green. `notice` stands above.
    ///
    /// # Errors
    /// A mistake of ours in the template.
    pub fn status_summary(
        &self,
        board: &BoardView,
        wanted: usize,
        notice: Option<&str>,
    ) -> Result<Modal, BlocksError> {
        let areas: Vec<&BoardArea> = board.areas.iter().filter(|area| !area.machines.is_empty()).collect();
        let empty =
            "No machines are registered yet. Staff can add them; until then there is nothing to see here.";
        let mut heading: Vec<String> = notice.map(|notice| line(notice, 500)).into_iter().collect();
        heading.push(if areas.is_empty() { empty.into() } else { in_all(&areas) });
        let sections = areas.iter().flat_map(|area| area_sections(area)).collect();
        let list = List {
            private_metadata: String::new(),
            title: "Equipment status".into(),
            heading: heading.join("\n"),
            page: page(sections, wanted),
            link: None,
        };
        Ok(Modal(self.fill("status_summary", &list)?))
    }

    /// One area: every machine with its status.
    ///
    /// # Errors
    /// A mistake of ours in the template.
    pub fn status_area(&self, area: &BoardArea, wanted: usize) -> Result<Modal, BlocksError> {
        let mut machines: Vec<&BoardMachine> = area.machines.iter().collect();
        machines.sort_by_key(|machine| std::cmp::Reverse(machine.status));
        let lines: Vec<String> = machines.into_iter().map(machine_lines).collect();
        let sections =
            pack("", &lines).into_iter().enumerate().map(|(i, text)| section(format!("part:{i}"), text));
        let heading = match area.machines.len() {
            0 => "No machines are registered in this area.".into(),
            _ => counts(StatusCounts::of(&area.machines)),
        };
        let list = List {
            private_metadata: area.id.to_string(),
            title: cut(&area.name, TITLE_MAX),
            heading: format!("{}\n{heading}", bold(&area.name, NAME_MAX)),
            page: page(sections.collect(), wanted),
            link: None,
        };
        Ok(Modal(self.fill("status_area", &list)?))
    }

    /// One machine with its open repairs. `link` leads to its page.
    ///
    /// # Errors
    /// A mistake of ours in the template.
    pub fn status_equipment(
        &self,
        machine: &EquipmentView,
        wanted: usize,
        link: Option<String>,
    ) -> Result<Modal, BlocksError> {
        let repairs =
            machine.open_repairs.iter().map(|r| section(format!("repair:{}", r.id), repair_lines(r)));
        let list = List {
            private_metadata: machine.id.to_string(),
            title: cut(&machine.name, TITLE_MAX),
            heading: machine_heading(machine),
            page: page(repairs.collect(), wanted),
            link,
        };
        Ok(Modal(self.fill("status_equipment", &list)?))
    }

    /// The machines that a search found. `typed` comes back with the pager.
    ///
    /// # Errors
    /// A mistake of ours in the template.
    pub fn status_matches(
        &self,
        typed: &str,
        found: &[EquipmentMatch],
        wanted: usize,
    ) -> Result<Modal, BlocksError> {
        let list = List {
            private_metadata: typed.chars().take(TYPED_MAX).collect(),
            title: "Equipment found".into(),
            heading: matches_heading(typed, found.len()),
            page: page(found.iter().map(match_section).collect(), wanted),
            link: None,
        };
        Ok(Modal(self.fill("status_matches", &list)?))
    }

    /// Stands in for a view that can no longer be shown.
    ///
    /// # Errors
    /// A mistake of ours in the template.
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

fn section(block_id: String, text: String) -> Section {
    Section { block_id, text, button: None }
}

/// How a machine is named wherever one is shown: whether somebody could be hurt stands before its status.
fn name_line(name: &str, status: BoardStatus, safety_risk: bool) -> String {
    let safety = if safety_risk { format!("{SAFETY}· ") } else { String::new() };
    format!("{} {} · {safety}{}", shape(status), bold(name, NAME_MAX), status.word())
}

fn machine_heading(machine: &EquipmentView) -> String {
    let area = line(&machine.area, NAME_MAX);
    let heading = format!("{}\n{area}", name_line(&machine.name, machine.status, machine.safety_risk));
    if machine.open_repairs.is_empty() {
        return format!("{heading}\nNothing is reported. Is something wrong? Tell us with `/esb-report`.");
    }
    let shown = machine.open_repairs.len();
    if machine.open_count > shown {
        return format!("{heading}\n{} repairs are open. These are the worst {shown}.", machine.open_count);
    }
    heading
}

fn matches_heading(typed: &str, found: usize) -> String {
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

fn in_all(areas: &[&BoardArea]) -> String {
    counts(StatusCounts::of(areas.iter().flat_map(|area| &area.machines)))
}

fn counts(counts: StatusCounts) -> String {
    let part =
        |n: usize, status: BoardStatus| format!("{} {n} {}", shape(status), status.word().to_lowercase());
    [
        part(counts.operational, BoardStatus::Operational),
        part(counts.degraded, BoardStatus::Degraded),
        part(counts.down, BoardStatus::Down),
    ]
    .join("   ")
}

/// One section, or several where the lines of an area fill more than one.
fn area_sections(area: &BoardArea) -> Vec<Section> {
    let heading = format!("{}   {}", bold(&area.name, NAME_MAX), counts(StatusCounts::of(&area.machines)));
    let mut machines: Vec<&BoardMachine> = area.machines.iter().filter(|m| m.headline.is_some()).collect();
    machines.sort_by_key(|machine| std::cmp::Reverse(machine.status));
    let lines: Vec<String> = machines.into_iter().map(summary_line).collect();
    let mut sections: Vec<Section> = pack(&heading, &lines)
        .into_iter()
        .enumerate()
        .map(|(i, text)| section(format!("area:{}:{i}", area.id), text))
        .collect();
    if let Some(first) = sections.first_mut() {
        first.button = Some(Button {
            action_id: "view_area",
            value: area.id.to_string(),
            label: "View area",
            description: cut(&format!("View all machines of {}", area.name), 75),
        });
    }
    sections
}

fn summary_line(machine: &BoardMachine) -> String {
    let mut text = name_line(&machine.name, machine.status, machine.safety_risk);
    if let Some(headline) = &machine.headline {
        text.push_str(": ");
        text.push_str(&line(&headline.issue, ISSUE_MAX));
        if let Some(eta) = headline.eta {
            text.push_str(&format!(" · ETA {}", date(eta)));
        }
    }
    text
}

fn machine_lines(machine: &BoardMachine) -> String {
    let name = name_line(&machine.name, machine.status, machine.safety_risk);
    let Some(headline) = &machine.headline else { return name };
    let mut facts = vec![format!("#{}", headline.repair)];
    facts.push(
        headline
            .assignee
            .as_ref()
            .map_or_else(|| "nobody assigned".into(), |who| format!("assigned to {}", line(who, NAME_MAX))),
    );
    facts.extend(headline.eta.map(|eta| format!("ETA {}", date(eta))));
    if headline.open_repairs > 1 {
        facts.push(format!("{} open repairs", headline.open_repairs));
    }
    format!("{name}\n>{}\n>{}", line(&headline.issue, 300), facts.join(" · "))
}

fn repair_lines(repair: &OpenRepair) -> String {
    let mut facts: Vec<String> = repair.severity.map(Severity::word).map(str::to_owned).into_iter().collect();
    facts.push(repair.status.word().to_owned());
    facts.extend(repair.assignee.as_ref().map(|who| format!("assigned to {}", line(who, NAME_MAX))));
    facts.extend(repair.eta.map(|eta| format!("ETA {}", date(eta))));
    facts.extend(people(repair.me_too));
    let safety = if repair.safety_risk { SAFETY } else { "" };
    let (number, facts) = (format!("*#{}* {safety}", repair.id), facts.join(" · "));
    let room = SECTION_MAX - number.chars().count() - 1 - facts.chars().count();
    format!("{number}{}\n{facts}", line_within(&repair.description, room))
}

fn match_section(found: &EquipmentMatch) -> Section {
    Section {
        block_id: format!("equipment:{}", found.id),
        text: format!("{}\n{}", bold(&found.name, 200), line(&found.area, NAME_MAX)),
        button: Some(Button {
            action_id: "view_equipment",
            value: found.id.to_string(),
            label: "View",
            description: cut(&format!("View {}", found.name), 75),
        }),
    }
}
