//! Files that come with a repair or with a reply in its thread: they are here already, or Slack has them and
//! a job fetches them. Called within the transaction of what they come with.

use super::jobs::{Queued, fetch_photos};
use super::repair_photos::{NewPhoto, photos_of};
use super::{Ctx, OpError};
use crate::domain::actor::Actor;
use crate::domain::change::Change;
use crate::domain::ids::RepairId;
use crate::domain::job::{FetchPhotos, PhotoSource};
use crate::domain::text::Note;
use chrono::{DateTime, Utc};
use sea_orm::ConnectionTrait;

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
pub enum Enclosed<'a> {
    /// Their files are here. Whatever comes of it, `Files::settle` removes what was not added.
    Here(&'a [NewPhoto]),
    /// Slack has them.
    InSlack(&'a InSlack),
}

impl Enclosed<'_> {
    /// None at all.
    pub const NOTHING: Self = Self::Here(&[]);
}

/// Adds what comes with a repair: what its change set tells of that, and the job that was queued for it.
pub(super) async fn enclose(
    ctx: &Ctx,
    db: &impl ConnectionTrait,
    actor: &Actor,
    repair: RepairId,
    enclosed: Enclosed<'_>,
    now: DateTime<Utc>,
) -> Result<(Vec<Change>, Option<Queued>), OpError> {
    match enclosed {
        Enclosed::Here(photos) => Ok((photos_of(db, repair, actor, photos, now).await?, None)),
        Enclosed::InSlack(files) => {
            let linked = files.links.clone().map(|text| Change::Note { text: Some(text), supersedes: None });
            Ok((linked.into_iter().collect(), fetch(ctx, db, actor, repair, &files.fetch).await?))
        }
    }
}

/// Queues the fetching of photos, where there are any.
pub(super) async fn fetch(
    ctx: &Ctx,
    db: &impl ConnectionTrait,
    actor: &Actor,
    repair: RepairId,
    photos: &[PhotoSource],
) -> Result<Option<Queued>, OpError> {
    if photos.is_empty() {
        return Ok(None);
    }
    // Whatever they come with is done once, so this is.
    Ok(Some(fetch_photos(ctx, db, actor, FetchPhotos::new(repair, photos.to_vec())?, None).await?))
}
