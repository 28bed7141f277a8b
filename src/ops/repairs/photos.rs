//! Photos and videos of a repair: added by technicians, by reporters, and by anyone who replies in its Slack
//! thread. The files are stored before the transaction that adds their rows.

use crate::domain::actor::{Actor, Edge, Role};
use crate::domain::change::Change;
use crate::domain::file::StoredFile;
use crate::domain::ids::{PhotoId, RepairId};
use crate::domain::text::{Note, RequestId};
use crate::ops::idempotency::{file_content, key};
use crate::ops::permission::require;
use crate::ops::repairs::update_repair::{apply, locked};
use crate::ops::submission::{Submission, SubmissionResult, nothing_is_taken, submit};
use crate::ops::{Ctx, OpError, retry_on_deadlock};
use crate::store;
use crate::store::photos::Subject;
use chrono::{DateTime, Utc};
use sea_orm::ConnectionTrait;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Most photos of a repair: all are on one page.
pub const PHOTOS_MAX: u64 = 100;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPhoto {
    /// Already stored by `Files`.
    pub file: StoredFile,
    /// Its id at its origin, such as Slack's file id: a photo that exists already is not added again.
    pub source: Option<String>,
}

impl From<StoredFile> for NewPhoto {
    /// A file without an origin elsewhere.
    fn from(file: StoredFile) -> Self {
        Self { file, source: None }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddPhotos {
    pub repair: RepairId,
    pub photos: Vec<NewPhoto>,
    pub request_id: RequestId,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PhotosAdded {
    pub repair: RepairId,
    /// The photos that were added now.
    pub photos: Vec<PhotoId>,
}

/// Adds photos to a repair, open or closed, with one timeline entry each. A repeated submission gets the first
/// answer. `Files::settle` removes files that were not added.
///
/// # Errors
/// `Forbidden`, except from Slack, where anyone may (spec "Who may do what"); `NotFound`; refused when the repair
/// has too many.
pub async fn add_photos(ctx: &Ctx, actor: &Actor, add: &AddPhotos) -> Result<PhotosAdded, OpError> {
    let key = key("repair_photos.add", actor, &add.request_id, &(add.repair, photos_content(&add.photos)))?;
    submit(ctx, actor, key, nothing_is_taken, |submission| change(ctx, actor, add, submission)).await
}

/// Photos as content of a submission.
pub(in crate::ops) fn photos_content(photos: &[NewPhoto]) -> Value {
    photos.iter().map(|photo| json!([photo.source, file_content(&photo.file)])).collect()
}

async fn change(
    ctx: &Ctx,
    actor: &Actor,
    add: &AddPhotos,
    mut submission: Submission,
) -> SubmissionResult<PhotosAdded> {
    let (tx, now) = (&submission.tx, submission.now);
    if actor.edge != Edge::Slack {
        require(tx, actor, Role::Technician).await?;
    }
    let (repair, fields) = locked(tx, add.repair).await?;
    let mut new = Vec::new();
    for photo in &add.photos {
        let known = match &photo.source {
            Some(source) => store::photos::of_source(tx, source).await?.is_some(),
            None => false,
        };
        if !known {
            new.push(photo.clone());
        }
    }
    let there = store::photos::count(tx, Subject::Repair(add.repair)).await?;
    if there + new.len() as u64 > PHOTOS_MAX {
        return Err(OpError::refused("photos", format!("A repair has at most {PHOTOS_MAX} photos.")));
    }
    let changes = photos_of(tx, add.repair, actor, &new, now).await?;
    let photos = changes.iter().filter_map(photo).collect();
    let done = apply(ctx, tx, actor, &repair, &fields, changes, now).await?;
    let answer = PhotosAdded { repair: add.repair, photos };
    submission.record_repair_details(done.recorded);
    submission.answer(answer)
}

/// Adds a timeline entry that a photo is missing, once for each reason.
///
/// # Errors
/// `NotFound`.
pub async fn note_missing(ctx: &Ctx, repair: RepairId, why: &Note) -> Result<(), OpError> {
    retry_on_deadlock(async || {
        let now = ctx.clock.now();
        let tx = ctx.store.begin().await?;
        let (before, fields) = locked(&tx, repair).await?;
        if store::timeline::last_note(&tx, repair, Some(why.as_str())).await?.is_some() {
            return Ok(());
        }
        let actor = Actor::visitor(Edge::Slack, "ESB");
        let changes = vec![Change::Note { text: Some(why.clone()), supersedes: None }];
        let done = apply(ctx, &tx, &actor, &before, &fields, changes, now).await?;
        tx.commit().await?;
        done.recorded.into_iter().for_each(|recorded| drop(recorded.committed(ctx, &actor)));
        Ok(())
    })
    .await
}

const fn photo(change: &Change) -> Option<PhotoId> {
    if let Change::Photo { photo, .. } = change { Some(*photo) } else { None }
}

/// Adds files as photos of a repair; returns the entries for its change set.
pub(in crate::ops) async fn photos_of(
    db: &impl ConnectionTrait,
    repair: RepairId,
    actor: &Actor,
    photos: &[NewPhoto],
    now: DateTime<Utc>,
) -> Result<Vec<Change>, OpError> {
    let mut changes = Vec::new();
    for NewPhoto { file, source } in photos {
        let added = (file, source.as_deref());
        let photo = store::photos::add(db, Subject::Repair(repair), added, actor, now).await?;
        changes.push(Change::Photo { photo, name: file.name.clone() });
    }
    Ok(changes)
}
