//! The equipment list, and the page of one piece of equipment.

use super::attachments::{DocumentsShown, PhotoShown, documents_shown, photos_shown};
use super::controls::{Choice, ErrorLine, Pager};
use super::fields::{Field, FieldShown, Hidden, field_errors, fields_shown};
use super::public_equipment::{FieldError, LinkShown, links_shown};
use super::times::Moment;
use super::{Html, StatusMark, counted};
use crate::domain::ids::{AreaId, EquipmentId, UserId};
use crate::domain::repair::Severity;
use crate::domain::text::cut;
use crate::domain::zone::Zone;
use crate::views::records::{
    AreaChoice, EquipmentDetail, EquipmentList, EquipmentRecord, EquipmentRow, HistoryRow, NoteView,
};
use handlebars::RenderError;
use serde::Serialize;

/// Most characters of a repair in the history; the repair's page shows it whole.
const HISTORY_SHOWN: usize = 200;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EquipmentFilter {
    pub area: Option<AreaId>,
    /// Shows archived equipment instead of equipment in use.
    pub archived: bool,
    /// Only equipment that matches this search.
    pub text: String,
}

impl EquipmentFilter {
    /// As a query string, without the page.
    fn query(&self) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.append_pair("q", &self.text);
        query.extend_pairs(self.area.map(|area| ("area", area.to_string())));
        query.extend_pairs(self.archived.then_some(("archived", "1")));
        query.finish()
    }
}

#[derive(Serialize)]
struct ListContent<'a> {
    text: &'a str,
    archived: bool,
    is_set: bool,
    areas: Vec<Choice>,
    has_areas: bool,
    total: String,
    equipment: Vec<Row<'a>>,
    pager: Option<Pager>,
    export: String,
    is_staff: bool,
    are_nearest: bool,
}

#[derive(Serialize)]
struct Row<'a> {
    id: EquipmentId,
    name: &'a str,
    make: String,
    area: &'a str,
    status: Option<StatusMark>,
}

fn make(manufacturer: &str, model: &str) -> String {
    [manufacturer, model].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" · ")
}

fn row(equipment: &EquipmentRow) -> Row<'_> {
    Row {
        id: equipment.id,
        name: &equipment.name,
        make: make(&equipment.manufacturer, &equipment.model),
        area: &equipment.area,
        status: equipment.status.map(StatusMark::from),
    }
}

#[derive(Debug)]
pub struct EquipmentPage<'a> {
    pub equipment: &'a EquipmentDetail,
    pub viewer: UserId,
    pub is_staff: bool,
    pub hidden: Hidden<'a>,
    /// Fields of a new note.
    pub note: &'a [Field],
    /// Fields of a new link.
    pub link: &'a [Field],
    /// Fields of a new document.
    pub document: &'a [Field],
    /// Field for new photos.
    pub photos: &'a [Field],
    /// Errors of a form that is shown again.
    pub errors: &'a [FieldError],
}

#[derive(Serialize)]
struct Content<'a> {
    id: EquipmentId,
    name: &'a str,
    version: i64,
    area_id: AreaId,
    area: &'a str,
    status: StatusMark,
    open_repairs: Option<String>,
    archived: bool,
    area_archived: bool,
    in_use: bool,
    is_staff: bool,
    may_edit: bool,
    facts: Vec<Fact>,
    description: &'a str,
    links: Vec<LinkShown<'a>>,
    link_fields: Vec<FieldShown<'a>>,
    documents: Vec<DocumentsShown<'a>>,
    document_fields: Vec<FieldShown<'a>>,
    photos: Vec<PhotoShown<'a>>,
    photo_fields: Vec<FieldShown<'a>>,
    notes: Vec<NoteShown<'a>>,
    more_notes: Option<String>,
    note_fields: Vec<FieldShown<'a>>,
    repairs_total: String,
    repairs: Vec<RepairShown<'a>>,
    pager: Option<Pager>,
    errors: Vec<ErrorLine<'a>>,
    #[serde(flatten)]
    hidden: Hidden<'a>,
}

/// One line of the equipment's properties.
#[derive(Serialize)]
struct Fact {
    label: &'static str,
    value: String,
}

#[derive(Serialize)]
struct NoteShown<'a> {
    id: i64,
    text: &'a str,
    author: &'a str,
    written: Moment,
    may_remove: bool,
}

#[derive(Serialize)]
struct RepairShown<'a> {
    id: i64,
    description: String,
    severity: &'static str,
    status: &'static str,
    reporter: &'a str,
    assignee: Option<&'a str>,
    reported: Moment,
    closed: Option<Moment>,
}

impl Html {
    pub fn equipment_list(
        &self,
        view: &EquipmentList,
        filter: &EquipmentFilter,
        is_staff: bool,
    ) -> Result<String, RenderError> {
        let area = |area: &AreaChoice| Choice::new(area.id, &area.name, filter.area == Some(area.id));
        let mut export = form_urlencoded::Serializer::new(String::new());
        export.extend_pairs(filter.area.map(|area| ("area", area.to_string())));
        export.extend_pairs(filter.archived.then_some(("archived", "1")));
        let total = usize::try_from(view.total).unwrap_or(usize::MAX);
        let content = ListContent {
            text: &filter.text,
            archived: filter.archived,
            is_set: *filter != EquipmentFilter::default(),
            areas: view.areas.iter().map(area).collect(),
            has_areas: !view.areas.is_empty(),
            total: counted(total, "machine", "machines"),
            equipment: view.equipment.iter().map(row).collect(),
            pager: Pager::new(view.page, view.pages, |page| format!("?{}&page={page}", filter.query())),
            export: export.finish(),
            is_staff,
            are_nearest: view.are_nearest,
        };
        self.page("equipment_list", "Equipment", &content)
    }

    pub fn equipment(&self, page: &EquipmentPage<'_>) -> Result<String, RenderError> {
        let (view, zone) = (page.equipment, &self.site.timezone);
        let record = &view.record;
        let hidden_notes = view.notes_total.saturating_sub(view.notes.len() as u64);
        let hidden_notes = usize::try_from(hidden_notes).unwrap_or(usize::MAX);
        let repairs = usize::try_from(view.repairs_total).unwrap_or(usize::MAX);
        let fields = page.note.iter().chain(page.link).chain(page.document).chain(page.photos);
        let content = Content {
            id: record.id,
            name: &record.details.name,
            version: record.version,
            area_id: record.details.area,
            area: &record.area,
            status: view.status.into(),
            open_repairs: (view.open_repairs > 0)
                .then(|| counted(view.open_repairs, "open repair", "open repairs")),
            archived: record.archived,
            area_archived: record.area_archived,
            in_use: !record.archived && !record.area_archived,
            is_staff: page.is_staff,
            may_edit: view.may_edit,
            facts: facts(record, zone),
            description: &record.details.description,
            links: links_shown(&view.links),
            link_fields: fields_shown(page.link, page.errors),
            documents: documents_shown(&view.documents, view.may_edit),
            document_fields: fields_shown(page.document, page.errors),
            photos: photos_shown(&view.photos, true, view.may_edit),
            photo_fields: fields_shown(page.photos, page.errors),
            notes: view.notes.iter().map(|note| note_shown(note, page, zone)).collect(),
            more_notes: (hidden_notes > 0)
                .then(|| format!("{} not shown.", counted(hidden_notes, "older note is", "older notes are"))),
            note_fields: fields_shown(page.note, page.errors),
            repairs_total: counted(repairs, "repair", "repairs"),
            repairs: view.repairs.iter().map(|repair| repair_shown(repair, zone)).collect(),
            pager: Pager::new(view.page, view.pages, |page| format!("?page={page}#history")),
            errors: field_errors(page.errors, fields),
            hidden: page.hidden,
        };
        self.page("equipment", &record.details.name, &content)
    }
}

/// The known properties; unknown ones are omitted.
fn facts(record: &EquipmentRecord, zone: &Zone) -> Vec<Fact> {
    let day = |day: Option<chrono::NaiveDate>| {
        day.map(|day| day.format("%b %-d, %Y").to_string()).unwrap_or_default()
    };
    let all = [
        ("Number", record.id.to_string()),
        ("Manufacturer", record.details.manufacturer.clone()),
        ("Model", record.details.model.clone()),
        ("Serial number", record.details.serial_number.clone()),
        ("Acquired on", day(record.details.acquisition_date)),
        ("Acquired from", record.details.acquisition_source.clone()),
        ("Cost", record.details.acquisition_cost.map(|cost| cost.to_string()).unwrap_or_default()),
        ("Warranty until", day(record.details.warranty_expiration)),
        ("Registered", Moment::new(record.created_at, zone).text),
        ("Last changed", Moment::new(record.updated_at, zone).text),
    ];
    let known = all.into_iter().filter(|(_, value)| !value.is_empty());
    known.map(|(label, value)| Fact { label, value }).collect()
}

fn note_shown<'a>(note: &'a NoteView, page: &EquipmentPage<'_>, zone: &Zone) -> NoteShown<'a> {
    NoteShown {
        id: note.id.0,
        text: &note.text,
        author: &note.author,
        written: Moment::new(note.created_at, zone),
        may_remove: page.is_staff || note.author_id == Some(page.viewer),
    }
}

fn repair_shown<'a>(repair: &'a HistoryRow, zone: &Zone) -> RepairShown<'a> {
    RepairShown {
        id: repair.id.0,
        description: cut(&repair.description, HISTORY_SHOWN),
        severity: repair.severity.map(Severity::word).unwrap_or_default(),
        status: repair.status.word(),
        reporter: &repair.reporter,
        assignee: repair.assignee.as_deref(),
        reported: Moment::new(repair.created_at, zone),
        closed: repair.closed_at.map(|at| Moment::new(at, zone)),
    }
}
