//! `POST /e/{id}/me-too/{repair}`: counts a browser once on a known issue.

use crate::domain::actor::{Actor, Edge};
use crate::domain::ids::{EquipmentId, RepairId};
use crate::ops;
use crate::web::Web;
use crate::web::kernel::answer::{introduce, see_other};
use crate::web::kernel::{Answer, Call, PageError};

/// The name of people whom the web does not know.
const VISITOR: &str = "A visitor";

pub(super) async fn say(web: &Web, call: &Call) -> Result<Answer, PageError> {
    let (machine, repair): (EquipmentId, RepairId) = (call.id("id")?, call.id("repair")?);
    web.me_toos.count(call.client).map_err(|wait| PageError::TooOften { wait })?;
    let actor = Actor::visitor(Edge::Web, VISITOR);
    let person = format!("browser:{}", call.browser.id());
    let done = ops::me_too::me_too(&web.ctx, &actor, Some(machine), repair, &person).await?;
    let mut answer = see_other(&format!("/e/{}?thanks={repair}#repair-{repair}", done.equipment))?;
    introduce(web, call, &mut answer)?;
    Ok(answer)
}
