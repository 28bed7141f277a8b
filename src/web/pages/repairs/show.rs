//! `GET /repairs/{id}`: one repair, its forms, its timeline.

use crate::domain::ids::RepairId;
use crate::ops::repairs::repair;
use crate::render::html::{FieldError, RepairForm, RepairPage};
use crate::web::Web;
use crate::web::kernel::response::html_with_forms;
use crate::web::kernel::{PageError, PageRequest, PageResponse};
use crate::web::pages::forms::new_request_id;
use http::StatusCode;

pub(in crate::web::pages) async fn show(web: &Web, request: &PageRequest) -> Result<PageResponse, PageError> {
    let id: RepairId = request.id("id")?;
    page(web, request, id, None).await
}

/// A form that is shown again.
pub(super) struct Again {
    pub(super) status: StatusCode,
    pub(super) form: RepairForm,
    /// The version that the form was rendered for.
    pub(super) version: i64,
    pub(super) errors: Vec<FieldError>,
}

/// Renders the page, with a rejected form if there is one.
pub(super) async fn page(
    web: &Web,
    request: &PageRequest,
    id: RepairId,
    again: Option<Again>,
) -> Result<PageResponse, PageError> {
    let me = request.account()?;
    let before = request.query()?.typed("before")?.parse().ok();
    let view = repair(&web.ctx, id, before).await?;
    let again = again.unwrap_or_else(|| Again {
        status: StatusCode::OK,
        form: RepairForm::of(&view.fields),
        version: view.version,
        errors: Vec::new(),
    });
    // Prefix of the idempotency keys of this page's forms.
    let request_id = new_request_id();
    let shown = RepairPage {
        repair: &view,
        form: &again.form,
        version: again.version,
        errors: &again.errors,
        me: me.id,
        role: me.role,
        csrf_token: &web.browsers.token(&request.browser),
        request_id: request_id.as_str(),
    };
    let page = web.html(request).repair(&shown, web.ctx.clock.now()).map_err(PageError::internal)?;
    html_with_forms(web, request, again.status, page)
}
