//! `GET /e/{id}` and `GET /e/{id}.json`: one piece of equipment, for people and for programs.

use super::forms::new_request_id;
use crate::domain::ids::{EquipmentId, RepairId};
use crate::domain::repair::Severity;
use crate::domain::text::RequestId;
use crate::ops;
use crate::render::html::{FieldError, PublicEquipmentPage, ReportForm};
use crate::views::equipment::{OpenRepair, PublicEquipment};
use crate::web::Web;
use crate::web::kernel::cache_control::REVALIDATE;
use crate::web::kernel::response::{self, html_with_forms};
use crate::web::kernel::{PageError, PageRequest, PageResponse};
use chrono::{DateTime, NaiveDate, SecondsFormat, Utc};
use http::StatusCode;
use http::header::CACHE_CONTROL;
use serde::Serialize;

pub(super) async fn show(web: &Web, request: &PageRequest) -> Result<PageResponse, PageError> {
    let equipment = in_use(web, request.id("id")?).await?;
    let thanks_for = request.query()?.one("thanks")?.and_then(|repair| repair.parse().ok());
    let request_id = new_request_id();
    let form = ReportForm::default();
    let shown = Shown { form: &form, errors: &[], request_id: &request_id, thanks_for };
    page(web, request, StatusCode::OK, &equipment, &shown)
}

/// The parts of the page that differ between requests.
pub(super) struct Shown<'a> {
    pub(super) form: &'a ReportForm,
    pub(super) errors: &'a [FieldError],
    pub(super) request_id: &'a RequestId,
    pub(super) thanks_for: Option<RepairId>,
}

/// Renders the page for the requesting browser.
pub(super) fn page(
    web: &Web,
    request: &PageRequest,
    status: StatusCode,
    equipment: &PublicEquipment,
    shown: &Shown<'_>,
) -> Result<PageResponse, PageError> {
    let page = PublicEquipmentPage {
        equipment,
        form: shown.form,
        errors: shown.errors,
        csrf_token: &web.browsers.token(&request.browser),
        request_id: shown.request_id.as_str(),
        thanks_for: shown.thanks_for,
    };
    let page = web.html(request).public_equipment(&page, web.ctx.clock.now()).map_err(PageError::internal)?;
    html_with_forms(web, request, status, page)
}

/// Equipment that is not archived.
pub(super) async fn in_use(web: &Web, id: EquipmentId) -> Result<PublicEquipment, PageError> {
    let equipment = ops::board::equipment(&web.ctx, id).await?;
    if equipment.archived {
        return Err(PageError::Archived { name: Some(equipment.name) });
    }
    Ok(equipment)
}

/// The equipment as JSON (spec, `GET /e/{id}.json`).
#[derive(Serialize)]
struct EquipmentJson<'a> {
    id: EquipmentId,
    name: &'a str,
    area: &'a str,
    status: &'static str,
    open_repairs: Vec<RepairJson<'a>>,
}

#[derive(Serialize)]
struct RepairJson<'a> {
    id: RepairId,
    description: &'a str,
    severity: Option<&'static str>,
    status: &'static str,
    eta: Option<NaiveDate>,
    assignee: Option<&'a str>,
    created_at: String,
    me_too: u64,
}

pub(super) async fn json(web: &Web, request: &PageRequest) -> Result<PageResponse, PageError> {
    let equipment = in_use(web, request.id("id")?).await?;
    let shape = EquipmentJson {
        id: equipment.id,
        name: &equipment.name,
        area: &equipment.area,
        status: equipment.status.key(),
        open_repairs: equipment.open_repairs.iter().map(repair_json).collect(),
    };
    let mut response = response::json(StatusCode::OK, &shape)?;
    response.headers_mut().insert(CACHE_CONTROL, REVALIDATE);
    Ok(response)
}

fn repair_json(repair: &OpenRepair) -> RepairJson<'_> {
    RepairJson {
        id: repair.id,
        description: &repair.description,
        severity: repair.severity.map(Severity::word),
        status: repair.status.word(),
        eta: repair.eta,
        assignee: repair.assignee.as_deref(),
        created_at: rfc3339(repair.created_at),
        me_too: repair.me_too,
    }
}

/// RFC 3339 in UTC, to the second.
pub(super) fn rfc3339(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}
