//! The modal `report_problem`, and its private responses.

use super::mrkdwn::{SAFETY, back, bold, line};
use super::options::SelectOption;
use super::{Blocks, BlocksError, Modal, PHOTOS_MAX};
use crate::domain::ids::RepairId;
use crate::domain::repair::Severity;
use crate::domain::text::{Description, PersonName, cut};
use crate::views::equipment::{EquipmentMatch, OpenRepair};
use chrono::NaiveDate;
use serde::Serialize;

/// Known issues shown in the modal; more are counted.
const KNOWN_MAX: usize = 10;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportModal<'a> {
    /// Returned with the submission; at most 3000 characters.
    pub private_metadata: &'a str,
    /// The chosen equipment.
    pub equipment: Option<&'a EquipmentMatch>,
    /// The typed text if it does not identify one piece of equipment.
    pub unknown: Option<&'a str>,
    /// The reporter's name if known.
    pub reporter_name: &'a str,
    /// The description, as far as it is already written.
    pub description: &'a str,
    /// Open repairs of the equipment, worst first.
    pub known: &'a [OpenRepair],
    /// Number of open repairs, including those not in `known`.
    pub known_count: usize,
    /// Whether the form asks for photos.
    pub photos: bool,
    /// Repairs for which this person has said "me too" in this form.
    pub counted: &'a [RepairId],
}

#[derive(Serialize)]
struct Known {
    repair: String,
    text: String,
    counted: bool,
}

#[derive(Serialize)]
struct Content<'a> {
    private_metadata: &'a str,
    equipment: Option<SelectOption>,
    reporter_name: String,
    reporter_name_max: usize,
    description: String,
    description_max: usize,
    severities: Vec<SelectOption>,
    severity: SelectOption,
    /// The typed text that matched no equipment.
    unknown: Option<String>,
    /// The equipment that the known issues belong to: after two quick choices the first one's may be shown for a
    /// moment.
    known_of: Option<String>,
    known: Vec<Known>,
    more: Option<String>,
    photos: bool,
    photos_max: usize,
}

impl Blocks {
    pub fn report_problem(&self, modal: &ReportModal<'_>) -> Result<Modal, BlocksError> {
        let content = Content {
            private_metadata: modal.private_metadata,
            equipment: modal.equipment.map(SelectOption::of_equipment),
            reporter_name: cut(modal.reporter_name, PersonName::MAX),
            reporter_name_max: PersonName::MAX,
            description: cut(modal.description, Description::MAX),
            description_max: Description::MAX,
            severities: Severity::ALL.iter().copied().map(SelectOption::of_severity).collect(),
            severity: SelectOption::of_severity(Severity::NotSure),
            unknown: modal.unknown.map(|typed| line(typed, 80)),
            known_of: modal.equipment.map(|equipment| bold(&equipment.name, 80)),
            known: modal
                .known
                .iter()
                .take(KNOWN_MAX)
                .map(|repair| known(repair, modal.counted, self.today()))
                .collect(),
            more: more(modal.known_count),
            photos: modal.photos,
            photos_max: PHOTOS_MAX,
        };
        Ok(Modal(self.fill("report_problem", &content)?))
    }
}

fn known(repair: &OpenRepair, counted: &[RepairId], today: NaiveDate) -> Known {
    let severity = repair.severity.map_or("", Severity::word);
    let mut facts: Vec<String> =
        [severity, repair.status.word()].iter().filter(|w| !w.is_empty()).map(ToString::to_string).collect();
    facts.extend(repair.eta.map(|eta| back(eta, today)));
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

/// Text about the known issues that do not fit.
fn more(known: usize) -> Option<String> {
    match known.saturating_sub(KNOWN_MAX) {
        0 => None,
        1 => Some("1 more is known: see `/esb-status`.".into()),
        n => Some(format!("{n} more are known: see `/esb-status`.")),
    }
}

/// How many others have the same problem, if any.
pub(super) fn people(me_too: u64) -> Option<String> {
    match me_too {
        0 => None,
        1 => Some("1 other person has this too".into()),
        n => Some(format!("{n} others have this too")),
    }
}
