//! One piece of equipment: the page that its label links to, with the form to report a problem.

use super::attachments::{DocumentsShown, PhotoShown, documents_shown, photos_shown};
use super::controls::{ErrorLine, error_lines, error_of};
use super::times::{Eta, Moment};
use super::{Html, StatusMark, counted};
use crate::domain::board::BoardStatus;
use crate::domain::file::Accepts;
use crate::domain::ids::{AreaId, EquipmentId, RepairId};
use crate::domain::repair::Severity;
use crate::domain::text::{Description, EmailAddress, PersonName};
use crate::domain::zone::Zone;
use crate::views::equipment::{LinkView, OpenRepair, PublicEquipment};
use chrono::{DateTime, NaiveDate, Utc};
use handlebars::RenderError;
use serde::Serialize;

/// The report form as typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportForm {
    pub reporter_name: String,
    /// May be empty.
    pub reporter_email: String,
    pub description: String,
    pub severity: Severity,
    pub safety_risk: bool,
    /// A consumable is used up.
    pub consumable: bool,
}

impl Default for ReportForm {
    /// The form as it is first shown (spec: severity is Not Sure).
    fn default() -> Self {
        Self {
            reporter_name: String::new(),
            reporter_email: String::new(),
            description: String::new(),
            severity: Severity::NotSure,
            safety_risk: false,
            consumable: false,
        }
    }
}

/// Why a field, or the form as a whole, was rejected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    /// The input's name; `None` for the whole form.
    pub field: Option<&'static str>,
    /// Shown to the person.
    pub message: String,
}

#[derive(Debug)]
pub struct PublicEquipmentPage<'a> {
    pub equipment: &'a PublicEquipment,
    /// The form, with what was typed if it is shown again.
    pub form: &'a ReportForm,
    /// Errors if the form is shown again.
    pub errors: &'a [FieldError],
    pub csrf_token: &'a str,
    pub request_id: &'a str,
    /// The repair for which the person just said "me too".
    pub thanks_for: Option<RepairId>,
}

#[derive(Serialize)]
struct Equipment<'a> {
    id: EquipmentId,
    name: &'a str,
    area_id: AreaId,
    area: &'a str,
    /// "Jet · JWBS-14", or empty.
    make: String,
    description: &'a str,
    links: Vec<LinkShown<'a>>,
    documents: Vec<DocumentsShown<'a>>,
    photos: Vec<PhotoShown<'a>>,
    status: StatusMark,
    advice: &'static str,
    issues: Vec<Issue<'a>>,
    /// Text about the issues that are not shown.
    more: Option<String>,
    form: Form<'a>,
    errors: Vec<ErrorLine<'a>>,
    csrf_token: &'a str,
    request_id: &'a str,
}

#[derive(Serialize)]
struct Issue<'a> {
    id: RepairId,
    description: &'a str,
    severity: StatusMark,
    /// The severity in the form's wording.
    severity_word: &'static str,
    status: &'static str,
    reported: Moment,
    safety_risk: bool,
    eta: Option<Eta>,
    assignee: Option<&'a str>,
    /// "3 others have this too."
    me_too: Option<String>,
    thanks: bool,
}

#[derive(Serialize)]
struct Form<'a> {
    reporter_name: Field<'a>,
    reporter_email: Field<'a>,
    description: Field<'a>,
    severities: Vec<SeverityChoice>,
    severity_error: Option<&'a str>,
    safety_risk: bool,
    consumable: bool,
    photo_kinds: String,
    photos_error: Option<&'a str>,
}

#[derive(Serialize)]
struct Field<'a> {
    value: &'a str,
    error: Option<&'a str>,
    max: usize,
}

#[derive(Serialize)]
struct SeverityChoice {
    word: &'static str,
    meaning: &'static str,
    mark: &'static str,
    checked: bool,
}

impl Html {
    pub fn public_equipment(
        &self,
        page: &PublicEquipmentPage<'_>,
        now: DateTime<Utc>,
    ) -> Result<String, RenderError> {
        let equipment = page.equipment;
        let (zone, today) = (&self.site.timezone, self.today(now));
        let make = [equipment.manufacturer.as_str(), equipment.model.as_str()];
        let content = Equipment {
            id: equipment.id,
            name: &equipment.name,
            area_id: equipment.area_id,
            area: &equipment.area,
            make: make.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" · "),
            description: &equipment.description,
            links: links_shown(&equipment.links),
            documents: documents_shown(&equipment.documents, false),
            photos: photos_shown(&equipment.photos, false, false),
            status: equipment.status.into(),
            advice: advice(equipment),
            issues: equipment
                .open_repairs
                .iter()
                .map(|repair| issue(repair, page.thanks_for, zone, today))
                .collect(),
            more: more(equipment),
            form: form(page.form, page.errors),
            errors: error_lines(page.errors, label),
            csrf_token: page.csrf_token,
            request_id: page.request_id,
        };
        let title = match page.errors {
            [] => equipment.name.clone(),
            _ => format!("Error: {}", equipment.name),
        };
        self.page("public_equipment", &title, &content)
    }
}

/// A link as templates use it.
#[derive(Serialize)]
pub(super) struct LinkShown<'a> {
    id: i64,
    title: &'a str,
    url: &'a str,
}

pub(super) fn links_shown(links: &[LinkView]) -> Vec<LinkShown<'_>> {
    links.iter().map(|link| LinkShown { id: link.id.0, title: &link.title, url: &link.url }).collect()
}

fn advice(equipment: &PublicEquipment) -> &'static str {
    match equipment.status {
        _ if equipment.safety_risk => "Somebody could be hurt. Please do not use it until it is repaired.",
        BoardStatus::Operational => "No known problems.",
        BoardStatus::Degraded => "Something is wrong with it. Read what is known before you use it.",
        BoardStatus::Down => "Please do not use it until it is repaired.",
    }
}

fn more(equipment: &PublicEquipment) -> Option<String> {
    let hidden = equipment.open_count.saturating_sub(equipment.open_repairs.len());
    (hidden > 0).then(|| {
        format!(
            "{} open. Those above are the worst.",
            counted(hidden, "more problem is", "more problems are")
        )
    })
}

fn issue<'a>(
    repair: &'a OpenRepair,
    thanks_for: Option<RepairId>,
    zone: &Zone,
    today: NaiveDate,
) -> Issue<'a> {
    let mark = match repair.severity {
        Some(Severity::Down) => BoardStatus::Down,
        _ => BoardStatus::Degraded,
    };
    let others = usize::try_from(repair.me_too).unwrap_or(usize::MAX);
    Issue {
        id: repair.id,
        description: &repair.description,
        severity: mark.into(),
        severity_word: repair.severity.unwrap_or(Severity::NotSure).word(),
        status: repair.status.word(),
        reported: Moment::new(repair.created_at, zone),
        safety_risk: repair.safety_risk,
        eta: repair.eta.map(|date| Eta::new(date, today)),
        assignee: repair.assignee.as_deref(),
        me_too: (others > 0)
            .then(|| format!("{} too", counted(others, "person has this", "people have this"))),
        thanks: thanks_for == Some(repair.id),
    }
}

fn form<'a>(form: &'a ReportForm, errors: &'a [FieldError]) -> Form<'a> {
    let error_of = |name: &str| error_of(errors, name);
    let field = |name: &str, value: &'a str, max: usize| Field { value, error: error_of(name), max };
    Form {
        reporter_name: field("reporter_name", &form.reporter_name, PersonName::MAX),
        reporter_email: field("reporter_email", &form.reporter_email, EmailAddress::MAX),
        description: field("description", &form.description, Description::MAX),
        severities: Severity::ALL.iter().map(|&severity| choice(severity, form.severity)).collect(),
        severity_error: error_of("severity"),
        safety_risk: form.safety_risk,
        consumable: form.consumable,
        photo_kinds: Accepts::Photos.offered(),
        photos_error: error_of("photos"),
    }
}

fn choice(severity: Severity, chosen: Severity) -> SeverityChoice {
    let mark = match severity {
        Severity::Down => "down",
        Severity::Degraded => "degraded",
        Severity::NotSure => "unsure",
    };
    SeverityChoice { word: severity.word(), meaning: severity.meaning(), mark, checked: severity == chosen }
}

fn label(field: &str) -> Option<&'static str> {
    Some(match field {
        "reporter_name" => "Your name",
        "reporter_email" => "E-mail",
        "description" => "What is wrong",
        "photos" => "Photos",
        "severity" => "How bad is it",
        _ => return None,
    })
}
