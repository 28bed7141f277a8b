//! Reads: the board, cached per revision, and one machine. `revision` determines the revision.

use super::search::EquipmentNames;
use super::{Ctx, OpError, attachments};
use crate::domain::board::{OpenIssue, standing};
use crate::domain::ids::{AreaId, EquipmentId, RepairId};
use crate::domain::queue::QueueFilter;
use crate::revision_cache::{LatestCache, QueryCache};
use crate::store::board::{ActiveEquipment, OpenRow, OpenTotal};
use crate::store::entities::area;
use crate::store::equipment_links::Link;
use crate::store::equipment_list::EquipmentQuery;
use crate::store::photos::Subject;
use crate::store::{self, equipment::EquipmentWithArea};
use crate::views::board::{BoardArea, BoardEquipment, BoardView, Headline};
use crate::views::equipment::{LinkView, OpenRepair, PublicEquipment};
use crate::views::records::EquipmentList;
use crate::views::repairs::QueueView;
use std::collections::HashMap;
use std::sync::Arc;

mod open;
mod revision;

pub use open::{open_repairs, search_open_repairs};
use revision::Revision;
pub use revision::{Revisions, follow, poll_revision, revision};

/// Most open repairs of one machine that are read, texts included: anyone may report without an account, and the
/// page must not grow without limit.
pub const REPAIRS_MAX: u64 = 100;

/// The cached views of this process.
#[derive(Debug, Default)]
pub(super) struct CachedViews {
    pub(super) revision: Revision,
    view: LatestCache<i64, Arc<BoardView>>,
    open: LatestCache<i64, Arc<open::Searchable>>,
    pub(super) names: LatestCache<i64, Arc<EquipmentNames>>,
    pub(super) maintenance: LatestCache<i64, bool>,
    pub(super) queue: QueryCache<i64, (QueueFilter, u64), Arc<QueueView>>,
    pub(super) equipment_list: QueryCache<i64, (EquipmentQuery, u64), Arc<EquipmentList>>,
}

/// The whole board, read once per revision. The revision is read before the data, so that a board is never cached
/// under a revision newer than its data.
pub async fn board(ctx: &Ctx) -> Result<Arc<BoardView>, OpError> {
    let revision = revision(ctx).await?;
    ctx.board.view.get(&revision, read(ctx, revision)).await
}

async fn read(ctx: &Ctx, revision: i64) -> Result<Arc<BoardView>, OpError> {
    let db = ctx.store.read();
    let areas = store::areas::live(db).await?;
    let equipment = store::board::active_equipment(db).await?;
    let mut open: HashMap<EquipmentId, OpenOfEquipment> = HashMap::new();
    store::board::for_each_open_repair(db, |repair| open.entry(repair.equipment_id).or_default().add(repair))
        .await?;
    let areas = assemble(areas, equipment, open);
    Ok(Arc::new(BoardView { revision, generated_at: ctx.clock.now(), areas }))
}

/// The open repairs of one machine: of all of them the facts that determine its status, of one the text.
#[derive(Default)]
struct OpenOfEquipment {
    issues: Vec<OpenIssue>,
    safety_risk: bool,
    headline: Option<OpenRow>,
}

impl OpenOfEquipment {
    fn add(&mut self, repair: OpenRow) {
        let issue = open_issue(&repair);
        self.issues.push(issue);
        self.safety_risk |= repair.safety_risk;
        if self.headline.as_ref().is_none_or(|shown| issue.precedence() < open_issue(shown).precedence()) {
            self.headline = Some(repair);
        }
    }
}

const fn open_issue(repair: &OpenRow) -> OpenIssue {
    OpenIssue { id: repair.id, severity: repair.severity, created_at: repair.created_at, eta: repair.eta }
}

fn assemble(
    areas: Vec<area::Model>,
    equipment: Vec<ActiveEquipment>,
    mut open: HashMap<EquipmentId, OpenOfEquipment>,
) -> Vec<BoardArea> {
    let mut by_area: HashMap<AreaId, Vec<BoardEquipment>> = HashMap::new();
    for equipment in equipment {
        let repairs = open.remove(&equipment.id).unwrap_or_default();
        by_area.entry(equipment.area_id).or_default().push(board_equipment_item(equipment, repairs));
    }
    areas
        .into_iter()
        .map(|area| BoardArea {
            equipment: by_area.remove(&area.id).unwrap_or_default(),
            id: area.id,
            name: area.name,
        })
        .collect()
}

fn board_equipment_item(equipment: ActiveEquipment, open: OpenOfEquipment) -> BoardEquipment {
    let standing = standing(&open.issues);
    let headline = open.headline.map(|shown| Headline {
        repair: shown.id,
        issue: shown.description,
        eta: standing.eta,
        assignee: shown.assignee,
        open_repairs: open.issues.len(),
    });
    BoardEquipment {
        id: equipment.id,
        name: equipment.name,
        status: standing.status,
        safety_risk: open.safety_risk,
        headline,
    }
}

/// One machine with its open repairs, the worst [`REPAIRS_MAX`] of more; archived machines too, marked.
///
/// # Errors
/// `NotFound`.
pub async fn equipment(ctx: &Ctx, id: EquipmentId) -> Result<PublicEquipment, OpError> {
    let db = ctx.store.read();
    let equipment = store::equipment::find(db, id).await?.ok_or(OpError::NotFound)?;
    let total = store::board::open_total_of(db, id).await?;
    let repairs = store::board::worst_repairs_of(db, id, REPAIRS_MAX).await?;
    let numbers: Vec<RepairId> = repairs.iter().map(|repair| repair.id).collect();
    let me_toos = store::me_toos::counts(db, &numbers).await?;
    let links = store::equipment_links::of(db, id).await?;
    let mut view = equipment_view(equipment, total, (repairs, &me_toos), links);
    view.documents = attachments::documents(db, id).await?;
    view.photos = attachments::photos(db, Subject::Equipment(id)).await?;
    Ok(view)
}

fn equipment_view(
    equipment: EquipmentWithArea,
    total: OpenTotal,
    (repairs, me_toos): (Vec<OpenRow>, &HashMap<RepairId, u64>),
    links: Vec<Link>,
) -> PublicEquipment {
    // The worst repair determines the machine's status, and it is always among those read.
    let status = standing(&repairs.iter().map(open_issue).collect::<Vec<_>>()).status;
    PublicEquipment {
        archived: equipment.is_archived(),
        id: equipment.id,
        name: equipment.name,
        area_id: equipment.area_id,
        area: equipment.area_name,
        area_channel: Some(equipment.area_channel).filter(|channel| !channel.is_empty()),
        manufacturer: equipment.manufacturer,
        model: equipment.model,
        description: equipment.description,
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
