//! Reads of the equipment list: the list, one machine with everything that belongs to it, the export.

use crate::domain::actor::{Actor, Role};
use crate::domain::board::BoardStatus;
use crate::domain::ids::{AreaId, EquipmentId};
use crate::ops::permission::{may_edit, require};
use crate::ops::search::search_equipment_list;
use crate::ops::{Ctx, OpError, board};
use crate::store;
use crate::store::entities::equipment::Model as Row;
use crate::store::equipment::stored_details;
use crate::store::equipment_list::{Listed, PastRepair};
use crate::views::records::{
    AreaChoice, EquipmentDetail, EquipmentList, EquipmentRecord, EquipmentRow, HistoryRow, NoteView,
    PastRepairs,
};
use std::collections::HashMap;
use std::sync::Arc;

pub use crate::store::equipment_list::EquipmentQuery;

/// Machines on a page (spec/web.md; the same as the queue's).
pub const PAGE: u64 = 50;
/// Repairs on a page of a machine's history.
pub const HISTORY_PAGE: u64 = 20;
/// Most closed repairs of a machine in a list in Slack.
pub const PAST_MAX: u64 = 200;
/// Newest notes that a machine's page shows.
pub const NOTES_SHOWN: u64 = 50;
/// Machines of the export that are in memory at once.
const EXPORT_BATCH: u64 = 500;

/// One page of the list, counted from 1. Cached per board revision, which every change of the list increments.
///
/// # Errors
/// `NotFound` for a page that does not exist.
pub async fn equipment_list(
    ctx: &Ctx,
    wanted: &EquipmentQuery,
    page: u64,
) -> Result<Arc<EquipmentList>, OpError> {
    let revision = board::revision(ctx).await?;
    let read = async { Ok(Arc::new(read_list(ctx, wanted, page).await?)) };
    ctx.board.equipment_list.get(&revision, (wanted.clone(), page), read).await
}

async fn read_list(ctx: &Ctx, wanted: &EquipmentQuery, page: u64) -> Result<EquipmentList, OpError> {
    let (listed, total, pages, are_nearest) = match wanted.text.is_empty() {
        true => {
            let db = ctx.store.read();
            let total = store::equipment_list::count(db, wanted).await?;
            let (pages, skipped) = pages(total, page, PAGE)?;
            (store::equipment_list::page(db, wanted, (PAGE, skipped)).await?, total, pages, false)
        }
        false => find_list(ctx, wanted, page).await?,
    };
    let statuses = statuses(ctx, &listed).await?;
    let equipment = |row: Listed| EquipmentRow {
        status: statuses.get(&row.id).copied(),
        id: row.id,
        name: row.name,
        manufacturer: row.manufacturer,
        model: row.model,
        area: row.area_name,
    };
    let equipment = listed.into_iter().map(equipment).collect();
    Ok(EquipmentList { areas: area_choices(ctx).await?, total, page, pages, equipment, are_nearest })
}

/// A page of the search results, best first: the machines, their number, the number of pages, and whether they only
/// have the nearest names.
async fn find_list(
    ctx: &Ctx,
    wanted: &EquipmentQuery,
    page: u64,
) -> Result<(Vec<Listed>, u64, u64, bool), OpError> {
    let (ids, are_nearest) = search_equipment_list(ctx, wanted).await?;
    let total = ids.len() as u64;
    let (pages, skipped) = pages(total, page, PAGE)?;
    let number = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
    let of_page: Vec<EquipmentId> = ids.into_iter().skip(number(skipped)).take(number(PAGE)).collect();
    let listed = store::equipment_list::of_numbers(ctx.store.read(), &of_page).await?;
    Ok((listed, total, pages, are_nearest))
}

/// The number of pages, and of rows before this one.
fn pages(total: u64, page: u64, size: u64) -> Result<(u64, u64), OpError> {
    let pages = total.div_ceil(size).max(1);
    if (1..=pages).contains(&page) { Ok((pages, (page - 1) * size)) } else { Err(OpError::NotFound) }
}

/// Board colors of these machines; machines on no board are absent.
async fn statuses(ctx: &Ctx, listed: &[Listed]) -> Result<HashMap<EquipmentId, BoardStatus>, OpError> {
    let mut wanted: HashMap<EquipmentId, ()> = HashMap::new();
    for row in listed.iter().filter(|row| !row.archived && !row.area_archived) {
        wanted.insert(row.id, ());
    }
    if wanted.is_empty() {
        return Ok(HashMap::new());
    }
    let board = board::board(ctx).await?;
    let equipment = board.areas.iter().flat_map(|area| &area.equipment);
    let asked = equipment.filter(|equipment| wanted.contains_key(&equipment.id));
    Ok(asked.map(|equipment| (equipment.id, equipment.status)).collect())
}

/// Live areas in board order.
pub async fn area_choices(ctx: &Ctx) -> Result<Vec<AreaChoice>, OpError> {
    let board = board::board(ctx).await?;
    Ok(board.areas.iter().map(|area| AreaChoice { id: area.id, name: area.name.clone() }).collect())
}

/// Everything on record about a machine, archived ones too.
///
/// # Errors
/// `NotFound`.
pub async fn equipment_record(ctx: &Ctx, id: EquipmentId) -> Result<EquipmentRecord, OpError> {
    let db = ctx.store.read();
    let row = store::equipment::row(db, id).await?.ok_or(OpError::NotFound)?;
    let area = store::areas::find(db, row.area_id).await?.ok_or(OpError::NotFound)?;
    Ok(record(row, area.name, area.archived))
}

/// Number of open repairs of a machine.
pub async fn open_repairs(ctx: &Ctx, id: EquipmentId) -> Result<usize, OpError> {
    Ok(store::board::open_total_of(ctx.store.read(), id).await?.repairs)
}

/// A machine with its links, notes and one page of its history, counted from 1.
///
/// # Errors
/// `Forbidden`; `NotFound`, also for a page that does not exist.
pub async fn equipment(
    ctx: &Ctx,
    actor: &Actor,
    id: EquipmentId,
    page: u64,
) -> Result<EquipmentDetail, OpError> {
    let db = ctx.store.read();
    require(db, actor, Role::Technician).await?;
    let record = equipment_record(ctx, id).await?;
    let repairs_total = store::equipment_list::repair_count(db, id).await?;
    let (pages, skipped) = pages(repairs_total, page, HISTORY_PAGE)?;
    let repairs = store::equipment_list::repairs(db, id, (HISTORY_PAGE, skipped)).await?;
    let standing = board::equipment(ctx, id).await?;
    let note = |note: store::equipment_notes::Note| NoteView {
        id: note.id,
        text: note.text,
        author: note.author_name,
        author_id: note.author_user_id,
        created_at: note.created_at,
    };
    Ok(EquipmentDetail {
        record,
        status: standing.status,
        open_repairs: standing.open_count,
        links: standing.links,
        documents: standing.documents,
        photos: standing.photos,
        notes: store::equipment_notes::of(db, id, NOTES_SHOWN).await?.into_iter().map(note).collect(),
        notes_total: store::equipment_notes::count(db, id).await?,
        page,
        pages,
        repairs_total,
        repairs: repairs.into_iter().map(history_row).collect(),
        may_edit: may_edit(db, actor).await?,
    })
}

pub async fn past_repairs(ctx: &Ctx, id: EquipmentId) -> Result<PastRepairs, OpError> {
    let db = ctx.store.read();
    let total = store::equipment_list::closed_count(db, id).await?;
    let repairs = store::equipment_list::closed_repairs(db, id, PAST_MAX).await?;
    Ok(PastRepairs { repairs: repairs.into_iter().map(history_row).collect(), total })
}

fn history_row(repair: PastRepair) -> HistoryRow {
    HistoryRow {
        id: repair.id,
        description: repair.description,
        severity: repair.severity,
        status: repair.status,
        reporter: repair.reporter_name,
        assignee: repair.assignee,
        created_at: repair.created_at,
        closed_at: repair.closed_at,
    }
}

/// The next machines of the export with a number above `after`; empty at the end.
pub async fn export_batch(
    ctx: &Ctx,
    (area, archived): (Option<AreaId>, bool),
    after: EquipmentId,
) -> Result<Vec<EquipmentRecord>, OpError> {
    let rows = store::equipment_list::batch(ctx.store.read(), (area, archived), after, EXPORT_BATCH).await?;
    let whole = rows.into_iter().filter_map(|(row, area)| Some((row, area?)));
    Ok(whole.map(|(row, area)| record(row, area.name, area.archived)).collect())
}

fn record(row: Row, area: String, area_archived: bool) -> EquipmentRecord {
    EquipmentRecord {
        id: row.id,
        version: row.version,
        details: stored_details(&row),
        area,
        archived: row.archived,
        area_archived,
        created_at: row.created_at,
        updated_at: row.updated_at,
    }
}
