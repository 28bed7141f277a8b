//! `GET /`: the board. Cached whole and compressed per revision; a filtered board is rendered for each request.

use crate::domain::text::fold;
use crate::ops;
use crate::ops::search::search_board;
use crate::render::html::BoardFilter;
use crate::web::Web;
use crate::web::kernel::response::{HTML, html};
use crate::web::kernel::{PageError, PageRequest, PageResponse};
use http::StatusCode;

/// Most characters of a search: as long as the name of equipment.
const SEARCH_MAX: usize = 200;

pub(super) async fn show(web: &Web, request: &PageRequest) -> Result<PageResponse, PageError> {
    let mut filter = filter(request)?;
    let board = ops::board::board(&web.ctx).await?;
    if !filter.text.is_empty() {
        filter.found = search_board(&web.ctx, &board, &filter.text).await?;
    }
    let now = web.ctx.clock.now();
    let mut version = web.board_version(request, board.revision, now);
    // Setup changes the page without a new revision.
    let offers_setup = board.areas.is_empty() && web.offers_setup().await;
    if offers_setup {
        version.0.push_str("-setup");
    }
    let tag = version.tag();
    let keep = request.may_keep();
    let render = || web.html_offering_setup(request, offers_setup).board(&board, &filter, &tag, now);
    if filter.is_empty() && request.caller.person().is_none() {
        let page = web.board_page.get(version, HTML, render).await.map_err(PageError::internal)?;
        return Ok(page.response(&request.headers, keep));
    }
    if version.is_held(&request.headers) {
        return Ok(version.not_modified(keep));
    }
    let page = render().map_err(PageError::internal)?;
    Ok(version.mark(html(StatusCode::OK, page), keep))
}

/// `?area=&broken=1&q=`; an empty value does not filter.
fn filter(request: &PageRequest) -> Result<BoardFilter, PageError> {
    let query = request.query()?;
    let area = match query.typed("area")? {
        "" => None,
        id => Some(id.parse().map_err(|_| PageError::NotFound)?),
    };
    let text: String = query.typed("q")?.trim().chars().take(SEARCH_MAX).collect();
    let text = if fold(&text).is_empty() { String::new() } else { text };
    Ok(BoardFilter { area, broken: query.ticked("broken")?, text, ..BoardFilter::default() })
}
