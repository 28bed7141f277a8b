//! Files that come with a repair or with a reply in its thread: they are here already, or Slack has them and
//! a job fetches them. Called within the transaction of what they come with.

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

/// Files that somebody sent to Slack.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InSlack {
    /// Those to fetch, at most ten.
    pub fetch: Vec<PhotoSource>,
    /// Names the others, with links where there are any.
    pub links: Option<Note>,
}

/// Files that come with something.
#[derive(Debug, Clone, Copy)]
pub enum PhotosToAttach<'a> {
    /// Their files are here. `Files::settle` removes those that were not added, also after an error.
    Here {
        /// The files.
        photos: &'a [NewPhoto],
        /// How many more were not kept.
        lost: LostPhotos,
    },
    InSlack(&'a InSlack),
}

impl PhotosToAttach<'_> {
    /// None at all.
    pub const NOTHING: Self = Self::Here { photos: &[], lost: LostPhotos::NONE };

    /// What of them counts as content of a submission.
    pub(in crate::ops) fn content(&self) -> Value {
        match self {
            Self::Here { photos, .. } => photos_content(photos),
            Self::InSlack(InSlack { fetch, links }) => {
                let files: Vec<&str> = fetch.iter().map(|photo| photo.file_id.as_str()).collect();
                json!([files, links])
            }
        }
    }

    /// How many photos were not kept.
    pub(in crate::ops) const fn lost(&self) -> LostPhotos {
        match self {
            Self::Here { lost, .. } => *lost,
            Self::InSlack(_) => LostPhotos::NONE,
        }
    }
}

/// Says on the timeline that photos are missing.
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

/// Adds what comes with a repair: what its change set tells of that, and the job that was queued for it.
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

/// Queues the fetching of photos, where there are any.
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
    // Whatever they come with is done once, so this is.
    Ok(Some(fetch_photos(ctx, db, actor, FetchPhotos::new(repair, photos.to_vec())?, None).await?))
}
