//! Redirects addresses of the Python system to ours (spec/web.md, `GET /e/{id}`): its labels are printed and its wall
//! screens configured. An address without an equivalent redirects to the nearest page, so no redirect is permanent.

use crate::domain::ids::{AreaId, EquipmentId};
use crate::web::kernel::access::local_path;
use crate::web::kernel::response::found;
use crate::web::kernel::{PageError, PageRequest, PageResponse};
use form_urlencoded::Serializer;

pub(super) async fn board() -> Result<PageResponse, PageError> {
    found("/")
}

pub(super) async fn queue() -> Result<PageResponse, PageError> {
    found("/repairs")
}

pub(super) async fn area(request: &PageRequest) -> Result<PageResponse, PageError> {
    found(&format!("/area/{}", request.id::<AreaId>("area")?))
}

pub(super) async fn equipment(request: &PageRequest) -> Result<PageResponse, PageError> {
    found(&format!("/e/{}", request.id::<EquipmentId>("id")?))
}

pub(super) async fn login(request: &PageRequest) -> Result<PageResponse, PageError> {
    let query = request.query()?;
    let next = local_path(query.typed("next")?).unwrap_or_default();
    if next.is_empty() {
        return found("/login");
    }
    found(&format!("/login?{}", Serializer::new(String::new()).append_pair("next", next).finish()))
}

/// Translates `?area_id=&include_archived=` to our parameters.
pub(super) async fn export(request: &PageRequest) -> Result<PageResponse, PageError> {
    let query = request.query()?;
    let mut ours = Serializer::new(String::new());
    if let Ok(area) = query.typed("area_id")?.parse::<AreaId>() {
        ours.append_pair("area", &area.to_string());
    }
    if matches!(query.typed("include_archived")?.to_lowercase().as_str(), "1" | "true" | "on" | "yes") {
        ours.append_pair("archived", "1");
    }
    match ours.finish().as_str() {
        "" => found("/equipment.csv"),
        query => found(&format!("/equipment.csv?{query}")),
    }
}
