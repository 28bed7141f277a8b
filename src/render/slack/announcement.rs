//! All text of announcements in channels: the repair's card (`blocks/repair_card.json.hbs`), which is edited later,
//! and updates (`blocks/repair_update.json.hbs`).

use super::mrkdwn::{SAFETY, SECTION_MAX, bold, date, escape_within, line, line_within, mention};
use super::{Blocks, BlocksError, Message};
use crate::domain::announce::{Event, RepairUpdate, UpdateLine};
use crate::domain::change::{OthersOpen, RepairSnapshot};
use crate::domain::ids::RepairId;
use crate::domain::repair::{RepairStatus, Severity};
use serde::Serialize;

/// Prefix of a new report (spec "Announcements").
const NEW: &str = ":rotating_light: ";
/// Prefixes of updates, by their first line.
const CLOSED: &str = ":white_check_mark: ";
const SEVERITY: &str = ":wrench: ";
const STATUS: &str = ":arrows_counterclockwise: ";
const ASSIGNEE: &str = ":bust_in_silhouette: ";
const ETA: &str = ":calendar: ";

/// Begins the block id of a card's buttons; the repair's version follows.
const BUTTONS: &str = "buttons:";

/// Most characters of a note and of a description in an update: the card of the report has the whole.
const EXCERPT_MAX: usize = 600;
/// Most characters of a description where it only tells which repair is meant.
const HINT_MAX: usize = 80;

#[derive(Serialize)]
struct Card<'a> {
    header: String,
    facts: Vec<String>,
    description: String,
    footer: String,
    /// Block id of the buttons, where there are any: it says which version of the repair is shown.
    buttons: Option<String>,
    repair: RepairId,
    open: bool,
    link: Option<&'a str>,
}

impl Card<'_> {
    /// The same in words; buttons have none.
    fn text(&self) -> String {
        format!("{}\n{}\n{}\n{}", self.header, self.facts.join("\n"), self.description, self.footer)
    }
}

#[derive(Serialize)]
struct Update {
    header: String,
    lines: String,
    note: Option<String>,
    footer: String,
}

impl Blocks {
    /// The announcement of an event. `link` leads to the machine's page.
    pub fn announcement(&self, event: &Event, link: Option<&str>) -> Result<Message, BlocksError> {
        match event {
            Event::NewReport(repair) => self.new_report(repair, link),
            Event::Updated(update) => self.repair_update(update, link),
        }
    }

    /// The card of a repair as it is now, with `me_too` people who said so.
    pub fn card(
        &self,
        repair: &RepairSnapshot,
        me_too: u64,
        link: Option<&str>,
    ) -> Result<Message, BlocksError> {
        let open = repair.status.is_open();
        let prefix = match (open, repair.safety_risk) {
            (false, _) => CLOSED,
            (true, true) => SAFETY,
            (true, false) => NEW,
        };
        let new = if repair.status == RepairStatus::New { "New report: " } else { "" };
        let others = match me_too {
            0 => String::new(),
            1 => " · 1 person says “me too”".into(),
            people => format!(" · {people} people say “me too”"),
        };
        let card = Card {
            header: format!("{prefix}{new}{}", equipment(repair)),
            footer: format!("{}{others}", footer(repair, None, link)),
            // Slack wants another id in each version of a message; a press brings it back.
            buttons: Some(buttons_of_version(repair.version)),
            open,
            link,
            ..card_without_buttons(repair)
        };
        Ok(Message::new(card.text(), self.fill("repair_card", &card)?))
    }

    fn new_report(&self, repair: &RepairSnapshot, link: Option<&str>) -> Result<Message, BlocksError> {
        let prefix = if repair.safety_risk { SAFETY } else { NEW };
        let card = Card {
            header: format!("{prefix}New report: {}", equipment(repair)),
            footer: footer(repair, None, link),
            ..card_without_buttons(repair)
        };
        Ok(Message::new(card.text(), self.fill("repair_card", &card)?))
    }

    fn repair_update(&self, update: &RepairUpdate, link: Option<&str>) -> Result<Message, BlocksError> {
        let repair = &update.repair;
        let what = match update.is_back_in_service() {
            true => "is back in service".to_owned(),
            false => format!("· {}", line(&repair.description, HINT_MAX)),
        };
        let lines: Vec<String> = update.lines.iter().map(|line| describe_line(line, update)).collect();
        let filled = Update {
            header: format!("{}{} {what}", prefix(update), equipment(repair)),
            lines: lines.join("\n"),
            note: update.note.as_ref().map(|note| escape_within(note, EXCERPT_MAX)),
            footer: footer(repair, Some(&update.by), link),
        };
        let note = filled.note.as_ref().map(|note| format!("{note}\n")).unwrap_or_default();
        let text = format!("{}\n{}\n{note}{}", filled.header, filled.lines, filled.footer);
        Ok(Message::new(text, self.fill("repair_update", &filled)?))
    }
}

fn card_without_buttons<'a>(repair: &RepairSnapshot) -> Card<'a> {
    Card {
        header: String::new(),
        facts: facts(repair),
        description: escape_within(&repair.description, SECTION_MAX),
        footer: String::new(),
        buttons: None,
        repair: repair.id,
        open: false,
        link: None,
    }
}

/// Block id of buttons about this version of a repair.
pub(super) fn buttons_of_version(version: i64) -> String {
    format!("{BUTTONS}{version}")
}

/// The version of the repair that a card showed whose button was pressed.
pub fn version_of_buttons(block_id: &str) -> Option<i64> {
    block_id.strip_prefix(BUTTONS)?.parse().ok()
}

/// The first line decides the prefix (spec "Announcements").
fn prefix(update: &RepairUpdate) -> &'static str {
    match update.lines.first() {
        Some(UpdateLine::Closed { .. }) => CLOSED,
        Some(UpdateLine::Status { .. }) => STATUS,
        Some(UpdateLine::Assignee { .. }) => ASSIGNEE,
        Some(UpdateLine::Severity { .. } | UpdateLine::SafetyRisk) if update.repair.safety_risk => SAFETY,
        Some(UpdateLine::Severity { .. } | UpdateLine::SafetyRisk) => SEVERITY,
        Some(UpdateLine::Eta { .. }) => ETA,
        None => "",
    }
}

fn equipment(repair: &RepairSnapshot) -> String {
    format!("{} ({})", bold(&repair.equipment, 200), line(&repair.area, 80))
}

fn describe_line(update_line: &UpdateLine, update: &RepairUpdate) -> String {
    let repair = &update.repair;
    match update_line {
        UpdateLine::Closed { from, others } => {
            let status = format!("*Status:* {from} → {}", repair.status);
            match open_still(others) {
                _ if update.is_back_in_service() => status,
                Some(open) => format!("{status}\n{open}"),
                None => format!("{status}\nNothing else is open on this machine."),
            }
        }
        UpdateLine::Status { from } => format!("*Status:* {from} → {}", repair.status),
        UpdateLine::Assignee { from } => match (assignee(repair), from) {
            (Some(who), Some(from)) => format!("*Assigned to:* {who} (before: {})", line_within(from, 200)),
            (Some(who), None) => format!("*Assigned to:* {who}"),
            (None, Some(from)) => format!("*Assigned to:* nobody (before: {})", line_within(from, 200)),
            (None, None) => "*Assigned to:* nobody".into(),
        },
        UpdateLine::Severity { from } => {
            let word = |severity: Option<Severity>| severity.map_or("none", Severity::word);
            format!("*Severity:* {} → {}", word(*from), word(repair.severity))
        }
        UpdateLine::SafetyRisk => "*Safety risk:* somebody could be hurt".into(),
        UpdateLine::Eta { from } => match (repair.eta, from) {
            (Some(eta), Some(from)) => format!("*ETA:* {} (before: {})", date(eta), date(*from)),
            (Some(eta), None) => format!("*ETA:* {}", date(eta)),
            (None, _) => "*ETA:* none any more".into(),
        },
    }
}

/// What is still wrong with the machine: the worst few, and how many more.
fn open_still(others: &OthersOpen) -> Option<String> {
    let shown: Vec<String> = others
        .worst
        .iter()
        .map(|repair| {
            let severity = repair.severity.map_or("no severity", Severity::word);
            format!("#{} {severity}: {}", repair.id, line_within(&repair.description, HINT_MAX))
        })
        .collect();
    let more = match others.count.saturating_sub(shown.len()) {
        0 => String::new(),
        more => format!(" · and {more} more"),
    };
    (others.count > 0).then(|| format!("*Still open:* {}{more}", shown.join(" · ")))
}

/// Mentioned where Slack knows them, else named.
fn assignee(repair: &RepairSnapshot) -> Option<String> {
    let name = repair.assignee.as_ref().map(|name| line_within(name, 200));
    repair.assignee_slack_id.as_ref().and_then(mention).or(name)
}

fn facts(repair: &RepairSnapshot) -> Vec<String> {
    let mut facts = vec![
        format!("*Status:* {}", repair.status),
        format!("*Severity:* {}", repair.severity.map_or("none", Severity::word)),
        format!("*Reported by:* {}", line(&repair.reporter, 200)),
    ];
    facts.extend(assignee(repair).map(|who| format!("*Assigned to:* {who}")));
    facts.extend(repair.eta.map(|eta| format!("*ETA:* {}", date(eta))));
    if repair.consumable {
        facts.push("*Consumable:* something is used up".into());
    }
    facts
}

fn footer(repair: &RepairSnapshot, by: Option<&str>, link: Option<&str>) -> String {
    let by = by.map(|by| format!(" · by {}", line(by, 200))).unwrap_or_default();
    let link = link.map(|link| format!(" · <{link}|see the machine's page>")).unwrap_or_default();
    format!("Repair #{}{by}{link}", repair.id)
}
