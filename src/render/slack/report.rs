//! The modal `report_problem`, and the private answers around it.

use super::mrkdwn::{SAFETY, bold, date, line};
use super::{Blocks, BlocksError, Modal};
use crate::domain::ids::RepairId;
use crate::domain::repair::Severity;
use crate::domain::text::{Description, PersonName, cut};
use crate::views::equipment::{EquipmentMatch, OpenRepair};
use serde::Serialize;

/// Known issues shown in the modal; more are counted.
const KNOWN_MAX: usize = 10;
/// Most characters of an option's text and description (a Slack limit; documents disagree on more).
pub const OPTION_MAX: usize = 75;

/// What the modal is filled with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportModal<'a> {
    /// Comes back with the submission; at most 3000 characters.
    pub private_metadata: &'a str,
    /// The machine that is chosen.
    pub equipment: Option<&'a EquipmentMatch>,
    /// What the person typed, where it names no single machine.
    pub unknown: Option<&'a str>,
    /// The reporter's name as far as known.
    pub reporter_name: &'a str,
    /// Its open repairs, worst first.
    pub known: &'a [OpenRepair],
    /// How many there are, those not in `known` included.
    pub known_count: usize,
    /// The repairs on which this person has said "me too" in this form.
    pub counted: &'a [RepairId],
}

/// An option of an external select.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EquipmentOption {
    text: String,
    description: String,
    value: String,
}

impl EquipmentOption {
    /// The option that stands for a machine.
    pub fn of(machine: &EquipmentMatch) -> Self {
        Self {
            text: cut(&machine.name, OPTION_MAX),
            description: cut(&machine.area, OPTION_MAX),
            value: machine.id.to_string(),
        }
    }
}

#[derive(Serialize)]
struct Known {
    repair: String,
    text: String,
    counted: bool,
}

#[derive(Serialize)]
struct SeverityOption {
    word: &'static str,
    meaning: &'static str,
}

impl From<Severity> for SeverityOption {
    fn from(severity: Severity) -> Self {
        Self { word: severity.word(), meaning: severity.meaning() }
    }
}

#[derive(Serialize)]
struct Content<'a> {
    private_metadata: &'a str,
    equipment: Option<EquipmentOption>,
    reporter_name: String,
    reporter_name_max: usize,
    description_max: usize,
    severities: Vec<SeverityOption>,
    severity: SeverityOption,
    /// What was typed in vain in place of a machine's name.
    unknown: Option<String>,
    /// Named beside its issues: two quick choices may show the first one's for a moment.
    known_of: Option<String>,
    known: Vec<Known>,
    more: Option<String>,
}

#[derive(Serialize)]
struct Options {
    options: Vec<EquipmentOption>,
}

impl Blocks {
    /// The modal in which somebody reports a problem.
    ///
    /// # Errors
    /// A mistake of ours in the template.
    pub fn report_problem(&self, modal: &ReportModal<'_>) -> Result<Modal, BlocksError> {
        let content = Content {
            private_metadata: modal.private_metadata,
            equipment: modal.equipment.map(EquipmentOption::of),
            reporter_name: cut(modal.reporter_name, PersonName::MAX),
            reporter_name_max: PersonName::MAX,
            description_max: Description::MAX,
            severities: Severity::ALL.iter().map(|&severity| severity.into()).collect(),
            severity: Severity::NotSure.into(),
            unknown: modal.unknown.map(|typed| line(typed, 80)),
            known_of: modal.equipment.map(|machine| bold(&machine.name, 80)),
            known: modal.known.iter().take(KNOWN_MAX).map(|repair| known(repair, modal.counted)).collect(),
            more: more(modal.known_count),
        };
        Ok(Modal(self.fill("report_problem", &content)?))
    }

    /// The answer to a select that asks for machines.
    ///
    /// # Errors
    /// A mistake of ours in the template.
    pub fn equipment_options(&self, machines: &[EquipmentMatch]) -> Result<serde_json::Value, BlocksError> {
        self.fill(
            "equipment_options",
            &Options { options: machines.iter().map(EquipmentOption::of).collect() },
        )
    }
}

fn known(repair: &OpenRepair, counted: &[RepairId]) -> Known {
    let severity = repair.severity.map_or("", Severity::word);
    let mut facts: Vec<String> =
        [severity, repair.status.word()].iter().filter(|w| !w.is_empty()).map(ToString::to_string).collect();
    facts.extend(repair.eta.map(|eta| format!("ETA {}", date(eta))));
    facts.extend(people(repair.me_too));
    Known {
        repair: repair.id.to_string(),
        text: format!(
            "*#{}* {}{}\n{}",
            repair.id,
            if repair.safety_risk { SAFETY } else { "" },
            line(&repair.description, 200),
            facts.join(" · ")
        ),
        counted: counted.contains(&repair.id),
    }
}

/// What is said of the known issues that do not fit.
fn more(known: usize) -> Option<String> {
    match known.saturating_sub(KNOWN_MAX) {
        0 => None,
        1 => Some("1 more is known: see `/esb-status`.".into()),
        n => Some(format!("{n} more are known: see `/esb-status`.")),
    }
}

/// How many others have the same problem, where anyone has.
pub(super) fn people(me_too: u64) -> Option<String> {
    match me_too {
        0 => None,
        1 => Some("1 other person has this too".into()),
        n => Some(format!("{n} others have this too")),
    }
}
