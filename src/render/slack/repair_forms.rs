//! The repair forms of technicians: `choose_repair`, `act_on_repair`, `create_repair`, `update_repair`.

use super::inputs::Inputs;
use super::mrkdwn::{SAFETY, SECTION_MAX, back, bold, date, escape_within, line, line_within};
use super::options::SelectOption;
use super::{Blocks, BlocksError, Modal, PHOTOS_MAX};
use crate::domain::repair::{RepairStatus, Severity};
use crate::domain::text::{Description, Note, SpecialistDescription, cut};
use crate::domain::timeline::TimelineKind;
use crate::render::timeline_text::describe;
use crate::views::equipment::EquipmentMatch;
use crate::views::repairs::{RepairBrief, TimelineEntryView};
use chrono::{DateTime, NaiveDate, Utc};
use serde::Serialize;

/// Most characters of a view's title (a Slack limit).
const TITLE_MAX: usize = 24;
const NAME_MAX: usize = 200;
/// Most characters of the issue above a form.
const ISSUE_MAX: usize = 600;

/// An action on a repair in one step (spec `/esb-repair`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RepairAction {
    /// Assign it to the person.
    Claim,
    SetEta,
    SetStatus,
    Resolve,
}

impl RepairAction {
    /// All actions, in display order.
    pub const ALL: [Self; 4] = [Self::Claim, Self::SetEta, Self::SetStatus, Self::Resolve];

    /// The value that Slack sends back.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Claim => "claim",
            Self::SetEta => "set_eta",
            Self::SetStatus => "set_status",
            Self::Resolve => "resolve_with_note",
        }
    }

    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|action| action.word() == word)
    }

    /// Actions for a repair of this status: a closed one can only get another status.
    pub fn offered(status: RepairStatus) -> &'static [Self] {
        if status.is_open() { &Self::ALL } else { &[Self::SetStatus] }
    }

    fn option(self) -> SelectOption {
        let (text, description) = match self {
            Self::Claim => ("Claim it", "It is assigned to me"),
            Self::SetEta => ("Set the ETA", "When it should work again"),
            Self::SetStatus => ("Set the status", "Parts, specialist, nothing found, duplicate"),
            Self::Resolve => ("Resolve it", "With a note of what was done"),
        };
        SelectOption::new(text, description, self.word())
    }
}

/// The values of `act_on_repair`, except the repair.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ActForm {
    pub action: Option<RepairAction>,
    pub status: Option<RepairStatus>,
    pub eta: Option<NaiveDate>,
    pub note: String,
}

#[derive(Serialize)]
struct Choose<'a> {
    private_metadata: &'a str,
}

#[derive(Serialize)]
struct Act<'a> {
    private_metadata: &'a str,
    title: String,
    facts: String,
    issue: String,
    action: Option<SelectOption>,
    actions: Vec<SelectOption>,
    asks_eta: bool,
    asks_status: bool,
    asks_duplicate_of: bool,
    asks_note: bool,
    #[serde(flatten)]
    inputs: Inputs,
}

#[derive(Serialize)]
struct Create<'a> {
    private_metadata: &'a str,
    unknown: Option<String>,
    equipment: Option<SelectOption>,
    description_max: usize,
    photos: bool,
    photos_max: usize,
    #[serde(flatten)]
    inputs: Inputs,
}

#[derive(Serialize)]
struct Update<'a> {
    private_metadata: &'a str,
    title: String,
    top: String,
    latest: Vec<String>,
    specialist: &'a str,
    specialist_max: usize,
    specialist_read_only: Option<String>,
    #[serde(flatten)]
    inputs: Inputs,
}

impl Blocks {
    /// Asks for one of the open repairs.
    pub fn choose_repair(&self, private_metadata: &str) -> Result<Modal, BlocksError> {
        Ok(Modal(self.fill("choose_repair", &Choose { private_metadata })?))
    }

    /// One step on a repair; shows only the inputs that the chosen action needs.
    pub fn act_on_repair(
        &self,
        private_metadata: &str,
        repair: &RepairBrief,
        form: &ActForm,
    ) -> Result<Modal, BlocksError> {
        let actions = RepairAction::offered(repair.fields.status);
        // A single action is preselected.
        let action = match actions {
            [only] => Some(*only),
            _ => form.action,
        };
        let status = form.status.unwrap_or(repair.fields.status);
        let mut inputs = Inputs::offering(steps(), Some(status));
        inputs.status_asks = true;
        inputs.eta = form.eta.or(repair.fields.eta).map(|eta| eta.to_string());
        inputs.duplicate_of = repair.duplicate_of.as_ref().map(SelectOption::of_other);
        inputs.note = cut(&form.note, Note::MAX);
        if action == Some(RepairAction::Resolve) {
            (inputs.note_label, inputs.note_optional) = ("What was done?", false);
        }
        let asks = |these: &[RepairAction]| action.is_some_and(|action| these.contains(&action));
        let content = Act {
            private_metadata,
            title: title(repair),
            facts: facts(repair, self.today()),
            issue: line_within(&repair.fields.description, ISSUE_MAX),
            action: action.map(RepairAction::option),
            actions: actions.iter().copied().map(RepairAction::option).collect(),
            asks_eta: asks(&[RepairAction::SetEta]),
            asks_status: asks(&[RepairAction::SetStatus]),
            asks_duplicate_of: asks(&[RepairAction::SetStatus]) && status == RepairStatus::Duplicate,
            asks_note: asks(&[RepairAction::SetStatus, RepairAction::Resolve]),
            inputs,
        };
        Ok(Modal(self.fill("act_on_repair", &content)?))
    }

    /// A new repair. `unknown` is the typed text if it does not identify one piece of equipment.
    pub fn create_repair(
        &self,
        private_metadata: &str,
        equipment: Option<&EquipmentMatch>,
        unknown: Option<&str>,
        photos: bool,
    ) -> Result<Modal, BlocksError> {
        let beginnings = RepairStatus::ALL.iter().copied().filter(|it| *it != RepairStatus::Duplicate);
        let mut inputs = Inputs::offering(beginnings, Some(RepairStatus::New));
        inputs.severity = Some(SelectOption::of_severity(Severity::NotSure));
        let content = Create {
            private_metadata,
            unknown: unknown.map(|typed| line(typed, 80)),
            equipment: equipment.map(SelectOption::of_equipment),
            description_max: Description::MAX,
            photos,
            photos_max: PHOTOS_MAX,
            inputs,
        };
        Ok(Modal(self.fill("create_repair", &content)?))
    }

    /// The full edit. A specialist text that is too long for an input is shown read-only.
    pub fn update_repair(
        &self,
        private_metadata: &str,
        repair: &RepairBrief,
        now: DateTime<Utc>,
    ) -> Result<Modal, BlocksError> {
        let fields = &repair.fields;
        let mut inputs = Inputs::offering(RepairStatus::ALL.iter().copied(), Some(fields.status));
        inputs.duplicate_of = repair.duplicate_of.as_ref().map(SelectOption::of_other);
        inputs.severity = fields.severity.map(SelectOption::of_severity);
        inputs.assignee = fields.assignee.as_ref().map(SelectOption::of_person);
        inputs.eta = fields.eta.map(|eta| eta.to_string());
        inputs.safety_risk = fields.safety_risk;
        inputs.consumable = fields.consumable;
        let specialist = fields.specialist_description.as_str();
        let fits = fits_an_input(specialist);
        let content = Update {
            private_metadata,
            title: title(repair),
            top: top(repair, now),
            latest: repair.latest.iter().map(|entry| happened(entry, now)).collect(),
            specialist: if fits { specialist } else { "" },
            specialist_max: SpecialistDescription::MAX,
            specialist_read_only: (!fits).then(|| read_only(specialist)),
            inputs,
        };
        Ok(Modal(self.fill("update_repair", &content)?))
    }
}

/// True if Slack can edit this text in an input.
fn fits_an_input(specialist: &str) -> bool {
    specialist.chars().count() <= SpecialistDescription::MAX
}

fn read_only(specialist: &str) -> String {
    let heading = "*What a specialist is needed for*\nThis is too long to be edited in Slack; the page of \
        the repair on the web has the whole text.";
    format!("{heading}\n>>>{}", escape_within(specialist, SECTION_MAX - heading.len() - 4))
}

/// The statuses that `set_status` offers: resolving is a separate action.
fn steps() -> impl Iterator<Item = RepairStatus> {
    RepairStatus::ALL.iter().copied().filter(|status| *status != RepairStatus::Resolved)
}

fn title(repair: &RepairBrief) -> String {
    cut(&format!("Repair #{}", repair.id), TITLE_MAX)
}

pub(super) fn facts(repair: &RepairBrief, today: NaiveDate) -> String {
    let fields = &repair.fields;
    let mut facts = vec![
        format!("*#{}* {} ({})", repair.id, bold(&repair.equipment, NAME_MAX), line(&repair.area, NAME_MAX)),
        fields.severity.map_or("No severity", Severity::word).to_owned(),
        fields.status.word().to_owned(),
        fields.assignee.as_ref().map_or_else(
            || "nobody assigned".into(),
            |person| format!("assigned to {}", line(&person.name, NAME_MAX)),
        ),
    ];
    facts.extend(fields.eta.map(|eta| back(eta, today)));
    let safety = if fields.safety_risk { SAFETY } else { "" };
    format!("{safety}{}", facts.join(" · "))
}

fn top(repair: &RepairBrief, now: DateTime<Utc>) -> String {
    let safety = if repair.fields.safety_risk { SAFETY } else { "" };
    format!(
        "{safety}{} ({})\nReported by {} {}\n>{}",
        bold(&repair.equipment, NAME_MAX),
        line_within(&repair.area, NAME_MAX),
        line_within(&repair.reporter, NAME_MAX),
        ago(repair.created_at, now),
        line_within(&repair.fields.description, ISSUE_MAX),
    )
}

/// One timeline entry, in one line.
fn happened(entry: &TimelineEntryView, now: DateTime<Utc>) -> String {
    let note = match &entry.new {
        Some(text) if entry.kind == TimelineKind::Note => format!(": {}", line_within(text, ISSUE_MAX)),
        _ => String::new(),
    };
    let (by, change) = (
        line(&entry.by, NAME_MAX),
        line_within(&describe(entry, |day| date(day, now.date_naive())), ISSUE_MAX),
    );
    format!("{by} {change} {}{note}", ago(entry.at, now))
}

/// The rough time since then.
fn ago(at: DateTime<Utc>, now: DateTime<Utc>) -> String {
    let since = now - at;
    let (count, unit) = match (since.num_days(), since.num_hours(), since.num_minutes()) {
        (days @ 1.., ..) => (days, "day"),
        (_, hours @ 1.., _) => (hours, "hour"),
        (.., minutes @ 1..) => (minutes, "minute"),
        _ => return "just now".into(),
    };
    format!("{count} {unit}{} ago", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeDelta;

    #[test]
    fn age_is_rounded() {
        let now = DateTime::UNIX_EPOCH + TimeDelta::days(1000);
        for (seconds, expected) in [
            (-5, "just now"),
            (59, "just now"),
            (60, "1 minute ago"),
            (3_600 * 2 + 5, "2 hours ago"),
            (86_400, "1 day ago"),
            (86_400 * 400, "400 days ago"),
        ] {
            assert_eq!(ago(now - TimeDelta::seconds(seconds), now), expected);
        }
    }

    #[test]
    fn repair_action_words_round_trip() {
        for action in RepairAction::ALL {
            assert_eq!(RepairAction::of_word(action.word()), Some(action));
        }
        assert_eq!(RepairAction::of_word("delete"), None);
    }
}
