//! `GET /area/{id}?page=`: all equipment of one area.

use crate::domain::ids::AreaId;
use crate::ops;
use crate::web::Web;
use crate::web::kernel::response::html;
use crate::web::kernel::{PageError, PageRequest, PageResponse};
use http::StatusCode;

pub(super) async fn show(web: &Web, request: &PageRequest) -> Result<PageResponse, PageError> {
    let id: AreaId = request.id("id")?;
    let page = match request.query()?.typed("page")? {
        "" => 1,
        page => page.parse().map_err(|_| PageError::NotFound)?,
    };
    let board = ops::board::board(&web.ctx).await?;
    let area = board.areas.iter().find(|area| area.id == id).ok_or(PageError::NotFound)?;
    let now = web.ctx.clock.now();
    let version = web.board_version(request, board.revision, now);
    let keep = request.may_keep();
    if version.is_held(&request.headers) {
        return Ok(version.not_modified(keep));
    }
    let page = web.html(request).area(&board, area, page, &version.tag(), now);
    let page = page.map_err(PageError::internal)?.ok_or(PageError::NotFound)?;
    Ok(version.mark(html(StatusCode::OK, page), keep))
}
