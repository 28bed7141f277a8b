//! Machines: made, edited, archived and restored by staff.

pub mod areas;
pub mod documents;
pub mod links;
pub mod list;
pub mod notes;
pub mod photos;

use crate::domain::actor::{Actor, Role};
use crate::domain::change::AuditRecord;
use crate::domain::equipment::{EquipmentDetails, StoredDetails};
use crate::domain::ids::{AreaId, EquipmentId};
use crate::domain::text::{Note, RequestId};
use crate::ops::idempotency::key;
use crate::ops::permission::require;
use crate::ops::repairs::update_repair::close_open_repairs;
use crate::ops::submission::{Submission, nothing_is_taken, submit};
use crate::ops::{Ctx, OpError, overtaken};
use crate::store;
use crate::store::equipment::stored_details;
use sea_orm::ConnectionTrait;
use serde::Serialize;

const NOUN: &str = "equipment";

/// # Errors
/// `Forbidden`; refused on `area` when it is unknown or archived.
pub async fn create_equipment(
    ctx: &Ctx,
    actor: &Actor,
    new: &EquipmentDetails,
    request_id: &RequestId,
) -> Result<EquipmentId, OpError> {
    let run = |mut submission: Submission| async move {
        require(&submission.tx, actor, Role::Staff).await?;
        require_live_area(&submission.tx, new.area).await?;
        let id = store::equipment::add(&submission.tx, new, submission.now).await?;
        submission.record_visible([AuditRecord::made("equipment.created", NOUN, id.0, new)?]);
        submission.answer(id)
    };
    submit(ctx, actor, key("equipment.create", actor, request_id, new)?, nothing_is_taken, run).await
}

/// Replaces the details of a machine that the person saw at `version`.
///
/// # Errors
/// `Forbidden`, `NotFound`, `Overtaken`; refused on `area` when it is another one and unknown or archived.
pub async fn edit_equipment(
    ctx: &Ctx,
    actor: &Actor,
    (id, version): (EquipmentId, i64),
    new: &EquipmentDetails,
    request_id: &RequestId,
) -> Result<EquipmentId, OpError> {
    let run = |mut submission: Submission| async move {
        let tx = &submission.tx;
        require(tx, actor, Role::Staff).await?;
        let row = store::equipment::row(tx, id).await?.ok_or(OpError::NotFound)?;
        if row.area_id != new.area {
            require_live_area(tx, new.area).await?;
        }
        let record = AuditRecord::changed(
            "equipment.edited",
            NOUN,
            id.0,
            (&stored_details(&row), &StoredDetails::from(new)),
        )?;
        if record.is_some() && !store::equipment::replace(tx, (id, version), new, submission.now).await? {
            return Err(overtaken(tx, NOUN, id.0).await?);
        }
        submission.record_visible(record);
        submission.answer(id)
    };
    submit(ctx, actor, key("equipment.edit", actor, request_id, &(id, new))?, nothing_is_taken, run).await
}

/// What to do with the open repairs of an archived machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub enum OpenRepairs {
    Keep,
    /// They are closed as `Closed - No Issue Found` with this note.
    Close(Note),
}

/// Archives a machine. If it has open repairs, `fate` is required.
///
/// # Errors
/// `Forbidden`, `NotFound`, `Overtaken`; refused on `open_repairs` when there are some and `fate` is missing.
pub async fn archive_equipment(
    ctx: &Ctx,
    actor: &Actor,
    (id, version): (EquipmentId, i64),
    fate: Option<&OpenRepairs>,
    request_id: &RequestId,
) -> Result<EquipmentId, OpError> {
    let run = |mut submission: Submission| async move {
        let tx = &submission.tx;
        require(tx, actor, Role::Staff).await?;
        let row = store::equipment::row(tx, id).await?.ok_or(OpError::NotFound)?;
        if row.archived {
            return submission.answer(id);
        }
        if !store::equipment::set_archived(tx, (id, version), true, submission.now).await? {
            return Err(overtaken(tx, NOUN, id.0).await?);
        }
        let open = store::board::open_total_of(tx, id).await?.repairs;
        if open > 0 && fate.is_none() {
            let message = "It has open repairs. Please choose what happens to them.";
            return Err(OpError::refused("open_repairs", message));
        }
        if let Some(OpenRepairs::Close(note)) = fate {
            let closed = close_open_repairs(ctx, tx, actor, id, note, submission.now).await?;
            submission.record_repairs(closed);
        }
        submission.record_visible([AuditRecord::made(
            "equipment.archived",
            NOUN,
            id.0,
            &stored_details(&row),
        )?]);
        submission.answer(id)
    };
    submit(ctx, actor, key("equipment.archive", actor, request_id, &(id, fate))?, nothing_is_taken, run).await
}

/// Restores an archived machine.
///
/// # Errors
/// `Forbidden`, `NotFound`, `Overtaken`; refused on `area` when its area is archived.
pub async fn restore_equipment(
    ctx: &Ctx,
    actor: &Actor,
    (id, version): (EquipmentId, i64),
    request_id: &RequestId,
) -> Result<EquipmentId, OpError> {
    let run = |mut submission: Submission| async move {
        let tx = &submission.tx;
        require(tx, actor, Role::Staff).await?;
        let row = store::equipment::row(tx, id).await?.ok_or(OpError::NotFound)?;
        if !row.archived {
            return submission.answer(id);
        }
        require_live_area(tx, row.area_id).await?;
        if !store::equipment::set_archived(tx, (id, version), false, submission.now).await? {
            return Err(overtaken(tx, NOUN, id.0).await?);
        }
        submission.record_visible([AuditRecord::made(
            "equipment.restored",
            NOUN,
            id.0,
            &stored_details(&row),
        )?]);
        submission.answer(id)
    };
    submit(ctx, actor, key("equipment.restore", actor, request_id, &id)?, nothing_is_taken, run).await
}

async fn require_live_area(db: &impl ConnectionTrait, id: AreaId) -> Result<(), OpError> {
    match store::areas::find(db, id).await? {
        None => Err(OpError::refused("area", "Please choose an area.")),
        Some(area) if area.archived => Err(OpError::refused(
            "area",
            format!("“{}” is archived. Restore it first, or choose another area.", area.name),
        )),
        Some(_) => Ok(()),
    }
}
