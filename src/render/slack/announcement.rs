//! All text of announcements in channels: the repair's card (`blocks/repair_card.json.hbs`), which is edited later,
//! and updates (`blocks/repair_update.json.hbs`). Spec: slack-messages.md.

use super::mrkdwn::{
    DEGRADED, DOWN, SAFETY_SIGN, WORKS, back, bold, bold_link, duration, line, line_within, mention, quote,
};
use super::{Blocks, BlocksError, Message};
use crate::domain::announce::{Event, RepairUpdate, UpdateLine};
use crate::domain::change::{OthersOpen, RepairSnapshot};
use crate::domain::ids::RepairId;
use crate::domain::repair::{RepairStatus, Severity};
use crate::domain::text::cut;
use crate::views::repairs::{CardDetails, Closing};
use chrono::NaiveDate;
use serde::Serialize;

/// A new report that is down or unsafe.
const ALARM: &str = ":rotating_light:";
/// Prefix of an update, by its first line.
const SEVERITY: &str = ":wrench: ";
const STATUS: &str = ":arrows_counterclockwise: ";
const ASSIGNEE: &str = ":bust_in_silhouette: ";
const ETA: &str = ":calendar: ";

/// Prefix of the block id of a card's buttons; the repair's version follows.
const BUTTONS: &str = "buttons:";

/// Most characters of a notification: what a phone shows on its lock screen.
const NOTIFICATION_MAX: usize = 150;
/// Most characters of the problem on a card. *More…* shows the whole text.
const PROBLEM_MAX: usize = 300;
/// Most characters of a note.
const NOTE_MAX: usize = 600;
/// Most characters of a description that only names the repair.
const HINT_MAX: usize = 80;
const NAME_MAX: usize = 200;
/// Most characters of an accessibility label (a Slack limit).
const LABEL_MAX: usize = 75;

/// Links of a repair's messages; none without a base URL.
#[derive(Debug, Clone, Copy, Default)]
pub struct RepairLinks<'a> {
    /// The equipment's public page.
    pub equipment: Option<&'a str>,
    /// The repair's page for technicians.
    pub repair: Option<&'a str>,
}

/// Where an update is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placement {
    /// In the card's thread only: the card names equipment and problem.
    Thread,
    /// In the channel: a separate message, or a reply that is also sent to the channel.
    Channel,
}

#[derive(Serialize)]
struct Card<'a> {
    lines: Vec<String>,
    context: String,
    /// Block id of the buttons, if any; it contains the shown version of the repair.
    buttons: Option<String>,
    repair: RepairId,
    open: bool,
    can_claim: bool,
    link: Option<&'a str>,
    /// The repair's name in accessibility labels.
    label: String,
}

#[derive(Serialize)]
struct Update {
    lines: Vec<String>,
    context: Option<String>,
}

impl Blocks {
    /// The message of an update.
    pub fn announcement(
        &self,
        event: &Event,
        links: RepairLinks<'_>,
        placement: Placement,
    ) -> Result<Message, BlocksError> {
        match event {
            Event::NewReport(repair) => self.new_report(repair, links),
            Event::Updated(update) => self.repair_update(update, links, placement),
        }
    }

    /// The card of a repair in its current state.
    pub fn card(
        &self,
        repair: &RepairSnapshot,
        details: &CardDetails,
        links: RepairLinks<'_>,
    ) -> Result<Message, BlocksError> {
        let (lines, context) = match &details.closing {
            Some(closing) => closed(repair, closing, links),
            None => (self.open(repair, links), open_context(repair, details, links)),
        };
        let open = repair.status.is_open();
        let card = Card {
            lines,
            context,
            // Slack requires a new id in each version of a message; a button press returns it.
            buttons: Some(buttons_of_version(repair.version)),
            repair: repair.id,
            open,
            can_claim: open && repair.assignee.is_none(),
            link: links.equipment,
            label: label(repair),
        };
        let text = notification(repair, details.closing.as_ref());
        Ok(Message::new(text, self.fill("repair_card", &card)?))
    }

    fn new_report(&self, repair: &RepairSnapshot, links: RepairLinks<'_>) -> Result<Message, BlocksError> {
        let card = Card {
            lines: self.open(repair, links),
            context: open_context(repair, &CardDetails::default(), links),
            buttons: None,
            repair: repair.id,
            open: true,
            can_claim: false,
            link: None,
            label: label(repair),
        };
        Ok(Message::new(notification(repair, None), self.fill("repair_card", &card)?))
    }

    /// The sections of an open repair: state, problem, progress.
    fn open(&self, repair: &RepairSnapshot, links: RepairLinks<'_>) -> Vec<String> {
        let (area, state) = (line(&repair.area, HINT_MAX), state(repair));
        let first = match repair.safety_risk {
            true => {
                let name = bold_link(&format!("Do not use: {}", repair.equipment), NAME_MAX, links.equipment);
                format!("{} {name} · {state} · {area}", sign(repair))
            }
            false => {
                let name = bold_link(&repair.equipment, NAME_MAX, links.equipment);
                format!("{} {name} {state} · {area}", sign(repair))
            }
        };
        let mut lines = vec![format!("{first}\n{}", quote(&repair.description, PROBLEM_MAX))];
        lines.extend(self.progress(repair));
        lines
    }

    /// Who works on it, its status, and the ETA; `None` for a new repair.
    fn progress(&self, repair: &RepairSnapshot) -> Option<String> {
        // An edit of a card notifies nobody.
        let mentioned = repair.assignee_slack_id.as_ref().and_then(mention);
        let assignee = repair.assignee.as_ref().map(|name| mentioned.unwrap_or_else(|| bold(name, NAME_MAX)));
        let status = (!matches!(repair.status, RepairStatus::New | RepairStatus::Assigned))
            .then(|| repair.status.word().to_lowercase());
        let eta = repair.eta.map(|eta| back(eta, self.today()));
        let nobody = || (repair.status != RepairStatus::New).then(|| "nobody yet".to_owned());
        let parts: Vec<String> = [assignee.or_else(nobody), status, eta].into_iter().flatten().collect();
        (!parts.is_empty()).then(|| format!(":wrench: {}", parts.join(" · ")))
    }

    fn repair_update(
        &self,
        update: &RepairUpdate,
        links: RepairLinks<'_>,
        placement: Placement,
    ) -> Result<Message, BlocksError> {
        let repair = &update.repair;
        let today = self.today();
        let (said, unmarked) = (said(update, today, true), unmarked(&said(update, today, false)));
        let named = match update.is_back_in_service() {
            _ if placement == Placement::Thread => None,
            true => Some(format!(
                "{WORKS} {} works again · {}",
                bold_link(&repair.equipment, NAME_MAX, links.equipment),
                line(&repair.area, HINT_MAX)
            )),
            false => Some(format!(
                "{} ({}) · {}",
                bold_link(&repair.equipment, NAME_MAX, links.equipment),
                line(&repair.area, HINT_MAX),
                line(&repair.description, HINT_MAX)
            )),
        };
        let prefix =
            if update.is_back_in_service() && named.is_some() { String::new() } else { prefix(update) };
        let mut first = format!("{prefix}{said}");
        if let Some(note) = &update.note {
            first = format!("{first}\n{}", quote(note, NOTE_MAX));
        }
        let others = update.lines.iter().find_map(|line| match line {
            UpdateLine::Closed { others, .. } => open_still(others),
            _ => None,
        });
        let filled = Update {
            lines: named.into_iter().chain([first]).chain(others).collect(),
            context: (placement == Placement::Channel).then(|| number(repair, links)),
        };
        let note = update.note.as_ref().map(|note| format!(": {}", one_line(note))).unwrap_or_default();
        let text = plain(&format!("{} ({}): {}{note}", repair.equipment, repair.area, unmarked));
        Ok(Message::new(text, self.fill("repair_update", &filled)?))
    }
}

/// The sections and the context of a closed repair.
fn closed(repair: &RepairSnapshot, closing: &Closing, links: RepairLinks<'_>) -> (Vec<String>, String) {
    let (name, area) =
        (bold_link(&repair.equipment, NAME_MAX, links.equipment), line(&repair.area, HINT_MAX));
    let first = match (closing.duplicate_of, closing.others.worst.first()) {
        (Some(original), _) => format!("{name} · closed as a duplicate of #{original} · {area}"),
        (None, Some(worst)) => format!(
            "{WORKS} {name} · done, but still {}: #{} {}",
            state_word(worst.severity),
            worst.id,
            line_within(&worst.description, HINT_MAX)
        ),
        (None, None) => format!("{WORKS} {name} works again · {area}"),
    };
    let note = closing.note.as_ref().map(|note| format!("\n{}", quote(note, NOTE_MAX)));
    let how = match repair.status {
        RepairStatus::Resolved => "fixed in",
        RepairStatus::NoIssueFound => "no issue found after",
        _ => "closed after",
    };
    let context = format!(
        "{} · {how} {} · {} · was: {}",
        line(&closing.by, NAME_MAX),
        duration(closing.took),
        number(repair, links),
        line(&repair.description, HINT_MAX)
    );
    (vec![format!("{first}{}", note.unwrap_or_default())], context)
}

fn open_context(repair: &RepairSnapshot, details: &CardDetails, links: RepairLinks<'_>) -> String {
    let counted = |n: u64, one: &str, many: &str| format!("{n} {}", if n == 1 { one } else { many });
    let photos =
        (details.photos > 0).then(|| format!(":camera: {}", counted(details.photos, "photo", "photos")));
    let others = (details.me_too > 0).then(|| counted(details.me_too, "other too", "others too"));
    let consumable = repair.consumable.then(|| "something is used up".to_owned());
    let parts =
        [Some(line(&repair.reporter, NAME_MAX)), Some(number(repair, links)), consumable, photos, others];
    let replies = Some("Replies here are saved with the repair".to_owned());
    parts.into_iter().chain([replies]).flatten().collect::<Vec<_>>().join(" · ")
}

/// The notification text: equipment, state, problem, person. Plain text of at most [`NOTIFICATION_MAX`] characters.
fn notification(repair: &RepairSnapshot, closing: Option<&Closing>) -> String {
    let (equipment, area) = (&repair.equipment, &repair.area);
    let Some(closing) = closing else {
        let warning = if repair.safety_risk { "Do not use: " } else { "" };
        let who = cut(&format!(" – {}", repair.reporter), 40);
        let what =
            format!("{warning}{equipment} {} ({area}): {}", state(repair), one_line(&repair.description));
        return plain(&format!("{}{who}", cut(&what, NOTIFICATION_MAX - who.chars().count())));
    };
    let state = match (closing.duplicate_of, closing.others.count) {
        (Some(original), _) => format!("closed as a duplicate of #{original}"),
        (None, 0) => "works again".into(),
        (None, _) => "has one problem less".into(),
    };
    let note = closing.note.as_ref().map(|note| format!(": {}", one_line(note))).unwrap_or_default();
    plain(&format!("{equipment} ({area}) {state}{note} – {}", closing.by))
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Text without markup, cut to the length of a notification.
fn plain(text: &str) -> String {
    line_within(text, NOTIFICATION_MAX)
}

/// Removes the markup of bold names.
fn unmarked(text: &str) -> String {
    text.replace('*', "").replace("&amp;", "&").replace("&lt;", "<").replace("&gt;", ">")
}

/// `#326`, linked for technicians.
fn number(repair: &RepairSnapshot, links: RepairLinks<'_>) -> String {
    match links.repair {
        Some(link) => format!("<{link}|#{}>", repair.id),
        None => format!("#{}", repair.id),
    }
}

fn label(repair: &RepairSnapshot) -> String {
    cut(&format!("#{} {}", repair.id, repair.equipment), LABEL_MAX - "Machine’s page: ".chars().count())
}

/// Block id of the buttons for this version of a repair.
pub(super) fn buttons_of_version(version: i64) -> String {
    format!("{BUTTONS}{version}")
}

/// The version of the repair that the card with the pressed button showed.
pub fn version_of_buttons(block_id: &str) -> Option<i64> {
    block_id.strip_prefix(BUTTONS)?.parse().ok()
}

/// The emoji of an open repair. A new one that is down or unsafe gets the alarm.
fn sign(repair: &RepairSnapshot) -> String {
    let is_down = repair.severity == Some(Severity::Down);
    let sign = match (repair.safety_risk, is_down) {
        (true, _) => SAFETY_SIGN,
        (false, true) => DOWN,
        (false, false) => DEGRADED,
    };
    let is_alarm = repair.status == RepairStatus::New && (is_down || repair.safety_risk);
    // The safety emoji is always first.
    match (is_alarm, repair.safety_risk) {
        (true, false) => ALARM.to_owned(),
        (true, true) => format!("{SAFETY_SIGN}{ALARM}"),
        (false, _) => sign.to_owned(),
    }
}

fn state(repair: &RepairSnapshot) -> &'static str {
    state_word(repair.severity)
}

const fn state_word(severity: Option<Severity>) -> &'static str {
    match severity {
        Some(Severity::Down) => "down",
        Some(Severity::Degraded) => "degraded",
        Some(Severity::NotSure) | None => "has a problem",
    }
}

/// The lines except those that others imply: an assignment implies the status *Assigned*.
fn visible_lines(update: &RepairUpdate) -> impl Iterator<Item = &UpdateLine> {
    let is_assigned = update.lines.iter().any(|line| matches!(line, UpdateLine::Assignee { .. }));
    let is_implied = is_assigned && update.repair.status == RepairStatus::Assigned;
    update
        .lines
        .iter()
        .filter(move |line| !(is_implied && matches!(line, UpdateLine::Status { from } if from.is_open())))
}

/// The first line decides the prefix (spec "Announcements").
fn prefix(update: &RepairUpdate) -> String {
    let sign = match visible_lines(update).next() {
        Some(UpdateLine::Closed { .. }) if update.repair.status == RepairStatus::Duplicate => "",
        Some(UpdateLine::Closed { .. }) => return format!("{WORKS} "),
        Some(UpdateLine::Status { .. }) => STATUS,
        Some(UpdateLine::Assignee { .. }) => ASSIGNEE,
        Some(UpdateLine::Severity { .. } | UpdateLine::SafetyRisk) if update.repair.safety_risk => {
            return format!("{SAFETY_SIGN} ");
        }
        Some(UpdateLine::Severity { .. } | UpdateLine::SafetyRisk) => SEVERITY,
        Some(UpdateLine::Eta { .. }) => ETA,
        None => "",
    };
    sign.to_owned()
}

/// An update in one line: "*Riley* claimed this, back Sat 5 Dec". A notification mentions nobody.
fn said(update: &RepairUpdate, today: NaiveDate, mentions: bool) -> String {
    let by = bold(&update.by, NAME_MAX);
    let mut phrases: Vec<(bool, String)> =
        visible_lines(update).map(|update_line| phrase(update_line, update, today, mentions)).collect();
    phrases.sort_by_key(|(is_verb, _)| !is_verb);
    let is_verb = phrases.first().is_some_and(|(is_verb, _)| *is_verb);
    let words: Vec<String> = phrases.into_iter().map(|(_, words)| words).collect();
    let separator = match words.is_empty() {
        true => "",
        false if is_verb => " ",
        false => ": ",
    };
    format!("{by}{separator}{}", words.join(", "))
}

/// The text of one line, and whether it continues the sentence after the person's name.
fn phrase(
    update_line: &UpdateLine,
    update: &RepairUpdate,
    today: NaiveDate,
    mentions: bool,
) -> (bool, String) {
    let repair = &update.repair;
    match update_line {
        UpdateLine::Closed { .. } => (true, closed_phrase(repair.status).into()),
        UpdateLine::Status { from } if !from.is_open() => (true, "reopened this".into()),
        UpdateLine::Status { .. } => (false, repair.status.word().to_lowercase()),
        UpdateLine::Assignee { .. } => (true, assigned(update, mentions)),
        UpdateLine::Severity { .. } => (false, format!("now {}", state(repair))),
        UpdateLine::SafetyRisk => (false, "*do not use*, somebody could be hurt".into()),
        UpdateLine::Eta { .. } => {
            (false, repair.eta.map_or_else(|| "no ETA any more".into(), |eta| back(eta, today)))
        }
    }
}

const fn closed_phrase(status: RepairStatus) -> &'static str {
    match status {
        RepairStatus::Resolved => "fixed this",
        RepairStatus::NoIssueFound => "closed this: no issue found",
        _ => "closed this as a duplicate",
    }
}

/// People are not mentioned for their own changes.
fn assigned(update: &RepairUpdate, mentions: bool) -> String {
    match &update.repair.assignee {
        Some(_) if update.is_claim() => "claimed this".into(),
        Some(name) => {
            let who = update.repair.assignee_slack_id.as_ref().filter(|_| mentions).and_then(mention);
            format!("assigned this to {}", who.unwrap_or_else(|| bold(name, NAME_MAX)))
        }
        None => "handed this back".into(),
    }
}

/// The other open repairs of the equipment: the worst few, and how many more.
fn open_still(others: &OthersOpen) -> Option<String> {
    let shown: Vec<String> = others
        .worst
        .iter()
        .map(|repair| {
            let state = state_word(repair.severity);
            format!("#{} {state}: {}", repair.id, line_within(&repair.description, HINT_MAX))
        })
        .collect();
    let more = match others.count.saturating_sub(shown.len()) {
        0 => String::new(),
        more => format!(" · and {more} more"),
    };
    (others.count > 0).then(|| format!("*Still open:* {}{more}", shown.join(" · ")))
}
