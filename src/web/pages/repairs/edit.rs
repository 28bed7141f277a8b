//! The forms of a repair: batch edit, claim, resolve, status, notes. A rejected form is shown again with its text, as
//! the batch edit form.

use super::show::{Again, page};
use crate::domain::edit::RepairEdit;
use crate::domain::field::{FieldValue, Person};
use crate::domain::ids::{RepairId, TimelineId};
use crate::domain::repair::RepairStatus;
use crate::domain::text::{Note, RequestId, TextError};
use crate::ops::OpError;
use crate::ops::repairs::notes::{WriteNote, write_note};
use crate::ops::repairs::update_repair::{ClaimRepair, UpdateRepair, claim_repair, update_repair};
use crate::ops::repairs::{form_again, repair};
use crate::render::html::{FieldError, RepairForm};
use crate::web::Web;
use crate::web::kernel::access::local_path;
use crate::web::kernel::fields::Fields;
use crate::web::kernel::response::see_other;
use crate::web::kernel::{PageError, PageRequest, PageResponse};
use crate::web::pages::forms::request_id;
use http::StatusCode;
use std::str::FromStr;

pub(in crate::web::pages) async fn edit(web: &Web, request: &PageRequest) -> Result<PageResponse, PageError> {
    let id: RepairId = request.id("id")?;
    let form = &request.form;
    let mut sent = sent(web, request, id).await?;
    sent.typed.safety_risk = form.ticked("safety_risk")?;
    sent.typed.consumable = form.ticked("consumable")?;
    sent.values.push(FieldValue::SafetyRisk(sent.typed.safety_risk));
    sent.values.push(FieldValue::Consumable(sent.typed.consumable));
    submit(web, request, id, sent).await
}

/// `/resolve`: the address gives the status, the form gives the note.
pub(in crate::web::pages) async fn resolve(
    web: &Web,
    request: &PageRequest,
) -> Result<PageResponse, PageError> {
    let id: RepairId = request.id("id")?;
    let mut sent = sent(web, request, id).await?;
    sent.typed.status = RepairStatus::Resolved.word().into();
    sent.values.retain(|value| !matches!(value, FieldValue::Status(_)));
    sent.values.push(FieldValue::Status(RepairStatus::Resolved));
    submit(web, request, id, sent).await
}

/// `/status`: another status, with its required fields.
pub(in crate::web::pages) async fn status(
    web: &Web,
    request: &PageRequest,
) -> Result<PageResponse, PageError> {
    let id: RepairId = request.id("id")?;
    let sent = sent(web, request, id).await?;
    submit(web, request, id, sent).await
}

pub(in crate::web::pages) async fn claim(
    web: &Web,
    request: &PageRequest,
) -> Result<PageResponse, PageError> {
    let repair: RepairId = request.id("id")?;
    let version = Some(version(&request.form)?);
    let claim = ClaimRepair { repair, version, request_id: request_id(request)? };
    match claim_repair(&web.ctx, &request.actor(), claim).await {
        Ok(_) => back(request, repair),
        Err(error) => again(web, request, repair, None, error).await,
    }
}

pub(in crate::web::pages) async fn notes(
    web: &Web,
    request: &PageRequest,
) -> Result<PageResponse, PageError> {
    let id: RepairId = request.id("id")?;
    let text = request.form.typed("note")?;
    let note = request.form.one("note_id")?.map(str::parse::<TimelineId>).transpose();
    let note = note.map_err(|_| PageError::NotFound)?;
    let deletes = request.form.typed("do")? == "delete";
    let write = match (note, Note::parse(text)) {
        (Some(note), _) if deletes => WriteNote::Delete(note),
        (Some(note), Ok(text)) => WriteNote::Edit(note, text),
        (None, Ok(text)) => WriteNote::Add(text),
        (_, Err(error)) => {
            return refused(web, request, id, None, vec![wrong("note", error.to_string())]).await;
        }
    };
    match write_note(&web.ctx, &request.actor(), id, write, &request_id(request)?).await {
        Ok(_) => see_other(&format!("/repairs/{id}#happened")),
        Err(error) => again(web, request, id, None, error).await,
    }
}

/// The contents of a form.
pub(super) struct Sent {
    version: i64,
    request_id: RequestId,
    typed: RepairForm,
    values: Vec<FieldValue>,
    note: Option<Note>,
    errors: Vec<FieldError>,
}

/// Parses the form; fields that were not sent stay unchanged.
async fn sent(web: &Web, request: &PageRequest, id: RepairId) -> Result<Sent, PageError> {
    let form = &request.form;
    let view = repair(&web.ctx, id, None).await?;
    let mut sent = Sent {
        version: version(form)?,
        request_id: request_id(request)?,
        typed: RepairForm::of(&view.fields),
        values: Vec::new(),
        note: None,
        errors: Vec::new(),
    };
    let status = sent.text(form, "status", |form| &mut form.status)?;
    sent.keep(
        "status",
        status.map(|word| word.parse().map(FieldValue::Status).ok()),
        "Please choose a status.",
    );
    let duplicate = sent.text(form, "duplicate_of", |form| &mut form.duplicate_of)?;
    let duplicate = duplicate.map(|number| number.trim_start_matches('#').to_owned());
    sent.keep("duplicate_of", absent_or(duplicate, FieldValue::DuplicateOf), "Please choose a repair.");
    let assignee = sent.text(form, "assignee", |form| &mut form.assignee)?;
    let person =
        |id: Option<_>| FieldValue::Assignee(id.map(|id| Person { id, name: String::new(), slack_id: None }));
    sent.keep("assignee", absent_or(assignee, person), "Please choose somebody from the list.");
    let severity = sent.text(form, "severity", |form| &mut form.severity)?;
    sent.keep("severity", absent_or(severity, FieldValue::Severity), "Please choose from the list.");
    let eta = sent.text(form, "eta", |form| &mut form.eta)?;
    sent.keep("eta", absent_or(eta, FieldValue::Eta), "Please give a date, such as 2026-03-09.");
    let specialist = sent.text(form, "specialist_description", |form| &mut form.specialist_description)?;
    sent.values.extend(specialist.map(FieldValue::SpecialistDescription));
    let description = sent.text(form, "description", |form| &mut form.description)?;
    sent.values.extend(description.map(FieldValue::Description));
    let note = sent.text(form, "note", |form| &mut form.note)?.unwrap_or_default();
    match Note::parse(&note) {
        Ok(note) => sent.note = Some(note),
        Err(TextError::Empty) => {}
        Err(error) => sent.errors.push(wrong("note", error.to_string())),
    }
    Ok(sent)
}

/// An optional value: `Some(None)` if it cannot be read.
fn absent_or<T: FromStr>(
    text: Option<String>,
    value: impl Fn(Option<T>) -> FieldValue,
) -> Option<Option<FieldValue>> {
    text.map(|text| match text.trim() {
        "" => Some(value(None)),
        text => text.parse().ok().map(|parsed| value(Some(parsed))),
    })
}

impl Sent {
    /// A typed text, stored for the form in case it is shown again.
    fn text(
        &mut self,
        form: &Fields,
        name: &'static str,
        place: impl Fn(&mut RepairForm) -> &mut String,
    ) -> Result<Option<String>, PageError> {
        let typed = form.one(name)?.map(str::to_owned);
        if let Some(typed) = &typed {
            place(&mut self.typed).clone_from(typed);
        }
        Ok(typed)
    }

    fn keep(&mut self, field: &'static str, read: Option<Option<FieldValue>>, message: &str) {
        match read {
            None => {}
            Some(Some(value)) => self.values.push(value),
            Some(None) => self.errors.push(wrong(field, message.to_owned())),
        }
    }
}

async fn submit(
    web: &Web,
    request: &PageRequest,
    id: RepairId,
    sent: Sent,
) -> Result<PageResponse, PageError> {
    if !sent.errors.is_empty() {
        let errors = sent.errors.clone();
        return refused(web, request, id, Some(sent), errors).await;
    }
    let edit = RepairEdit { version: sent.version, values: sent.values.clone(), note: sent.note.clone() };
    let update = UpdateRepair { repair: id, edit, request_id: sent.request_id.clone() };
    match update_repair(&web.ctx, &request.actor(), update).await {
        Ok(_) => back(request, id),
        Err(error) => again(web, request, id, Some(sent), error).await,
    }
}

/// The page with the form as it was sent, and the errors.
pub(super) async fn again(
    web: &Web,
    request: &PageRequest,
    id: RepairId,
    sent: Option<Sent>,
    error: OpError,
) -> Result<PageResponse, PageError> {
    match error {
        OpError::Refused(refusal) => {
            let error = FieldError { field: refusal.field, message: refusal.message };
            refused(web, request, id, sent, vec![error]).await
        }
        OpError::Conflict(conflicts) => {
            let errors = conflicts.iter().map(|c| wrong(c.field.name(), c.message())).collect();
            conflicting(web, request, id, sent, errors).await
        }
        other => Err(other.into()),
    }
}

async fn refused(
    web: &Web,
    request: &PageRequest,
    id: RepairId,
    sent: Option<Sent>,
    errors: Vec<FieldError>,
) -> Result<PageResponse, PageError> {
    let view = repair(&web.ctx, id, None).await?;
    let status = StatusCode::UNPROCESSABLE_ENTITY;
    let again = match sent {
        Some(sent) => Again { status, form: sent.typed, version: sent.version, errors },
        None => {
            let note = request.form.typed("note")?.to_owned();
            Again {
                status,
                form: RepairForm { note, ..RepairForm::of(&view.fields) },
                version: view.version,
                errors,
            }
        }
    };
    page(web, request, id, Some(again)).await
}

/// Fields that the person did not touch show the current value; fields that they touched show their value.
async fn conflicting(
    web: &Web,
    request: &PageRequest,
    id: RepairId,
    sent: Option<Sent>,
    errors: Vec<FieldError>,
) -> Result<PageResponse, PageError> {
    let (seen, values, note) = match sent {
        Some(sent) => (sent.version, sent.values, sent.typed.note),
        None => (version(&request.form)?, Vec::new(), String::new()),
    };
    let (version, fields) = form_again(&web.ctx, id, seen, &values).await?;
    let form = RepairForm { note, ..RepairForm::of(&fields) };
    let again = Again { status: StatusCode::CONFLICT, form, version, errors };
    page(web, request, id, Some(again)).await
}

/// Redirects to the page of the form, or to the repair.
fn back(request: &PageRequest, id: RepairId) -> Result<PageResponse, PageError> {
    let page = format!("/repairs/{id}");
    see_other(local_path(request.form.typed("next")?).unwrap_or(&page))
}

fn version(form: &Fields) -> Result<i64, PageError> {
    let message = "This form is incomplete. Please open it again and send it once more.".to_owned();
    form.required("version")?.parse().map_err(|_| PageError::Refused { message })
}

fn wrong(field: &'static str, message: String) -> FieldError {
    FieldError { field: Some(field), message }
}
