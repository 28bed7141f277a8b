//! Reads: the file of a document or photo, and who may read it; lists of them for pages.

use super::equipment::documents::DOCUMENTS_MAX;
use super::permission::{may_edit, require};
use super::repairs::photos::PHOTOS_MAX;
use super::{Ctx, OpError};
use crate::domain::actor::{Actor, Role};
use crate::domain::file::{FileKind, FileName, StoredFile};
use crate::domain::ids::{DocumentId, EquipmentId, PhotoId};
use crate::store;
use crate::store::documents::Document;
use crate::store::photos::{Photo, Subject};
use crate::views::attachments::{DocumentView, PhotoView};
use sea_orm::ConnectionTrait;

pub async fn may_edit_attachments(ctx: &Ctx, actor: &Actor) -> Result<bool, OpError> {
    may_edit(ctx.store.read(), actor).await
}

/// The file of a document, and whether it is public (its machine is in use).
///
/// # Errors
/// `NotFound`; `Archived` for an actor who may no longer read it.
pub async fn document(ctx: &Ctx, actor: &Actor, id: DocumentId) -> Result<(StoredFile, bool), OpError> {
    let db = ctx.store.read();
    let row = store::documents::find(db, id).await?.ok_or(OpError::NotFound)?;
    let is_public = is_public(db, actor, row.equipment_id).await?;
    let file = stored(&row.stored_name, row.kind, &row.original_name, (row.size, row.has_thumbnail))?;
    Ok((file, is_public))
}

/// The file of a photo, and whether it is public (its machine is in use). Photos of repairs are for technicians.
///
/// # Errors
/// `NotFound`, also for a repair's photo that the actor may not see; `Archived` for a machine's photo that the
/// actor may no longer see.
pub async fn photo(ctx: &Ctx, actor: &Actor, id: PhotoId) -> Result<(StoredFile, bool), OpError> {
    let db = ctx.store.read();
    let row = store::photos::find(db, id).await?.ok_or(OpError::NotFound)?;
    let is_public = match row.equipment_id {
        Some(equipment) => is_public(db, actor, equipment).await?,
        None => {
            // `NotFound`, so that nobody can find out which ids exist.
            technicians_only(db, actor, OpError::NotFound).await?;
            false
        }
    };
    let file = stored(&row.stored_name, row.kind, &row.original_name, (row.size, row.has_thumbnail))?;
    Ok((file, is_public))
}

/// True while the files of a machine are public, like its page. Once it or its area is archived, they are for
/// technicians.
async fn is_public(
    db: &impl ConnectionTrait,
    actor: &Actor,
    equipment: EquipmentId,
) -> Result<bool, OpError> {
    let equipment = store::equipment::find(db, equipment).await?.ok_or(OpError::NotFound)?;
    if equipment.is_archived() {
        technicians_only(db, actor, OpError::Archived).await?;
    }
    Ok(!equipment.is_archived())
}

/// Returns `no` unless the actor is a technician.
async fn technicians_only(db: &impl ConnectionTrait, actor: &Actor, no: OpError) -> Result<(), OpError> {
    match require(db, actor, Role::Technician).await {
        Err(OpError::Forbidden) => Err(no),
        asked => asked.map(drop),
    }
}

fn stored(
    stored_name: &str,
    kind: FileKind,
    name: &str,
    (size, has_thumbnail): (i64, bool),
) -> Result<StoredFile, OpError> {
    let stored = stored_name.parse().map_err(|_| OpError::NotFound)?;
    let size = u64::try_from(size).unwrap_or_default();
    Ok(StoredFile { stored, kind, name: FileName::clean(name), size, has_thumbnail })
}

pub(super) async fn documents(
    db: &impl ConnectionTrait,
    equipment: EquipmentId,
) -> Result<Vec<DocumentView>, OpError> {
    let view = |row: Document| DocumentView {
        id: row.id,
        category: row.category,
        title: row.title,
        kind: row.kind,
        size: u64::try_from(row.size).unwrap_or_default(),
    };
    Ok(store::documents::of(db, equipment, DOCUMENTS_MAX).await?.into_iter().map(view).collect())
}

pub(super) async fn photos(db: &impl ConnectionTrait, subject: Subject) -> Result<Vec<PhotoView>, OpError> {
    let view = |row: Photo| PhotoView {
        id: row.id,
        kind: row.kind,
        name: row.original_name,
        has_thumbnail: row.has_thumbnail,
        by: row.uploader_name,
    };
    Ok(store::photos::of(db, subject, PHOTOS_MAX).await?.into_iter().map(view).collect())
}
