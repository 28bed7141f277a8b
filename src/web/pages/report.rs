//! `POST /e/{id}/report`, and the page that follows. A rejected form is shown again with its text.

use super::form_parser::FormParser;
use super::forms;
use super::public_equipment::{self, Shown};
use crate::domain::actor::{Actor, Edge};
use crate::domain::idempotency::IdempotencyKey;
use crate::domain::ids::EquipmentId;
use crate::domain::repair::Severity;
use crate::domain::text::{Description, EmailAddress, PersonName, RequestId};
use crate::ops::OpError;
use crate::ops::deliveries::channel_names::shown;
use crate::ops::repairs::photo_source::PhotosToAttach;
use crate::ops::repairs::photos::NewPhoto;
use crate::ops::repairs::report_problem::{
    ProblemReported, ReportProblem, report_key, report_with_photos, reported as answered,
};
use crate::render::html::{FieldError, ReportForm, ReportedPage};
use crate::web::Web;
use crate::web::kernel::error::{minutes, seconds};
use crate::web::kernel::fields::FieldsError;
use crate::web::kernel::response::{html, see_other};
use crate::web::kernel::{PageError, PageRequest, PageResponse};
use crate::web::upload::settled;
use http::StatusCode;
use http::header::RETRY_AFTER;
use std::time::Duration;

/// Honeypot: a field that people do not see and robots fill in.
const TRAP: &str = "website";

pub(super) async fn send(web: &Web, request: &PageRequest) -> Result<PageResponse, PageError> {
    let equipment = public_equipment::in_use(web, request.id("id")?).await?;
    let request_id = forms::request_id(request)?;
    let mut parser = FormParser::new(&request.form);
    let form = typed(&mut parser)?;
    let again = |status, errors: &[FieldError]| {
        let shown = Shown { form: &form, errors, request_id: &request_id, thanks_for: None };
        public_equipment::page(web, request, status, &equipment, &shown)
    };
    let report = report(&mut parser, &form, equipment.id, &request_id)?;
    let mut errors = parser.errors;
    let (status, refused) = request.uploads.refused().cloned().unzip();
    errors.extend(refused);
    let Some(report) = report.filter(|_| errors.is_empty()) else {
        return again(status.unwrap_or(StatusCode::UNPROCESSABLE_ENTITY), &errors);
    };
    let actor = Actor::visitor(Edge::Web, report.reporter_name.as_str());
    let files = request.uploads.entrust();
    let photos: Vec<NewPhoto> = files.iter().cloned().map(NewPhoto::from).collect();
    let photos = PhotosToAttach::Here { photos: &photos, lost: request.uploads.lost() };
    let key = report_key(&actor, &report, photos)?;
    let done = match answered(&web.ctx, &key).await {
        // A duplicate, as impatient browsers send: answered like the first, and not counted again.
        Ok(done) => Ok(done),
        Err(OpError::NotFound) => {
            if let Err(wait) = web.reports.count(request.client) {
                web.files.settle(&files).await;
                return too_many(wait, again);
            }
            let done = report_with_photos(&web.ctx, &actor, report, photos).await;
            if matches!(done, Err(OpError::Internal(_))) {
                // A retry after our own failure must not use up the limit.
                web.reports.give_back(request.client);
            }
            if done.is_ok() {
                request.uploads.count_as_kept();
            }
            done
        }
        Err(error) => Err(error),
    };
    match settled(web, &files, done).await {
        Ok(done) => thanks(&done, &key),
        Err(OpError::Refused(refusal)) => again(StatusCode::UNPROCESSABLE_ENTITY, &[forms::refused(refusal)]),
        Err(error) => Err(error.into()),
    }
}

/// The form again, with status 429.
fn too_many(
    wait: Duration,
    again: impl FnOnce(StatusCode, &[FieldError]) -> Result<PageResponse, PageError>,
) -> Result<PageResponse, PageError> {
    let message =
        format!("Too many reports from your network. Send yours in {}: it is kept below.", minutes(wait));
    let mut response = again(StatusCode::TOO_MANY_REQUESTS, &[FieldError { field: None, message }])?;
    response.headers_mut().insert(RETRY_AFTER, seconds(wait).into());
    Ok(response)
}

/// Redirects to the page that says what happens next.
fn thanks(done: &ProblemReported, key: &IdempotencyKey) -> Result<PageResponse, PageError> {
    see_other(&format!("/e/{}/reported/{}", done.equipment, key.as_str()))
}

/// Reads the form as sent and checks its choices.
fn typed(parser: &mut FormParser<'_>) -> Result<ReportForm, FieldsError> {
    let fields = parser.fields;
    let severity = match fields.one("severity")? {
        None => Severity::NotSure,
        Some(word) => word.parse().unwrap_or_else(|_| {
            let message = "Please choose one of the three.".to_owned();
            parser.errors.push(FieldError { field: Some("severity"), message });
            Severity::NotSure
        }),
    };
    if !fields.typed(TRAP)?.is_empty() {
        let message =
            "A hidden field against robots was filled in. It is empty again: please send once more.";
        parser.errors.push(FieldError { field: None, message: message.into() });
    }
    Ok(ReportForm {
        reporter_name: fields.typed("reporter_name")?.to_owned(),
        reporter_email: fields.typed("reporter_email")?.to_owned(),
        description: fields.typed("description")?.to_owned(),
        severity,
        safety_risk: fields.ticked("safety_risk")?,
        consumable: fields.ticked("consumable")?,
    })
}

/// `None` if a field is invalid.
fn report(
    parser: &mut FormParser<'_>,
    form: &ReportForm,
    equipment: EquipmentId,
    request_id: &RequestId,
) -> Result<Option<ReportProblem>, FieldsError> {
    let reporter_name = parser.read("reporter_name", PersonName::parse)?;
    let description = parser.read("description", Description::parse)?;
    let reporter_email = parser.read_optional_text("reporter_email", EmailAddress::parse)?;
    let report = || {
        Some(ReportProblem {
            equipment,
            reporter_name: reporter_name?,
            reporter_email: reporter_email?,
            description: description?,
            severity: form.severity,
            safety_risk: form.safety_risk,
            consumable: form.consumable,
            note: None,
            request_id: request_id.clone(),
        })
    };
    Ok(report())
}

/// `GET /e/{id}/reported/{token}`: the token is the report's idempotency key.
pub(super) async fn reported(web: &Web, request: &PageRequest) -> Result<PageResponse, PageError> {
    let equipment: EquipmentId = request.id("id")?;
    let key = IdempotencyKey::parse(request.param("token")?).ok_or(PageError::NotFound)?;
    let report = answered(&web.ctx, &key).await?;
    if report.equipment != equipment {
        return Err(PageError::NotFound);
    }
    let channels = shown(&web.ctx, &report.channels).await?;
    let channels = channels.iter().map(String::as_str).collect();
    let page = ReportedPage {
        equipment,
        equipment_name: &report.equipment_name,
        repair: report.repair,
        channels,
        lost_photos: report.lost_photos,
        photos_over_allowance: report.photos_over_allowance,
    };
    Ok(html(StatusCode::OK, web.html(request).reported(&page).map_err(PageError::internal)?))
}
