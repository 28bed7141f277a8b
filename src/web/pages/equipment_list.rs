//! `GET /equipment` and `GET /equipment.csv`: the equipment list, for people and for spreadsheets.

use super::form_parser::page_number;
use crate::domain::actor::Role;
use crate::domain::ids::{AreaId, EquipmentId};
use crate::domain::text::fold;
use crate::ops::equipment::list::{EquipmentQuery, equipment_list, export_batch};
use crate::render::csv;
use crate::render::html::EquipmentFilter;
use crate::web::Web;
use crate::web::kernel::fields::Fields;
use crate::web::kernel::response::{html, spreadsheet};
use crate::web::kernel::{PageError, PageRequest, PageResponse};
use bytes::Bytes;
use futures_util::stream;
use http::StatusCode;

/// Most characters of a search: as long as the name of equipment.
const SEARCH_MAX: usize = 200;

pub(super) async fn show(web: &Web, request: &PageRequest) -> Result<PageResponse, PageError> {
    let query = request.query()?;
    let text: String = query.typed("q")?.trim().chars().take(SEARCH_MAX).collect();
    let text = if fold(&text).is_empty() { String::new() } else { text };
    let filter = EquipmentFilter { area: area(&query)?, archived: query.ticked("archived")?, text };
    let wanted = EquipmentQuery { area: filter.area, archived: filter.archived, text: filter.text.clone() };
    let view = equipment_list(&web.ctx, &wanted, page_number(&query)?).await?;
    let is_staff = request.account()?.role == Role::Staff;
    let page = web.html(request).equipment_list(&view, &filter, is_staff).map_err(PageError::internal)?;
    Ok(html(StatusCode::OK, page))
}

fn area(query: &Fields) -> Result<Option<AreaId>, PageError> {
    match query.typed("area")? {
        "" => Ok(None),
        id => id.parse().map(Some).map_err(|_| PageError::NotFound),
    }
}

/// State of the export.
enum Export {
    Head,
    Behind(EquipmentId),
}

/// `?area=&archived=1`: exports all equipment, in batches.
pub(super) async fn export(web: &Web, request: &PageRequest) -> Result<PageResponse, PageError> {
    let query = request.query()?;
    let wanted = (area(&query)?, query.ticked("archived")?);
    let ctx = web.ctx.clone();
    let pieces = stream::try_unfold(Export::Head, move |state| {
        let ctx = ctx.clone();
        async move {
            let Export::Behind(after) = state else {
                return Ok(Some((Bytes::from(csv::equipment_head()), Export::Behind(EquipmentId(0)))));
            };
            let batch = export_batch(&ctx, wanted, after).await?;
            let last = batch.last().map(|equipment| equipment.id);
            Ok(last.map(|last| (Bytes::from(csv::equipment(&batch)), Export::Behind(last))))
        }
    });
    Ok(spreadsheet("equipment.csv", pieces))
}
