//! Photos and videos of machines: added and removed by staff, and by technicians if a setting permits it.

use crate::domain::actor::Actor;
use crate::domain::change::AuditRecord;
use crate::domain::file::StoredFile;
use crate::domain::ids::{EquipmentId, PhotoId};
use crate::domain::text::RequestId;
use crate::ops::equipment::documents::FileGone;
use crate::ops::idempotency::{file_content, key};
use crate::ops::permission::require_editor;
use crate::ops::repairs::photos::PHOTOS_MAX;
use crate::ops::submission::{Submission, nothing_is_taken, submit};
use crate::ops::{Ctx, OpError};
use crate::store;
use crate::store::photos::Subject;
use serde::Serialize;

const NOUN: &str = "photo";

#[derive(Serialize)]
struct AuditValues<'a> {
    equipment: EquipmentId,
    name: &'a str,
}

/// Adds photos to a machine, archived ones too. `Files::settle` removes files that were not added.
///
/// # Errors
/// `Forbidden`, `NotFound`; refused when the machine has too many.
pub async fn add_equipment_photos(
    ctx: &Ctx,
    actor: &Actor,
    (equipment, files): (EquipmentId, &[StoredFile]),
    request_id: &RequestId,
) -> Result<Vec<PhotoId>, OpError> {
    let subject = Subject::Equipment(equipment);
    let run = |mut submission: Submission| async move {
        require_editor(&submission.tx, actor).await?;
        store::equipment::row(&submission.tx, equipment).await?.ok_or(OpError::NotFound)?;
        let there = store::photos::count(&submission.tx, subject).await?;
        if there + files.len() as u64 > PHOTOS_MAX {
            let message = format!("A machine has at most {PHOTOS_MAX} photos. Please remove some first.");
            return Err(OpError::refused("photos", message));
        }
        let mut added = Vec::new();
        for file in files {
            let (tx, now) = (&submission.tx, submission.now);
            let id = store::photos::add(tx, subject, (file, None), actor, now).await?;
            let kept = AuditValues { equipment, name: file.name.as_str() };
            submission.record([AuditRecord::made("photo.added", NOUN, id.0, &kept)?]);
            added.push(id);
        }
        submission.answer(added)
    };
    let content = (equipment, files.iter().map(file_content).collect::<Vec<_>>());
    submit(ctx, actor, key("equipment_photos.add", actor, request_id, &content)?, nothing_is_taken, run).await
}

/// Removes a photo of a machine. The caller removes its file after the commit.
///
/// # Errors
/// `Forbidden`; `NotFound`, also when it is another machine's or a repair's.
pub async fn remove_equipment_photo(
    ctx: &Ctx,
    actor: &Actor,
    (equipment, id): (EquipmentId, PhotoId),
    request_id: &RequestId,
) -> Result<FileGone, OpError> {
    let run = |mut submission: Submission| async move {
        let tx = &submission.tx;
        require_editor(tx, actor).await?;
        let row = store::photos::find(tx, id).await?.ok_or(OpError::NotFound)?;
        if row.equipment_id != Some(equipment) || !store::photos::remove(tx, id).await? {
            return Err(OpError::NotFound);
        }
        let kept = AuditValues { equipment, name: &row.original_name };
        submission.record([AuditRecord::removed("photo.removed", NOUN, id.0, &kept)?]);
        submission.answer(FileGone { stored: row.stored_name })
    };
    submit(
        ctx,
        actor,
        key("equipment_photo.remove", actor, request_id, &(equipment, id))?,
        nothing_is_taken,
        run,
    )
    .await
}
