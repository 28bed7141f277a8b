//! `GET /status.json`: the board for programs. Kept and compressed per revision; its ETag is the
//! revision.

use super::public_equipment::rfc3339;
use crate::domain::ids::{AreaId, EquipmentId};
use crate::ops;
use crate::render::links::Links;
use crate::views::board::{BoardEquipment, BoardView};
use crate::web::Web;
use crate::web::kernel::response::{JSON, REVALIDATE};
use crate::web::kernel::cached::Version;
use crate::web::kernel::{PageResponse, PageRequest, PageError};
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
    equipment: Vec<MachineJson<'a>>,
}

#[derive(Serialize)]
struct MachineJson<'a> {
    id: EquipmentId,
    name: &'a str,
    status: &'static str,
    issue: Option<&'a str>,
    eta: Option<NaiveDate>,
    assignee: Option<&'a str>,
    /// Whole where the base URL is known, else only its path.
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
        equipment: area.machines.iter().map(|machine| machine_json(machine, links)).collect(),
    });
    StatusJson { generated_at: rfc3339(board.generated_at), revision: board.revision, areas: areas.collect() }
}

fn machine_json<'a>(machine: &'a BoardEquipment, links: &Links) -> MachineJson<'a> {
    let headline = machine.headline.as_ref();
    MachineJson {
        id: machine.id,
        name: &machine.name,
        status: machine.status.key(),
        issue: headline.map(|headline| headline.issue.as_str()),
        eta: headline.and_then(|headline| headline.eta),
        assignee: headline.and_then(|headline| headline.assignee.as_deref()),
        url: links.equipment(machine.id).unwrap_or_else(|| format!("/e/{}", machine.id)),
    }
}
