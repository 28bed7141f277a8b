//! `GET` and `POST /repairs/new`: a technician opens a repair. Without equipment, the page searches for it.

use crate::domain::repair::RepairStatus;
use crate::domain::text::{Description, RequestId, cut};
use crate::ops::repairs::assignees;
use crate::ops::repairs::create_repair::{CreateRepair, RepairCreated, create_with_photos};
use crate::ops::repairs::photo_source::PhotosToAttach;
use crate::ops::repairs::photos::NewPhoto;
use crate::ops::search::find_equipment;
use crate::ops::{OpError, board};
use crate::render::html::{FieldError, NewRepairPage, RepairForm};
use crate::web::Web;
use crate::web::kernel::response::{html_with_forms, see_other};
use crate::web::kernel::{PageError, PageRequest, PageResponse};
use crate::web::pages::forms::{new_request_id, request_id};
use crate::web::upload::settled;
use http::StatusCode;

/// Most characters of a search.
const TEXT_MAX: usize = 200;

pub(in crate::web::pages) async fn show(web: &Web, request: &PageRequest) -> Result<PageResponse, PageError> {
    let query = request.query()?;
    let form = RepairForm { status: RepairStatus::New.word().into(), ..RepairForm::default() };
    let request_id = new_request_id();
    page(web, request, query.typed("equipment")?, StatusCode::OK, &form, &[], &request_id).await
}

async fn page(
    web: &Web,
    request: &PageRequest,
    equipment: &str,
    status: StatusCode,
    form: &RepairForm,
    errors: &[FieldError],
    request_id: &RequestId,
) -> Result<PageResponse, PageError> {
    let equipment = match equipment.parse() {
        Ok(id) => Some(board::equipment(&web.ctx, id).await?),
        Err(_) => None,
    };
    let query = request.query()?;
    let text = cut(query.typed("q")?, TEXT_MAX);
    let (found, are_nearest) = match equipment {
        Some(_) => (Vec::new(), false),
        None => {
            let search = find_equipment(&web.ctx, &text).await?;
            (search.found, search.are_nearest)
        }
    };
    let shown = NewRepairPage {
        equipment: equipment.as_ref(),
        text: &text,
        found: &found,
        are_nearest,
        people: &assignees(&web.ctx).await?,
        form,
        errors,
        csrf_token: &web.browsers.token(&request.browser),
        request_id: request_id.as_str(),
    };
    let page = web.html(request).new_repair(&shown).map_err(PageError::internal)?;
    html_with_forms(web, request, status, page)
}

pub(in crate::web::pages) async fn send(web: &Web, request: &PageRequest) -> Result<PageResponse, PageError> {
    let fields = &request.form;
    let typed = |name| Ok::<_, PageError>(fields.typed(name)?.to_owned());
    let form = RepairForm {
        status: fields.one("status")?.unwrap_or(RepairStatus::New.word()).to_owned(),
        assignee: typed("assignee")?,
        severity: typed("severity")?,
        safety_risk: fields.ticked("safety_risk")?,
        consumable: fields.ticked("consumable")?,
        description: typed("description")?,
        ..RepairForm::default()
    };
    let request_id = request_id(request)?;
    let equipment = fields.required("equipment")?;
    let (status, refused) = request.uploads.refused().cloned().unzip();
    let mut errors = Vec::from_iter(refused);
    match wanted(&form, equipment, &request_id) {
        Ok(create) if errors.is_empty() => match created(web, request, create).await {
            Ok(created) => return see_other(&format!("/repairs/{}", created.repair)),
            Err(OpError::Refused(refusal)) => {
                errors.push(FieldError { field: refusal.field, message: refusal.message });
            }
            Err(error) => return Err(error.into()),
        },
        Ok(_) => {}
        Err(wrong) => errors.splice(0..0, wrong).for_each(drop),
    }
    let status = status.unwrap_or(StatusCode::UNPROCESSABLE_ENTITY);
    page(web, request, equipment, status, &form, &errors, &request_id).await
}

async fn created(web: &Web, request: &PageRequest, create: CreateRepair) -> Result<RepairCreated, OpError> {
    let files = request.uploads.entrust();
    let photos: Vec<NewPhoto> = files.iter().cloned().map(NewPhoto::from).collect();
    let enclosed = PhotosToAttach::Here { photos: &photos, lost: request.uploads.lost() };
    let done = create_with_photos(&web.ctx, &request.actor(), create, enclosed).await;
    settled(web, &files, done).await
}

fn wanted(
    form: &RepairForm,
    equipment: &str,
    request_id: &RequestId,
) -> Result<CreateRepair, Vec<FieldError>> {
    let mut errors = Vec::new();
    let mut wrong = |field, message: &str| {
        errors.push(FieldError { field: Some(field), message: message.to_owned() });
    };
    let equipment = equipment.parse().map_err(|_| wrong("equipment", "Please choose a machine.")).ok();
    let description = Description::parse(&form.description);
    let description = description.map_err(|error| wrong("description", &error.to_string())).ok();
    let status = form.status.parse().map_err(|_| wrong("status", "Please choose a status.")).ok();
    let severity = match form.severity.as_str() {
        "" => Some(None),
        word => word.parse().map(Some).map_err(|_| wrong("severity", "Please choose from the list.")).ok(),
    };
    let assignee = match form.assignee.as_str() {
        "" => Some(None),
        id => {
            id.parse().map(Some).map_err(|_| wrong("assignee", "Please choose somebody from the list.")).ok()
        }
    };
    let read = equipment.zip(description).zip(status.zip(severity)).zip(assignee);
    let Some((((equipment, description), (status, severity)), assignee)) = read else { return Err(errors) };
    Ok(CreateRepair {
        equipment,
        description,
        severity,
        status,
        assignee,
        safety_risk: form.safety_risk,
        consumable: form.consumable,
        request_id: request_id.clone(),
    })
}
