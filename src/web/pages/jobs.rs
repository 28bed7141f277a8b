//! `/admin/jobs` and the page of one job: for staff.

use crate::domain::ids::JobId;
use crate::domain::job::{JobKind, JobState};
use crate::ops::jobs;
use crate::ops::{OpError, Refusal};
use crate::render::html::JobFilter;
use crate::web::Web;
use crate::web::kernel::fields::Fields;
use crate::web::kernel::response::{html, html_with_forms, see_other};
use crate::web::kernel::{PageError, PageRequest, PageResponse};
use http::StatusCode;

/// Most lines shown on the page of a job.
const LINES: u64 = 50;

pub(super) async fn list(web: &Web, request: &PageRequest) -> Result<PageResponse, PageError> {
    let query = request.query()?;
    let filter = JobFilter {
        state: chosen(&query, "state", JobState::of_key)?,
        kind: chosen(&query, "kind", JobKind::of_key)?,
    };
    let older_than = chosen(&query, "before", |id| id.parse().ok())?;
    let view = jobs::jobs(&web.ctx, &request.actor(), filter.state, filter.kind, older_than).await?;
    Ok(html(StatusCode::OK, web.html(request).jobs(&view, filter).map_err(PageError::internal)?))
}

/// The value of a filter in the query, if it is set and valid.
fn chosen<T>(
    query: &Fields,
    name: &'static str,
    read: impl FnOnce(&str) -> Option<T>,
) -> Result<Option<T>, PageError> {
    match query.typed(name)? {
        "" => Ok(None),
        text => read(text).map(Some).ok_or(PageError::NotFound),
    }
}

pub(super) async fn show(web: &Web, request: &PageRequest) -> Result<PageResponse, PageError> {
    let details = jobs::job(&web.ctx, &request.actor(), request.id("id")?, LINES).await?;
    let page = web.html(request).job(&details, &web.browsers.token(&request.browser));
    html_with_forms(web, request, StatusCode::OK, page.map_err(PageError::internal)?)
}

pub(super) async fn cancel(web: &Web, request: &PageRequest) -> Result<PageResponse, PageError> {
    let id = request.id("id")?;
    back(id, jobs::cancel(&web.ctx, &request.actor(), id).await)
}

pub(super) async fn resume(web: &Web, request: &PageRequest) -> Result<PageResponse, PageError> {
    let id = request.id("id")?;
    back(id, jobs::resume(&web.ctx, &request.actor(), id).await)
}

/// Redirects to the job, or shows the error.
fn back(id: JobId, done: Result<(), OpError>) -> Result<PageResponse, PageError> {
    match done {
        Ok(()) => see_other(&format!("/admin/jobs/{id}")),
        Err(OpError::Refused(Refusal { message, .. })) => Err(PageError::Refused { message }),
        Err(error) => Err(error.into()),
    }
}
