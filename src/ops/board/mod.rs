//! Reads: the board, kept per revision, and one machine. `revision` knows what the board's is.

use super::{Ctx, OpError, attachments};
use crate::domain::board::{OpenIssue, standing};
use crate::domain::ids::{AreaId, EquipmentId, RepairId};
use crate::domain::queue::QueueFilter;
use crate::newest::{Answers, Newest};
use crate::store::board::{LiveMachine, OpenRow, OpenTotal};
use crate::store::entities::area;
use crate::store::equipment_links::Link;
use crate::store::photos::Subject;
use crate::store::registry::Wanted;
use crate::store::{self, equipment::Machine};
use crate::views::board::{BoardArea, BoardMachine, BoardView, Headline};
use crate::views::equipment::{EquipmentView, LinkView, OpenRepair};
use crate::views::registry::RegistryView;
use crate::views::repairs::QueueView;
use std::collections::HashMap;
use std::sync::Arc;

mod open;
mod revision;

pub use open::{open_repairs, search_open_repairs};
use revision::Revision;
pub use revision::{Revisions, follow, look, revision};

/// Open repairs of one machine that are read at most, texts included: whoever may report without an account
/// must not make a page grow without end.
pub const REPAIRS_MAX: u64 = 100;

/// What this process keeps of the board.
#[derive(Debug, Default)]
pub(super) struct Kept {
    pub(super) revision: Revision,
    view: Newest<i64, Arc<BoardView>>,
    open: Newest<i64, Arc<open::Searchable>>,
    pub(super) maintenance: Newest<i64, bool>,
    pub(super) queue: Answers<i64, (QueueFilter, u64), Arc<QueueView>>,
    pub(super) registry: Answers<i64, (Wanted, u64), Arc<RegistryView>>,
}

/// The whole board, read once per revision. The revision is read before the data, so that a board is
/// never kept under a revision newer than what it shows.
///
/// # Errors
/// The database's.
pub async fn board(ctx: &Ctx) -> Result<Arc<BoardView>, OpError> {
    let revision = revision(ctx).await?;
    ctx.board.view.get(&revision, read(ctx, revision)).await
}

async fn read(ctx: &Ctx, revision: i64) -> Result<Arc<BoardView>, OpError> {
    let db = ctx.store.read();
    let areas = store::areas::live(db).await?;
    let machines = store::board::live_machines(db).await?;
    let repairs = store::board::open_repairs(db).await?;
    let areas = assemble(areas, machines, repairs);
    Ok(Arc::new(BoardView { revision, generated_at: ctx.clock.now(), areas }))
}

fn assemble(areas: Vec<area::Model>, machines: Vec<LiveMachine>, repairs: Vec<OpenRow>) -> Vec<BoardArea> {
    let mut open: HashMap<EquipmentId, Vec<OpenRow>> = HashMap::new();
    for repair in repairs {
        open.entry(repair.equipment_id).or_default().push(repair);
    }
    let mut by_area: HashMap<AreaId, Vec<BoardMachine>> = HashMap::new();
    for machine in machines {
        let repairs = open.remove(&machine.id).unwrap_or_default();
        by_area.entry(machine.area_id).or_default().push(board_machine(machine, repairs));
    }
    areas
        .into_iter()
        .map(|area| BoardArea {
            machines: by_area.remove(&area.id).unwrap_or_default(),
            id: area.id,
            name: area.name,
        })
        .collect()
}

fn issues(repairs: &[OpenRow]) -> Vec<OpenIssue> {
    let issue =
        |r: &OpenRow| OpenIssue { id: r.id, severity: r.severity, created_at: r.created_at, eta: r.eta };
    repairs.iter().map(issue).collect()
}

fn board_machine(machine: LiveMachine, repairs: Vec<OpenRow>) -> BoardMachine {
    let standing = standing(&issues(&repairs));
    let open_repairs = repairs.len();
    let safety_risk = repairs.iter().any(|repair| repair.safety_risk);
    let shown = repairs.into_iter().find(|repair| Some(repair.id) == standing.headline);
    let headline = shown.map(|repair| Headline {
        repair: repair.id,
        issue: repair.description,
        eta: standing.eta,
        assignee: repair.assignee,
        open_repairs,
    });
    BoardMachine { id: machine.id, name: machine.name, status: standing.status, safety_risk, headline }
}

/// One machine with its open repairs, the worst [`REPAIRS_MAX`] of more; archived machines too, marked.
///
/// # Errors
/// `NotFound`; the database's.
pub async fn equipment(ctx: &Ctx, id: EquipmentId) -> Result<EquipmentView, OpError> {
    let db = ctx.store.read();
    let machine = store::equipment::find(db, id).await?.ok_or(OpError::NotFound)?;
    let total = store::board::open_total_of(db, id).await?;
    let repairs = store::board::worst_repairs_of(db, id, REPAIRS_MAX).await?;
    let numbers: Vec<RepairId> = repairs.iter().map(|repair| repair.id).collect();
    let me_toos = store::me_toos::counts(db, &numbers).await?;
    let links = store::equipment_links::of(db, id).await?;
    let mut view = equipment_view(machine, total, (repairs, &me_toos), links);
    view.documents = attachments::documents(db, id).await?;
    view.photos = attachments::photos(db, Subject::Machine(id)).await?;
    Ok(view)
}

fn equipment_view(
    machine: Machine,
    total: OpenTotal,
    (repairs, me_toos): (Vec<OpenRow>, &HashMap<RepairId, u64>),
    links: Vec<Link>,
) -> EquipmentView {
    // The worst repair speaks for the machine, and it is always among those read.
    let status = standing(&issues(&repairs)).status;
    EquipmentView {
        archived: machine.is_archived(),
        id: machine.id,
        name: machine.name,
        area_id: machine.area_id,
        area: machine.area_name,
        area_channel: Some(machine.area_channel).filter(|channel| !channel.is_empty()),
        manufacturer: machine.manufacturer,
        model: machine.model,
        description: machine.description,
        links: links
            .into_iter()
            .map(|link| LinkView { id: link.id, title: link.title, url: link.url })
            .collect(),
        documents: Vec::new(),
        photos: Vec::new(),
        status,
        safety_risk: total.safety_risk,
        // One may have been added between the two queries.
        open_count: total.repairs.max(repairs.len()),
        open_repairs: repairs.into_iter().map(|repair| open_repair(repair, me_toos)).collect(),
    }
}

fn open_repair(repair: OpenRow, me_toos: &HashMap<RepairId, u64>) -> OpenRepair {
    OpenRepair {
        me_too: me_toos.get(&repair.id).copied().unwrap_or(0),
        id: repair.id,
        description: repair.description,
        severity: repair.severity,
        status: repair.status,
        safety_risk: repair.safety_risk,
        eta: repair.eta,
        assignee: repair.assignee,
        created_at: repair.created_at,
    }
}
