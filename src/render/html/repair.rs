//! One repair: its details, its forms, its timeline.

use super::attachments::{PhotoShown, photos_shown};
use super::controls::{Choice, ErrorLine, error_lines, error_of};
use super::queue::severity_mark;
use super::times::{Eta, Moment, day};
use super::{FieldError, Html, StatusMark, counted};
use crate::domain::actor::Role;
use crate::domain::field::{Field, RepairFields};
use crate::domain::file::Accepts;
use crate::domain::ids::{EquipmentId, RepairId, TimelineId, UserId};
use crate::domain::repair::{RepairStatus, Severity};
use crate::domain::timeline::TimelineKind;
use crate::domain::zone::Zone;
use crate::render::timeline_text::describe;
use crate::views::repairs::{OtherRepair, RepairView, TimelineEntryView};
use chrono::{DateTime, Utc};
use handlebars::RenderError;
use serde::Serialize;

/// The edit form of a repair, as typed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct RepairForm {
    /// A status word.
    pub status: String,
    /// A repair's id, or empty.
    pub duplicate_of: String,
    /// A user's id, or empty.
    pub assignee: String,
    /// A severity word, or empty.
    pub severity: String,
    /// A date, or empty.
    pub eta: String,
    pub specialist_description: String,
    pub safety_risk: bool,
    /// A consumable is used up.
    pub consumable: bool,
    pub description: String,
    pub note: String,
}

impl RepairForm {
    /// The form with the repair's current values.
    pub fn of(fields: &RepairFields) -> Self {
        let text = |field| fields.get(field).text().unwrap_or_default();
        Self {
            status: text(Field::Status),
            duplicate_of: text(Field::DuplicateOf),
            assignee: fields.assignee.as_ref().map(|person| person.id.to_string()).unwrap_or_default(),
            severity: text(Field::Severity),
            eta: text(Field::Eta),
            specialist_description: fields.specialist_description.clone(),
            safety_risk: fields.safety_risk,
            consumable: fields.consumable,
            description: fields.description.clone(),
            note: String::new(),
        }
    }
}

#[derive(Debug)]
pub struct RepairPage<'a> {
    pub repair: &'a RepairView,
    /// The form, with what was typed if it is shown again.
    pub form: &'a RepairForm,
    /// The version that the form was rendered for.
    pub version: i64,
    /// Errors if the form is shown again.
    pub errors: &'a [FieldError],
    /// The signed-in user.
    pub me: UserId,
    pub role: Role,
    pub csrf_token: &'a str,
    /// Prefix of the forms' idempotency keys.
    pub request_id: &'a str,
}

#[derive(Serialize)]
struct Repair<'a> {
    id: RepairId,
    version: i64,
    equipment_id: EquipmentId,
    equipment: &'a str,
    area: &'a str,
    description: &'a str,
    specialist_description: &'a str,
    severity: StatusMark,
    severity_word: &'static str,
    status: &'static str,
    safety_risk: bool,
    consumable: bool,
    assignee: Option<&'a str>,
    eta: Option<Eta>,
    reporter: &'a str,
    reporter_email: Option<&'a str>,
    me_too: Option<String>,
    reported: Moment,
    closed: Option<Moment>,
    is_open: bool,
    can_claim: bool,
    duplicate_of: Option<Other<'a>>,
    duplicates: Vec<Other<'a>>,
    form: Form<'a>,
    errors: Vec<ErrorLine<'a>>,
    photos: Vec<PhotoShown<'a>>,
    photo_kinds: String,
    timeline: Vec<Entry<'a>>,
    older: Option<TimelineId>,
    csrf_token: &'a str,
    request_id: &'a str,
}

#[derive(Serialize)]
struct Other<'a> {
    id: RepairId,
    status: &'static str,
    description: &'a str,
}

#[derive(Serialize)]
struct Form<'a> {
    typed: &'a RepairForm,
    statuses: Vec<Choice>,
    severities: Vec<Choice>,
    people: Vec<Choice>,
    others: Vec<Choice>,
    /// Errors by input name.
    wrong: Wrong<'a>,
}

/// Errors by input name.
#[derive(Serialize)]
struct Wrong<'a> {
    status: Option<&'a str>,
    duplicate_of: Option<&'a str>,
    assignee: Option<&'a str>,
    severity: Option<&'a str>,
    eta: Option<&'a str>,
    specialist_description: Option<&'a str>,
    description: Option<&'a str>,
    note: Option<&'a str>,
    photos: Option<&'a str>,
}

#[derive(Serialize)]
struct Entry<'a> {
    id: TimelineId,
    by: &'a str,
    at: Moment,
    /// "set the status from New to Assigned".
    text: String,
    /// The id of a photo that is shown above.
    photo: Option<&'a str>,
    /// The text of a note.
    note: Option<&'a str>,
    edited_by: Option<&'a str>,
    /// The reader wrote it, and may edit and delete it.
    is_mine: bool,
}

impl Html {
    pub fn repair(&self, page: &RepairPage<'_>, now: DateTime<Utc>) -> Result<String, RenderError> {
        let (repair, fields) = (page.repair, &page.repair.fields);
        let (zone, today) = (&self.site.timezone, self.today(now));
        let (severity, severity_word) = severity_mark(fields.severity);
        let others = usize::try_from(repair.me_too).unwrap_or(usize::MAX);
        let mine = fields.assignee.as_ref().is_some_and(|person| person.id == page.me);
        let content = Repair {
            id: repair.id,
            version: page.version,
            equipment_id: repair.equipment_id,
            equipment: &repair.equipment,
            area: &repair.area,
            description: &fields.description,
            specialist_description: &fields.specialist_description,
            severity,
            severity_word,
            status: fields.status.word(),
            safety_risk: fields.safety_risk,
            consumable: fields.consumable,
            assignee: fields.assignee.as_ref().map(|person| person.name.as_str()),
            eta: fields.eta.map(|eta| Eta::new(eta, today)),
            reporter: &repair.reporter,
            reporter_email: repair.reporter_email.as_deref(),
            me_too: (others > 0)
                .then(|| format!("{} too", counted(others, "person has this", "people have this"))),
            reported: Moment::new(repair.created_at, zone),
            closed: repair.closed_at.map(|at| Moment::new(at, zone)),
            is_open: fields.status.is_open(),
            can_claim: fields.status.is_open() && (!mine || fields.status == RepairStatus::New),
            duplicate_of: repair.duplicate_of.as_ref().map(other),
            duplicates: repair.duplicates.iter().map(other).collect(),
            form: form(page),
            errors: error_lines(page.errors, label),
            photos: photos_shown(&repair.photos, true, false),
            photo_kinds: Accepts::PhotosAndVideos.offered(),
            timeline: repair.timeline.iter().map(|entry| happened(entry, page, zone)).collect(),
            older: repair.older,
            csrf_token: page.csrf_token,
            request_id: page.request_id,
        };
        let prefix = if page.errors.is_empty() { "" } else { "Error: " };
        self.page("repair", &format!("{prefix}#{} {}", repair.id, repair.equipment), &content)
    }
}

fn other(repair: &OtherRepair) -> Other<'_> {
    Other { id: repair.id, status: repair.status.word(), description: &repair.description }
}

fn form<'a>(page: &RepairPage<'a>) -> Form<'a> {
    let (typed, repair) = (page.form, page.repair);
    let wrong = |name: &str| error_of(page.errors, name);
    let mut people: Vec<Choice> = vec![Choice::new("", "Nobody", typed.assignee.is_empty())];
    let person = |id: UserId, name: &str| Choice::new(id, name, typed.assignee == id.to_string());
    people.extend(repair.people.iter().map(|(id, name)| person(*id, name)));
    // An inactive assignee stays selectable.
    people.extend(
        repair
            .fields
            .assignee
            .iter()
            .filter(|assignee| repair.people.iter().all(|(id, _)| *id != assignee.id))
            .map(|assignee| person(assignee.id, &assignee.name)),
    );
    let other = |other: &OtherRepair| {
        Choice::new(other.id, format!("{} ({})", other.description, other.status), false)
    };
    let none = Choice::new("", "None", typed.severity.is_empty());
    let severity = |s: &Severity| Choice::new(s, s, typed.severity == s.word());
    Form {
        typed,
        statuses: RepairStatus::ALL.iter().map(|s| Choice::new(s, s, typed.status == s.word())).collect(),
        severities: Severity::ALL.iter().map(severity).chain([none]).collect(),
        people,
        others: repair.others.iter().map(other).collect(),
        wrong: Wrong {
            status: wrong("status"),
            duplicate_of: wrong("duplicate_of"),
            assignee: wrong("assignee"),
            severity: wrong("severity"),
            eta: wrong("eta"),
            specialist_description: wrong("specialist_description"),
            description: wrong("description"),
            note: wrong("note"),
            photos: wrong("photos"),
        },
    }
}

/// Labels of the inputs, as the template has them.
pub(super) fn label(field: &str) -> Option<&'static str> {
    Some(match field {
        "status" => "Status",
        "duplicate_of" => "Repeats",
        "assignee" => "Assignee",
        "severity" => "Severity",
        "eta" => "ETA",
        "specialist_description" => "Specialist",
        "description" => "What is wrong",
        "note" => "Note",
        "photos" => "Photos",
        _ => return None,
    })
}

fn happened<'a>(entry: &'a TimelineEntryView, page: &RepairPage<'_>, zone: &Zone) -> Entry<'a> {
    let is_note = entry.kind == TimelineKind::Note;
    let may = page.role >= Role::Staff || entry.by_id == Some(page.me);
    Entry {
        id: entry.id,
        by: &entry.by,
        at: Moment::new(entry.at, zone),
        text: describe(entry, day),
        photo: entry.new.as_deref().filter(|_| entry.kind == TimelineKind::Photo),
        note: entry.new.as_deref().filter(|_| is_note),
        edited_by: entry.edited_by.as_deref(),
        is_mine: is_note && may && entry.new.is_some(),
    }
}
