//! `GET /status.json`: the board for programs. Cached and compressed per revision; its ETag is the revision.

use super::public_equipment::rfc3339;
use crate::domain::ids::{AreaId, EquipmentId};
use crate::ops;
use crate::render::links::Links;
use crate::views::board::{BoardEquipment, BoardView};
use crate::web::Web;
use crate::web::kernel::cache_control::REVALIDATE;
use crate::web::kernel::cached::Version;
use crate::web::kernel::response::JSON;
use crate::web::kernel::{PageError, PageRequest, PageResponse};
use chrono::NaiveDate;
use serde::Serialize;

#[derive(Serialize)]
struct StatusJson<'a> {
    generated_at: String,
    revision: i64,
    areas: Vec<AreaJson<'a>>,
}

#[derive(Serialize)]
struct AreaJson<'a> {
    id: AreaId,
    name: &'a str,
    equipment: Vec<EquipmentJson<'a>>,
}

#[derive(Serialize)]
struct EquipmentJson<'a> {
    id: EquipmentId,
    name: &'a str,
    status: &'static str,
    issue: Option<&'a str>,
    eta: Option<NaiveDate>,
    assignee: Option<&'a str>,
    /// Absolute if the base URL is configured, else only the path.
    url: String,
}

pub(super) async fn show(web: &Web, request: &PageRequest) -> Result<PageResponse, PageError> {
    let board = ops::board::board(&web.ctx).await?;
    let write = || serde_json::to_string(&shape(&board, &web.links));
    let version = Version(board.revision.to_string());
    let body = web.status_json.get(version, JSON, write).await.map_err(PageError::internal)?;
    Ok(body.response(&request.headers, REVALIDATE))
}

fn shape<'a>(board: &'a BoardView, links: &Links) -> StatusJson<'a> {
    let areas = board.areas.iter().map(|area| AreaJson {
        id: area.id,
        name: &area.name,
        equipment: area.equipment.iter().map(|equipment| equipment_json(equipment, links)).collect(),
    });
    StatusJson { generated_at: rfc3339(board.generated_at), revision: board.revision, areas: areas.collect() }
}

fn equipment_json<'a>(equipment: &'a BoardEquipment, links: &Links) -> EquipmentJson<'a> {
    let headline = equipment.headline.as_ref();
    EquipmentJson {
        id: equipment.id,
        name: &equipment.name,
        status: equipment.status.key(),
        issue: headline.map(|headline| headline.issue.as_str()),
        eta: headline.and_then(|headline| headline.eta),
        assignee: headline.and_then(|headline| headline.assignee.as_deref()),
        url: links.equipment(equipment.id).unwrap_or_else(|| format!("/e/{}", equipment.id)),
    }
}
