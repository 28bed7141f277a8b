//! Notes on machines: written by technicians, removed by their author or staff.

use crate::domain::actor::{Actor, Role};
use crate::domain::change::AuditRecord;
use crate::domain::ids::{EquipmentId, NoteId};
use crate::domain::text::{EquipmentNote, RequestId};
use crate::ops::idempotency::key;
use crate::ops::permission::require;
use crate::ops::submission::{Submission, nothing_is_taken, submit};
use crate::ops::{Ctx, OpError};
use crate::store;
use serde::Serialize;

const NOUN: &str = "note";

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AddNote {
    pub equipment: EquipmentId,
    pub text: EquipmentNote,
    #[serde(skip)]
    pub request_id: RequestId,
}

#[derive(Serialize)]
struct AuditValues<'a> {
    equipment: EquipmentId,
    text: &'a str,
}

/// Adds a note to a machine, archived ones too.
///
/// # Errors
/// `Forbidden`, `NotFound`.
pub async fn add_note(ctx: &Ctx, actor: &Actor, add: &AddNote) -> Result<NoteId, OpError> {
    let run = |mut submission: Submission| async move {
        let tx = &submission.tx;
        let author = require(tx, actor, Role::Technician).await?;
        store::equipment::row(tx, add.equipment).await?.ok_or(OpError::NotFound)?;
        let author = (author.id, actor.name.as_str());
        let id = store::equipment_notes::add(tx, add.equipment, author, &add.text, submission.now).await?;
        let kept = AuditValues { equipment: add.equipment, text: add.text.as_str() };
        submission.record([AuditRecord::made("note.added", NOUN, id.0, &kept)?]);
        submission.answer(id)
    };
    submit(ctx, actor, key("equipment_note.add", actor, &add.request_id, add)?, nothing_is_taken, run).await
}

/// Removes a note from a machine; the audit keeps its text.
///
/// # Errors
/// `Forbidden`, also for technicians who did not write it; `NotFound`, also when it is another machine's.
pub async fn remove_note(
    ctx: &Ctx,
    actor: &Actor,
    (equipment, id): (EquipmentId, NoteId),
    request_id: &RequestId,
) -> Result<NoteId, OpError> {
    let run = |mut submission: Submission| async move {
        let tx = &submission.tx;
        let user = require(tx, actor, Role::Technician).await?;
        let note = store::equipment_notes::find(tx, id).await?.ok_or(OpError::NotFound)?;
        if user.role != Role::Staff && note.author_user_id != Some(user.id) {
            return Err(OpError::Forbidden);
        }
        if note.equipment_id != equipment || !store::equipment_notes::remove(tx, id).await? {
            return Err(OpError::NotFound);
        }
        let kept = AuditValues { equipment, text: &note.text };
        submission.record([AuditRecord::removed("note.removed", NOUN, id.0, &kept)?]);
        submission.answer(id)
    };
    submit(
        ctx,
        actor,
        key("equipment_note.remove", actor, request_id, &(equipment, id))?,
        nothing_is_taken,
        run,
    )
    .await
}
