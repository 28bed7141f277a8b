//! The form in which a technician opens a repair, and the search for its equipment.

use super::controls::{Choice, ErrorLine, error_lines};
use super::repair::label;
use super::{FieldError, Html, RepairForm};
use crate::domain::file::Accepts;
use crate::domain::ids::{EquipmentId, UserId};
use crate::domain::repair::{RepairStatus, Severity};
use crate::views::equipment::{EquipmentMatch, PublicEquipment};
use handlebars::RenderError;
use serde::Serialize;

#[derive(Debug)]
pub struct NewRepairPage<'a> {
    /// The equipment, once it is chosen.
    pub equipment: Option<&'a PublicEquipment>,
    /// The search text.
    pub text: &'a str,
    /// The matches.
    pub found: &'a [EquipmentMatch],
    /// Nothing matched; `found` has the nearest names.
    pub are_nearest: bool,
    /// Possible assignees.
    pub people: &'a [(UserId, String)],
    /// The form as typed.
    pub form: &'a RepairForm,
    /// Errors if the form is shown again.
    pub errors: &'a [FieldError],
    pub csrf_token: &'a str,
    pub request_id: &'a str,
}

#[derive(Serialize)]
struct NewRepair<'a> {
    equipment: Option<EquipmentOption<'a>>,
    text: &'a str,
    found: Vec<EquipmentOption<'a>>,
    are_nearest: bool,
    typed: &'a RepairForm,
    statuses: Vec<Choice>,
    severities: Vec<Choice>,
    people: Vec<Choice>,
    photo_kinds: String,
    errors: Vec<ErrorLine<'a>>,
    csrf_token: &'a str,
    request_id: &'a str,
}

#[derive(Serialize)]
struct EquipmentOption<'a> {
    id: EquipmentId,
    name: &'a str,
    area: &'a str,
}

impl Html {
    pub fn new_repair(&self, page: &NewRepairPage<'_>) -> Result<String, RenderError> {
        let typed = page.form;
        let statuses = RepairStatus::ALL.iter().filter(|status| **status != RepairStatus::Duplicate);
        let severity = |s: &Severity| Choice::new(s, s, typed.severity == s.word());
        let person = |(id, name): &(UserId, String)| Choice::new(id, name, typed.assignee == id.to_string());
        let content = NewRepair {
            equipment: page.equipment.map(|m| EquipmentOption { id: m.id, name: &m.name, area: &m.area }),
            text: page.text,
            found: page
                .found
                .iter()
                .map(|m| EquipmentOption { id: m.id, name: &m.name, area: &m.area })
                .collect(),
            are_nearest: page.are_nearest,
            typed,
            statuses: statuses.map(|s| Choice::new(s, s, typed.status == s.word())).collect(),
            severities: [Choice::new("", "None", typed.severity.is_empty())]
                .into_iter()
                .chain(Severity::ALL.iter().map(severity))
                .collect(),
            people: [Choice::new("", "Nobody", typed.assignee.is_empty())]
                .into_iter()
                .chain(page.people.iter().map(person))
                .collect(),
            photo_kinds: Accepts::PhotosAndVideos.offered(),
            errors: error_lines(page.errors, label),
            csrf_token: page.csrf_token,
            request_id: page.request_id,
        };
        self.page("new_repair", "New repair", &content)
    }
}
