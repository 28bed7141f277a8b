//! The inputs that the repair forms share; each form's template includes those that it shows.

use super::options::SelectOption;
use crate::domain::repair::{RepairStatus, Severity};
use crate::domain::text::Note;
use serde::Serialize;

/// Most photos in a form (spec "/esb-report").
pub const PHOTOS_MAX: usize = 5;

/// The data of the templates `input_*`.
#[derive(Debug, Serialize)]
pub(super) struct Inputs {
    pub(super) status: Option<SelectOption>,
    pub(super) statuses: Vec<SelectOption>,
    /// Choosing a status sends an action immediately.
    pub(super) status_asks: bool,
    pub(super) duplicate_of: Option<SelectOption>,
    pub(super) severity: Option<SelectOption>,
    severities: Vec<SelectOption>,
    pub(super) assignee: Option<SelectOption>,
    /// As Slack writes dates: 2026-03-09.
    pub(super) eta: Option<String>,
    pub(super) note: String,
    pub(super) note_label: &'static str,
    pub(super) note_optional: bool,
    note_max: usize,
    pub(super) safety_risk: bool,
    pub(super) consumable: bool,
}

impl Inputs {
    /// Empty inputs that offer these statuses.
    pub(super) fn offering(
        statuses: impl Iterator<Item = RepairStatus>,
        chosen: Option<RepairStatus>,
    ) -> Self {
        let statuses: Vec<RepairStatus> = statuses.collect();
        Self {
            status: chosen.filter(|it| statuses.contains(it)).map(SelectOption::of_status),
            statuses: statuses.into_iter().map(SelectOption::of_status).collect(),
            status_asks: false,
            duplicate_of: None,
            severity: None,
            severities: Severity::ALL.iter().copied().map(SelectOption::of_severity).collect(),
            assignee: None,
            eta: None,
            note: String::new(),
            note_label: "Note",
            note_optional: true,
            note_max: Note::MAX,
            safety_risk: false,
            consumable: false,
        }
    }
}
