//! Files that come with a repair or with a reply in its thread: stored already, or in Slack, from which a job
//! fetches them. Called within the transaction of the repair or the reply.

use crate::domain::actor::Actor;
use crate::domain::change::Change;
use crate::domain::file::LostPhotos;
use crate::domain::ids::RepairId;
use crate::domain::job::{FetchPhotos, PhotoSource};
use crate::domain::text::Note;
use crate::ops::jobs::{QueuedJob, fetch_photos};
use crate::ops::repairs::photos::{NewPhoto, photos_content, photos_of};
use crate::ops::{Ctx, OpError};
use chrono::{DateTime, Utc};
use sea_orm::ConnectionTrait;
use serde_json::{Value, json};

/// Files that a person sent to Slack.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InSlack {
    /// Files to fetch, at most ten.
    pub fetch: Vec<PhotoSource>,
    /// Names the other files, with links if there are any.
    pub links: Option<Note>,
}

/// Files that come with a repair or a reply.
#[derive(Debug, Clone, Copy)]
pub enum PhotosToAttach<'a> {
    /// Stored files. `Files::settle` removes those that were not added, also after an error.
    Here {
        photos: &'a [NewPhoto],
        /// Number of photos that were not kept.
        lost: LostPhotos,
    },
    InSlack(&'a InSlack),
}

impl PhotosToAttach<'_> {
    pub const NOTHING: Self = Self::Here { photos: &[], lost: LostPhotos::NONE };

    /// The part that counts as content of a submission.
    pub(in crate::ops) fn content(&self) -> Value {
        match self {
            Self::Here { photos, .. } => photos_content(photos),
            Self::InSlack(InSlack { fetch, links }) => {
                let files: Vec<&str> = fetch.iter().map(|photo| photo.file_id.as_str()).collect();
                json!([files, links])
            }
        }
    }

    /// Number of photos that were not kept.
    pub(in crate::ops) const fn lost(&self) -> LostPhotos {
        match self {
            Self::Here { lost, .. } => *lost,
            Self::InSlack(_) => LostPhotos::NONE,
        }
    }
}

/// Timeline entries that report missing photos.
fn lost_notes(lost: LostPhotos) -> impl Iterator<Item = Change> {
    let reasons = [
        (lost.disk, "the server's disk was full or could not be written"),
        (lost.allowance, "visitors had sent as many as are kept in a day"),
    ];
    reasons.into_iter().filter(|(count, _)| *count > 0).map(|(count, reason)| {
        let photos = if count == 1 { "1 photo".to_owned() } else { format!("{count} photos") };
        let text = format!("{photos} could not be kept: {reason}.");
        Change::Note { text: Note::parse(&text).ok(), supersedes: None }
    })
}

/// Adds the files that come with a repair: returns the entries for its change set, and the job that was enqueued.
pub(in crate::ops) async fn enclose(
    ctx: &Ctx,
    db: &impl ConnectionTrait,
    actor: &Actor,
    repair: RepairId,
    enclosed: PhotosToAttach<'_>,
    now: DateTime<Utc>,
) -> Result<(Vec<Change>, Option<QueuedJob>), OpError> {
    match enclosed {
        PhotosToAttach::Here { photos, lost } => {
            let mut changes = photos_of(db, repair, actor, photos, now).await?;
            changes.extend(lost_notes(lost));
            Ok((changes, None))
        }
        PhotosToAttach::InSlack(files) => {
            let linked = files.links.clone().map(|text| Change::Note { text: Some(text), supersedes: None });
            Ok((linked.into_iter().collect(), fetch(ctx, db, actor, repair, &files.fetch).await?))
        }
    }
}

/// Enqueues a job that fetches photos, if there are any.
pub(in crate::ops) async fn fetch(
    ctx: &Ctx,
    db: &impl ConnectionTrait,
    actor: &Actor,
    repair: RepairId,
    photos: &[PhotoSource],
) -> Result<Option<QueuedJob>, OpError> {
    if photos.is_empty() {
        return Ok(None);
    }
    // No work key: the surrounding transaction runs once.
    Ok(Some(fetch_photos(ctx, db, actor, FetchPhotos::new(repair, photos.to_vec())?, None).await?))
}
