//! Documents of machines: added and removed by staff, and by technicians if a setting permits it.

use crate::domain::actor::Actor;
use crate::domain::change::AuditRecord;
use crate::domain::file::{DocumentCategory, StoredFile, StoredName};
use crate::domain::ids::{DocumentId, EquipmentId};
use crate::domain::text::{DocumentTitle, RequestId};
use crate::ops::idempotency::{file_content, key};
use crate::ops::permission::require_editor;
use crate::ops::submission::{Submission, nothing_is_taken, submit};
use crate::ops::{Ctx, OpError};
use crate::store;
use serde::{Deserialize, Serialize};

const NOUN: &str = "document";
/// Most documents of a machine: all are on one page.
pub const DOCUMENTS_MAX: u64 = 100;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddDocument {
    pub equipment: EquipmentId,
    pub category: DocumentCategory,
    pub title: DocumentTitle,
    /// Already stored by `Files`.
    pub file: StoredFile,
    pub request_id: RequestId,
}

/// The file to remove from the disk after a removal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileGone {
    pub(in crate::ops) stored: String,
}

impl FileGone {
    /// The file that no row refers to any more.
    pub fn stored(&self) -> Option<StoredName> {
        self.stored.parse().ok()
    }
}

#[derive(Serialize)]
struct AuditValues<'a> {
    equipment: EquipmentId,
    category: &'static str,
    title: &'a str,
    name: &'a str,
}

/// Adds a document to a machine, archived ones too. If it is not added, `Files::settle` removes the file.
///
/// # Errors
/// `Forbidden`, `NotFound`; refused when the machine has [`DOCUMENTS_MAX`].
pub async fn add_document(ctx: &Ctx, actor: &Actor, add: &AddDocument) -> Result<DocumentId, OpError> {
    let run = |mut submission: Submission| async move {
        let tx = &submission.tx;
        require_editor(tx, actor).await?;
        store::equipment::row(tx, add.equipment).await?.ok_or(OpError::NotFound)?;
        if store::documents::count(tx, add.equipment).await? >= DOCUMENTS_MAX {
            let message = "It has too many documents. Please remove one first.";
            return Err(OpError::refused("document", message));
        }
        let called = (add.category, &add.title);
        let now = submission.now;
        let id = store::documents::add(tx, add.equipment, called, &add.file, actor, now).await?;
        let kept = AuditValues {
            equipment: add.equipment,
            category: add.category.word(),
            title: add.title.as_str(),
            name: add.file.name.as_str(),
        };
        submission.record([AuditRecord::made("document.added", NOUN, id.0, &kept)?]);
        submission.answer(id)
    };
    let content = (add.equipment, add.category.word(), &add.title, file_content(&add.file));
    submit(ctx, actor, key("document.add", actor, &add.request_id, &content)?, nothing_is_taken, run).await
}

/// Removes a document of a machine. The caller removes its file after the commit.
///
/// # Errors
/// `Forbidden`; `NotFound`, also when it is another machine's.
pub async fn remove_document(
    ctx: &Ctx,
    actor: &Actor,
    (equipment, id): (EquipmentId, DocumentId),
    request_id: &RequestId,
) -> Result<FileGone, OpError> {
    let run = |mut submission: Submission| async move {
        let tx = &submission.tx;
        require_editor(tx, actor).await?;
        let row = store::documents::find(tx, id).await?.ok_or(OpError::NotFound)?;
        if row.equipment_id != equipment || !store::documents::remove(tx, id).await? {
            return Err(OpError::NotFound);
        }
        let category = row.category.word();
        let kept = AuditValues { equipment, category, title: &row.title, name: &row.original_name };
        submission.record([AuditRecord::removed("document.removed", NOUN, id.0, &kept)?]);
        submission.answer(FileGone { stored: row.stored_name })
    };
    submit(ctx, actor, key("document.remove", actor, request_id, &(equipment, id))?, nothing_is_taken, run)
        .await
}
