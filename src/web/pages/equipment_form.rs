//! `/equipment/new`, `/equipment/{id}/edit`, `/equipment/{id}/archive` and `/equipment/{id}/restore`.

use super::form_parser::{FormParser, csrf_token, hidden, new_request_id, request_id, version, why};
use crate::domain::equipment::{Cost, EquipmentDetails, parse_day};
use crate::domain::ids::{AreaId, EquipmentId};
use crate::domain::text::{About, Detail, EquipmentName, Note, RequestId};
use crate::ops::equipment::list::{area_choices, equipment_record, open_repairs};
use crate::ops::equipment::{
    OpenRepairs, archive_equipment, create_equipment, edit_equipment, restore_equipment,
};
use crate::render::html::{Field, FieldError, FormPage, Group, Input};
use crate::views::records::EquipmentRecord;
use crate::web::Web;
use crate::web::kernel::fields::FieldsError;
use crate::web::kernel::response::{html_with_forms, see_other};
use crate::web::kernel::{PageError, PageRequest, PageResponse};
use http::StatusCode;

/// Names of the fields, in order.
const NAMES: [&str; 10] = [
    "name",
    "area",
    "manufacturer",
    "model",
    "serial_number",
    "acquisition_date",
    "acquisition_source",
    "acquisition_cost",
    "warranty_expiration",
    "description",
];

type Values = [String; 10];

/// The state that the form shows.
struct Shown<'a> {
    /// The equipment to edit; `None` for a new one.
    record: Option<&'a EquipmentRecord>,
    values: Values,
    request_id: &'a RequestId,
    status: StatusCode,
    errors: &'a [FieldError],
}

fn values_of(record: &EquipmentRecord) -> Values {
    let day = |day: Option<chrono::NaiveDate>| day.map(|day| day.to_string()).unwrap_or_default();
    [
        record.details.name.clone(),
        record.details.area.to_string(),
        record.details.manufacturer.clone(),
        record.details.model.clone(),
        record.details.serial_number.clone(),
        day(record.details.acquisition_date),
        record.details.acquisition_source.clone(),
        record.details.acquisition_cost.map(|cost| cost.to_string()).unwrap_or_default(),
        day(record.details.warranty_expiration),
        record.details.description.clone(),
    ]
}

fn typed_values(request: &PageRequest) -> Result<Values, FieldsError> {
    let mut values = Values::default();
    for (value, name) in values.iter_mut().zip(NAMES) {
        request.form.typed(name)?.clone_into(value);
    }
    Ok(values)
}

async fn page(web: &Web, request: &PageRequest, shown: Shown<'_>) -> Result<PageResponse, PageError> {
    let groups = groups(web, shown.record, shown.values).await?;
    let csrf_token = csrf_token(web, request);
    let (title, action, back) = match shown.record {
        None => ("Add a machine".to_owned(), "/equipment/new".to_owned(), "/equipment".to_owned()),
        Some(record) => {
            let address = format!("/equipment/{}", record.id);
            (format!("Edit {}", record.details.name), format!("{address}/edit"), address)
        }
    };
    let form = FormPage {
        title: &title,
        back: (&back, shown.record.map_or("Equipment", |record| &record.details.name)),
        action: &action,
        hidden: hidden(&csrf_token, shown.request_id),
        version: shown.record.map(|record| record.version),
        groups: &groups,
        errors: shown.errors,
        submit: if shown.record.is_some() { "Save" } else { "Add the machine" },
        ..FormPage::EMPTY
    };
    let page = web.html(request).form(&form).map_err(PageError::internal)?;
    html_with_forms(web, request, shown.status, page)
}

/// The form's fields. The current area stays selectable even if it is archived.
async fn groups(
    web: &Web,
    record: Option<&EquipmentRecord>,
    values: Values,
) -> Result<[Group; 2], PageError> {
    let mut areas = vec![(String::new(), "Choose an area".to_owned())];
    if let Some(record) = record.filter(|record| record.area_archived) {
        areas.push((record.details.area.to_string(), format!("{} (archived)", record.area)));
    }
    let live = area_choices(&web.ctx).await?;
    areas.extend(live.into_iter().map(|area| (area.id.to_string(), area.name)));
    let day = |name, label, value: String| Field::new(name, label, Input::Line("date"), value).optional();
    let line = |name, label, value: String| Field::line(name, label, value).optional();
    let [name, area, manufacturer, model, serial, date, source, cost, warranty, description] = values;
    let what = vec![
        Field::line(NAMES[0], "Name", name).hint("As people call it. It is on the board and on the label."),
        Field::new(NAMES[1], "Area", Input::Choice(areas), area),
        Field::lines(NAMES[9], "About", description)
            .optional()
            .hint("What it is for and what to watch out for. Members see it."),
    ];
    let details = vec![
        line(NAMES[2], "Manufacturer", manufacturer),
        line(NAMES[3], "Model", model),
        line(NAMES[4], "Serial number", serial),
        day(NAMES[5], "Acquired on", date),
        line(NAMES[6], "Acquired from", source),
        line(NAMES[7], "Cost", cost).hint("Such as 1250 or 1250.50."),
        day(NAMES[8], "Warranty until", warranty),
    ];
    Ok([Group { legend: "", fields: what }, Group { legend: "Details", fields: details }])
}

/// The typed details; `None` if a field is invalid.
fn details(parser: &mut FormParser<'_>) -> Result<Option<EquipmentDetails>, FieldsError> {
    let name = parser.read("name", EquipmentName::parse)?;
    let area = parser.read("area", |id| id.parse::<AreaId>().map_err(|_| "Please choose an area."))?;
    let description = parser.read("description", About::parse)?;
    let manufacturer = parser.read("manufacturer", Detail::parse)?;
    let model = parser.read("model", Detail::parse)?;
    let serial_number = parser.read("serial_number", Detail::parse)?;
    let acquisition_date = parser.read_if_any("acquisition_date", parse_day)?;
    let acquisition_source = parser.read("acquisition_source", Detail::parse)?;
    let acquisition_cost = parser.read_if_any("acquisition_cost", str::parse::<Cost>)?;
    let warranty_expiration = parser.read_if_any("warranty_expiration", parse_day)?;
    let whole = || {
        Some(EquipmentDetails {
            name: name?,
            area: area?,
            manufacturer: manufacturer?,
            model: model?,
            serial_number: serial_number?,
            acquisition_date: acquisition_date?,
            acquisition_source: acquisition_source?,
            acquisition_cost: acquisition_cost?,
            warranty_expiration: warranty_expiration?,
            description: description?,
        })
    };
    Ok(whole())
}

pub(super) async fn new(web: &Web, request: &PageRequest) -> Result<PageResponse, PageError> {
    let mut values = Values::default();
    request.query()?.typed("area")?.clone_into(&mut values[1]);
    let request_id = new_request_id();
    let shown = Shown { record: None, values, request_id: &request_id, status: StatusCode::OK, errors: &[] };
    page(web, request, shown).await
}

pub(super) async fn create(web: &Web, request: &PageRequest) -> Result<PageResponse, PageError> {
    let request_id = request_id(request)?;
    let mut parser = FormParser::new(&request.form);
    let (status, errors) = match details(&mut parser)? {
        None => (StatusCode::UNPROCESSABLE_ENTITY, parser.errors),
        Some(new) => match create_equipment(&web.ctx, &request.actor(), &new, &request_id).await {
            Ok(id) => return see_other(&format!("/equipment/{id}")),
            Err(error) => why(error)?,
        },
    };
    let values = typed_values(request)?;
    page(web, request, Shown { record: None, values, request_id: &request_id, status, errors: &errors }).await
}

pub(super) async fn edit(web: &Web, request: &PageRequest) -> Result<PageResponse, PageError> {
    let record = equipment_record(&web.ctx, request.id("id")?).await?;
    let request_id = new_request_id();
    let shown = Shown {
        values: values_of(&record),
        record: Some(&record),
        request_id: &request_id,
        status: StatusCode::OK,
        errors: &[],
    };
    page(web, request, shown).await
}

pub(super) async fn save(web: &Web, request: &PageRequest) -> Result<PageResponse, PageError> {
    let (id, version, request_id): (EquipmentId, _, _) =
        (request.id("id")?, version(request)?, request_id(request)?);
    let mut parser = FormParser::new(&request.form);
    let details = details(&mut parser)?;
    let (status, mut errors) = match &details {
        None => (StatusCode::UNPROCESSABLE_ENTITY, parser.errors),
        Some(new) => {
            match edit_equipment(&web.ctx, &request.actor(), (id, version), new, &request_id).await {
                Ok(id) => return see_other(&format!("/equipment/{id}")),
                Err(error) => why(error)?,
            }
        }
    };
    let mut record = equipment_record(&web.ctx, id).await?;
    if status == StatusCode::CONFLICT {
        errors.extend(differences(web, &record, request).await?);
    } else {
        // Only a conflict updates the version that was seen.
        record.version = version;
    }
    let values = typed_values(request)?;
    let shown = Shown { record: Some(&record), values, request_id: &request_id, status, errors: &errors };
    page(web, request, shown).await
}

/// The stored value of each field that was typed differently.
async fn differences(
    web: &Web,
    record: &EquipmentRecord,
    request: &PageRequest,
) -> Result<Vec<FieldError>, PageError> {
    let typed = typed_values(request)?;
    let mut stored = values_of(record);
    let names = area_choices(&web.ctx).await?;
    let mut found = Vec::new();
    for ((name, now), typed) in NAMES.into_iter().zip(&mut stored).zip(typed) {
        if now.replace("\r\n", "\n").trim() == typed.replace("\r\n", "\n").trim() {
            continue;
        }
        if name == "area" {
            let known = names.iter().find(|area| area.id == record.details.area);
            *now = known.map_or(&record.area, |area| &area.name).clone();
        }
        let message = match now.as_str() {
            "" => "On record now: nothing.".to_owned(),
            now => format!("On record now: “{now}”."),
        };
        found.push(FieldError { field: Some(name), message });
    }
    Ok(found)
}

pub(super) async fn ask_archive(web: &Web, request: &PageRequest) -> Result<PageResponse, PageError> {
    archive_page(web, request, &new_request_id(), (StatusCode::OK, &[])).await
}

async fn archive_page(
    web: &Web,
    request: &PageRequest,
    request_id: &RequestId,
    (status, errors): (StatusCode, &[FieldError]),
) -> Result<PageResponse, PageError> {
    let record = equipment_record(&web.ctx, request.id("id")?).await?;
    let open = open_repairs(&web.ctx, record.id).await?;
    let address = format!("/equipment/{}", record.id);
    let csrf_token = csrf_token(web, request);
    let choices = [("", "Please choose"), (KEEP, "Keep them open"), (CLOSE, NO_ISSUE)];
    let choices = choices.map(|(value, words)| (value.to_owned(), words.to_owned()));
    let question = Field::new(
        "open_repairs",
        "What should happen to its open repairs?",
        Input::Choice(choices.into()),
        request.form.typed("open_repairs")?,
    );
    let note = Field::lines("note", "Note for the repairs that are closed", request.form.typed("note")?)
        .optional()
        .hint("Their timelines and channels show it.");
    let groups = [Group { legend: "", fields: vec![question, note] }];
    let form = FormPage {
        title: &format!("Archive {}?", record.details.name),
        lead: "It disappears from the board, its label leads to a page that says so, and problems can no \
               longer be reported. Its history stays, and it can be restored.",
        back: (&address, &record.details.name),
        action: &format!("{address}/archive"),
        hidden: hidden(&csrf_token, request_id),
        version: Some(record.version),
        groups: if open > 0 { &groups } else { &[] },
        errors,
        submit: "Archive",
        ..FormPage::EMPTY
    };
    let page = web.html(request).form(&form).map_err(PageError::internal)?;
    html_with_forms(web, request, status, page)
}

/// The answer that leaves repairs open.
const KEEP: &str = "keep";
/// The answer that closes them.
const CLOSE: &str = "close";
const NO_ISSUE: &str = "Close them as No Issue Found, with a note";

pub(super) async fn archive(web: &Web, request: &PageRequest) -> Result<PageResponse, PageError> {
    let (id, version, request_id): (EquipmentId, _, _) =
        (request.id("id")?, version(request)?, request_id(request)?);
    let fate = match request.form.typed("open_repairs")? {
        KEEP => Some(OpenRepairs::Keep),
        CLOSE => match Note::parse(request.form.typed("note")?) {
            Ok(note) => Some(OpenRepairs::Close(note)),
            Err(error) => {
                let errors = [FieldError { field: Some("note"), message: error.to_string() }];
                return archive_page(web, request, &request_id, (StatusCode::UNPROCESSABLE_ENTITY, &errors))
                    .await;
            }
        },
        _ => None,
    };
    match archive_equipment(&web.ctx, &request.actor(), (id, version), fate.as_ref(), &request_id).await {
        Ok(id) => see_other(&format!("/equipment/{id}")),
        Err(error) => {
            let (status, errors) = why(error)?;
            archive_page(web, request, &request_id, (status, &errors)).await
        }
    }
}

pub(super) async fn restore(web: &Web, request: &PageRequest) -> Result<PageResponse, PageError> {
    let id: EquipmentId = request.id("id")?;
    restore_equipment(&web.ctx, &request.actor(), (id, version(request)?), &request_id(request)?).await?;
    see_other(&format!("/equipment/{id}"))
}
