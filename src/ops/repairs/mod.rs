//! Reads: the queue, and one repair with everything about it.

pub mod cards;
pub mod create_repair;
pub mod me_too;
pub mod notes;
pub mod photo_source;
pub mod photos;
pub(in crate::ops) mod record_change;
pub mod report_problem;
pub mod thread_replies;
pub mod update_repair;
pub mod visitor_photos;

use crate::domain::edit::{self, Duplicates, EditContext, shown_again};
use crate::domain::field::{FieldValue, RepairFields};
use crate::domain::ids::{RepairId, TimelineId, UserId};
use crate::domain::queue::QueueFilter;
use crate::domain::repair::RepairStatus;
use crate::ops::search::{other, search_beyond_database};
use crate::ops::{Ctx, OpError, attachments, board};
use crate::store;
use crate::store::photos::Subject;
use crate::store::queue::QueueRow;
use crate::store::timeline::Entry;
use crate::views::repairs::{QueueItem, QueueView, RepairBrief, RepairView, TimelineEntryView};
use std::collections::HashMap;
use std::sync::Arc;

/// Repairs on a page of the queue (spec/web.md).
pub const QUEUE_PAGE: u64 = 50;
/// Timeline entries on a page.
const TIMELINE_PAGE: u64 = 100;
/// Most other repairs of the machine that are offered or listed.
const OTHERS_MAX: u64 = 100;
/// Timeline entries in a brief.
const LATEST: u64 = 3;

/// A page of the queue; the first is 1. Cached per board revision, which every change of the queue increments.
pub async fn queue(ctx: &Ctx, filter: &QueueFilter, page: u64) -> Result<Arc<QueueView>, OpError> {
    let revision = board::revision(ctx).await?;
    let read = async { Ok(Arc::new(read_queue(ctx, filter, page).await?)) };
    ctx.board.queue.get(&revision, (filter.clone(), page), read).await
}

async fn read_queue(ctx: &Ctx, filter: &QueueFilter, page: u64) -> Result<QueueView, OpError> {
    let db = ctx.store.read();
    let offset = page.saturating_sub(1).min(1_000_000) * QUEUE_PAGE;
    let found = search_beyond_database(ctx, &filter.text).await?;
    let rows = store::queue::page(db, filter, &found, (offset, QUEUE_PAGE)).await?;
    let total = store::queue::total(db, filter, &found).await?;
    let areas = store::areas::live(db).await?.into_iter().map(|area| (area.id, area.name)).collect();
    Ok(QueueView { rows: rows.into_iter().map(queue_item).collect(), total, areas })
}

fn queue_item(row: QueueRow) -> QueueItem {
    QueueItem {
        id: row.id,
        version: row.version,
        equipment: row.equipment,
        area: row.area,
        description: row.description,
        severity: row.severity,
        status: row.status,
        safety_risk: row.safety_risk,
        assignee: row.assignee,
        eta: row.eta,
        created_at: row.created_at,
    }
}

/// One repair, with the timeline entries before one of them.
///
/// # Errors
/// `NotFound`.
pub async fn repair(ctx: &Ctx, id: RepairId, before: Option<TimelineId>) -> Result<RepairView, OpError> {
    let db = ctx.store.read();
    let row = store::repairs::find(db, id).await?.ok_or(OpError::NotFound)?;
    let equipment = store::equipment::find(db, row.equipment_id).await?.ok_or(OpError::NotFound)?;
    let fields = store::repairs::fields(db, &row).await?;
    let repeated = match row.duplicate_of {
        Some(repeated) => store::repairs::find(db, repeated).await?,
        None => None,
    };
    let (timeline, older) = timeline(ctx, id, before, TIMELINE_PAGE).await?;
    let others = store::repairs::others_of(db, row.equipment_id, id, None, OTHERS_MAX).await?;
    let duplicates = store::repairs::duplicates_of(db, id, OTHERS_MAX).await?;
    let people = assignees(ctx).await?;
    let me_too = store::me_toos::counts(db, &[id]).await?.remove(&id).unwrap_or(0);
    Ok(RepairView {
        id,
        version: row.version,
        equipment_id: equipment.id,
        equipment: equipment.name,
        area: equipment.area_name,
        fields,
        reporter: row.reporter_name,
        reporter_email: row.reporter_email,
        me_too,
        created_at: row.created_at,
        closed_at: row.closed_at,
        duplicate_of: repeated.map(other),
        duplicates: duplicates.into_iter().map(other).collect(),
        others: others.into_iter().map(other).collect(),
        photos: attachments::photos(db, Subject::Repair(id)).await?,
        timeline,
        older,
        people,
    })
}

/// One repair, as far as a form needs it.
///
/// # Errors
/// `NotFound`.
pub async fn brief(ctx: &Ctx, id: RepairId) -> Result<RepairBrief, OpError> {
    let db = ctx.store.read();
    let row = store::repairs::find(db, id).await?.ok_or(OpError::NotFound)?;
    let equipment = store::equipment::find(db, row.equipment_id).await?.ok_or(OpError::NotFound)?;
    let repeated = match row.duplicate_of {
        Some(repeated) => store::repairs::find(db, repeated).await?,
        None => None,
    };
    let (latest, _) = timeline(ctx, id, None, LATEST).await?;
    Ok(RepairBrief {
        id,
        version: row.version,
        equipment: equipment.name,
        area: equipment.area_name,
        fields: store::repairs::fields(db, &row).await?,
        reporter: row.reporter_name,
        created_at: row.created_at,
        duplicate_of: repeated.map(other),
        latest,
    })
}

/// The status and version of a repair.
///
/// # Errors
/// `NotFound`.
pub async fn state(ctx: &Ctx, id: RepairId) -> Result<(RepairStatus, i64), OpError> {
    let row = store::repairs::find(ctx.store.read(), id).await?.ok_or(OpError::NotFound)?;
    Ok((row.status, row.version))
}

/// The fields that the person changed in a form of that version.
///
/// # Errors
/// `NotFound`.
pub async fn touched(
    ctx: &Ctx,
    id: RepairId,
    version: i64,
    values: &[FieldValue],
) -> Result<Vec<FieldValue>, OpError> {
    let db = ctx.store.read();
    let row = store::repairs::find(db, id).await?.ok_or(OpError::NotFound)?;
    let fields = store::repairs::fields(db, &row).await?;
    let later = store::timeline::later(db, id, version).await?;
    let duplicates = Duplicates::default();
    Ok(edit::touched(EditContext { id, fields: &fields, later: &later, duplicates: &duplicates }, values))
}

async fn timeline(
    ctx: &Ctx,
    id: RepairId,
    before: Option<TimelineId>,
    most: u64,
) -> Result<(Vec<TimelineEntryView>, Option<TimelineId>), OpError> {
    let db = ctx.store.read();
    let mut entries = store::timeline::newest(db, id, before, most + 1).await?;
    let page = usize::try_from(most).unwrap_or(usize::MAX);
    let goes_on = entries.len() > page;
    entries.truncate(page);
    let older = entries.last().filter(|_| goes_on).map(|entry| entry.id);
    let ids: Vec<TimelineId> = entries.iter().map(|entry| entry.id).collect();
    let mut edits: HashMap<TimelineId, Entry> = HashMap::new();
    for edit in store::timeline::edits(db, &ids).await? {
        edits.extend(edit.supersedes.map(|note| (note, edit)));
    }
    let happened = |entry: Entry| {
        let edit = edits.remove(&entry.id);
        let edited_by = edit.as_ref().map(|edit| edit.actor_name.clone());
        TimelineEntryView {
            id: entry.id,
            kind: entry.kind,
            by: entry.actor_name,
            by_id: entry.actor_user_id,
            at: entry.created_at,
            old: entry.old_value,
            new: edit.map_or(entry.new_value, |edit| edit.new_value),
            edited_by,
        }
    };
    Ok((entries.into_iter().map(happened).collect(), older))
}

/// Active people by name, as possible assignees.
pub async fn assignees(ctx: &Ctx) -> Result<Vec<(UserId, String)>, OpError> {
    let people = store::users::all_active(ctx.store.read()).await?;
    Ok(people.into_iter().map(|user| (user.id, user.username)).collect())
}

/// The form of an edit that was rejected because of other people's changes: the fields that the person touched, all
/// others with current values; and the current version.
///
/// # Errors
/// `NotFound`.
pub async fn form_again(
    ctx: &Ctx,
    id: RepairId,
    version: i64,
    values: &[FieldValue],
) -> Result<(i64, RepairFields), OpError> {
    let db = ctx.store.read();
    let row = store::repairs::find(db, id).await?.ok_or(OpError::NotFound)?;
    let fields = store::repairs::fields(db, &row).await?;
    let later = store::timeline::later(db, id, version).await?;
    let duplicates = Duplicates::default();
    let context = EditContext { id, fields: &fields, later: &later, duplicates: &duplicates };
    Ok((row.version, shown_again(context, values)))
}
