//! `/admin/jobs` and the page of one job: for staff.

use crate::domain::ids::JobId;
use crate::domain::job::{JobKind, JobState};
use crate::ops::jobs;
use crate::ops::{OpError, Refusal};
use crate::render::html::JobFilter;
use crate::web::Web;
use crate::web::kernel::answer::{html, html_with_forms, see_other};
use crate::web::kernel::fields::Fields;
use crate::web::kernel::{Answer, Call, PageError};
use http::StatusCode;

/// Lines that the page of a job shows.
const LINES: u64 = 50;

pub(super) async fn list(web: &Web, call: &Call) -> Result<Answer, PageError> {
    let query = call.query()?;
    let filter = JobFilter {
        state: chosen(&query, "state", JobState::of_key)?,
        kind: chosen(&query, "kind", JobKind::of_key)?,
    };
    let older_than = chosen(&query, "before", |id| id.parse().ok())?;
    let view = jobs::jobs(&web.ctx, &call.actor(), filter.state, filter.kind, older_than).await?;
    Ok(html(StatusCode::OK, web.html(call).jobs(&view, filter).map_err(PageError::internal)?))
}

/// What the address names, where it names anything.
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

pub(super) async fn show(web: &Web, call: &Call) -> Result<Answer, PageError> {
    let details = jobs::job(&web.ctx, &call.actor(), call.id("id")?, LINES).await?;
    let page = web.html(call).job(&details, &web.browsers.token(&call.browser));
    html_with_forms(web, call, StatusCode::OK, page.map_err(PageError::internal)?)
}

pub(super) async fn cancel(web: &Web, call: &Call) -> Result<Answer, PageError> {
    let id = call.id("id")?;
    back(id, jobs::cancel(&web.ctx, &call.actor(), id).await)
}

pub(super) async fn resume(web: &Web, call: &Call) -> Result<Answer, PageError> {
    let id = call.id("id")?;
    back(id, jobs::resume(&web.ctx, &call.actor(), id).await)
}

/// Back to the job, or why not.
fn back(id: JobId, done: Result<(), OpError>) -> Result<Answer, PageError> {
    match done {
        Ok(()) => see_other(&format!("/admin/jobs/{id}")),
        Err(OpError::Refused(Refusal { message, .. })) => Err(PageError::Refused { message }),
        Err(error) => Err(error.into()),
    }
}
