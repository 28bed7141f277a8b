//! `GET /repairs`: the queue. All filters are in the query string.

use crate::domain::ids::UserId;
use crate::domain::queue::{QueueFilter, QueueOrder, Whose};
use crate::domain::text::cut;
use crate::ops::repairs::{QUEUE_PAGE, queue};
use crate::render::html::QueuePage;
use crate::web::Web;
use crate::web::kernel::fields::{Fields, FieldsError};
use crate::web::kernel::response::html_with_forms;
use crate::web::kernel::{PageError, PageRequest, PageResponse};
use crate::web::pages::forms::new_request_id;
use http::StatusCode;

/// Most characters of a search.
const TEXT_MAX: usize = 200;

pub(in crate::web::pages) async fn show(web: &Web, request: &PageRequest) -> Result<PageResponse, PageError> {
    let me = request.account()?.id;
    let query = request.query()?;
    let filter = wanted(&query, me)?;
    let page = query.typed("page")?.parse::<u64>().unwrap_or(1).max(1);
    let queue = queue(&web.ctx, &filter, page).await?;
    let request_id = new_request_id();
    let shown = QueuePage {
        queue: &queue,
        filter: &filter,
        page,
        page_size: QUEUE_PAGE,
        me,
        csrf_token: &web.browsers.token(&request.browser),
        request_id: request_id.as_str(),
    };
    let page = web.html(request).queue(&shown, web.ctx.clock.now()).map_err(PageError::internal)?;
    html_with_forms(web, request, StatusCode::OK, page)
}

/// The filter of the query string; invalid values are ignored.
fn wanted(query: &Fields, me: UserId) -> Result<QueueFilter, FieldsError> {
    Ok(QueueFilter {
        area: query.typed("area")?.parse().ok(),
        status: query.typed("status")?.parse().ok(),
        severity: query.typed("severity")?.parse().ok(),
        whose: match query.typed("assignee")? {
            "me" => Whose::Of(me),
            "unassigned" => Whose::Nobody,
            number => number.parse().map_or(Whose::All, Whose::Of),
        },
        text: cut(query.typed("q")?.replace('\0', "").trim(), TEXT_MAX),
        closed: query.typed("state")? == "closed",
        order: QueueOrder::named(query.typed("sort")?),
        reversed: query.ticked("desc")?,
    })
}
