//! `POST /e/{id}/me-too/{repair}`: counts a browser once on a known issue.

use crate::domain::actor::{Actor, Edge};
use crate::domain::ids::{EquipmentId, RepairId};
use crate::ops;
use crate::web::Web;
use crate::web::kernel::response::{see_other, set_browser_cookie};
use crate::web::kernel::{PageError, PageRequest, PageResponse};

/// The name of people who are not signed in.
const VISITOR: &str = "A visitor";

pub(super) async fn say(web: &Web, request: &PageRequest) -> Result<PageResponse, PageError> {
    let (equipment, repair): (EquipmentId, RepairId) = (request.id("id")?, request.id("repair")?);
    web.me_toos.count(request.client).map_err(|wait| PageError::TooOften { wait })?;
    let actor = Actor::visitor(Edge::Web, VISITOR);
    let person = format!("browser:{}", request.browser.id());
    let done = ops::repairs::me_too::me_too(&web.ctx, &actor, Some(equipment), repair, &person).await?;
    let mut response = see_other(&format!("/e/{}?thanks={repair}#repair-{repair}", done.equipment))?;
    set_browser_cookie(web, request, &mut response)?;
    Ok(response)
}
