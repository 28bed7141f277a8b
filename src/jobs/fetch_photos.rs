//! Fetches the photos of one submission from Slack to a repair, one per step. A refused photo does not stop the
//! others: a note on the repair and the job's result name it, and a resumed job retries it.

use super::{Jobs, Progress, Stepped, Task};
use crate::clients::slack_api::{DownloadError, SlackApiError};
use crate::domain::actor::Actor;
use crate::domain::file::{Accepts, FileRefusal};
use crate::domain::ids::RepairId;
use crate::domain::job::{FetchPhotos, PhotoSource, StepFailure};
use crate::domain::text::{Note, RequestId, cut};
use crate::error_chain::ErrorChain;
use crate::files::{ReceiveError, ReceiveOptions};
use crate::ops::OpError;
use crate::ops::repairs::photos::{AddPhotos, NewPhoto, add_photos, note_missing};
use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Time limit for one photo.
pub(super) const STEP_MAX: Duration = Duration::from_secs(10 * 60);

/// Most characters of a file's name in a note.
const LINK_NAME_MAX: usize = 120;

/// Photos are identified by their positions in the submission.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Checkpoint {
    left: Vec<usize>,
    refused: Vec<Refused>,
}

/// A photo that cannot be fetched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Refused {
    photo: usize,
    why: String,
}

/// Why a photo is not on the repair.
enum FetchError {
    /// A later attempt may succeed.
    Passing(StepFailure),
    /// Permanent. The text follows the photo's name.
    Refused(String),
}

/// Fetches the next photo.
pub(super) async fn step(jobs: &Jobs, work: &FetchPhotos, task: &Task<'_>) -> Result<Stepped, StepFailure> {
    let mut at = Checkpoint::read(task.checkpoint, work);
    let Some((place, photo)) = at.next(work) else {
        return Ok(at.stepped(work, "Nothing was left to do.".into()));
    };
    let line = match fetch(jobs, work.repair, photo, task.starter).await {
        Ok(line) => line,
        Err(FetchError::Passing(failure)) => return Err(failure),
        Err(FetchError::Refused(why)) => {
            let why = format!("{} {why}", photo.name);
            note_missing_photo(jobs, work.repair, &why).await?;
            at.refused.push(Refused { photo: place, why: why.clone() });
            why
        }
    };
    at.left.retain(|left| *left != place);
    Ok(at.stepped(work, line))
}

/// Adds a note to the repair that says which photo is missing, and why.
async fn note_missing_photo(jobs: &Jobs, repair: RepairId, why: &str) -> Result<(), StepFailure> {
    note_on_repair(jobs, repair, &format!("A photo from Slack is missing: {why}")).await
}

async fn note_on_repair(jobs: &Jobs, repair: RepairId, text: &str) -> Result<(), StepFailure> {
    let Ok(text) = Note::parse(&cut(&text.replace('\0', ""), Note::MAX)) else { return Ok(()) };
    match note_missing(&jobs.ctx, repair, &text).await {
        Ok(()) | Err(OpError::NotFound) => Ok(()),
        Err(error) => {
            tracing::warn!(error = %ErrorChain(&error), "Slack file not recorded on its repair yet");
            let why = "The database did not answer.".into();
            Err(StepFailure::Passing { why, wait: None })
        }
    }
}

impl Checkpoint {
    /// If only refused photos are left, the job was resumed: they are retried.
    fn read(stored: Option<&str>, work: &FetchPhotos) -> Self {
        let begin = || Self { left: (0..work.photos.len()).collect(), refused: Vec::new() };
        let mut at = stored.and_then(|stored| serde_json::from_str(stored).ok()).unwrap_or_else(begin);
        if at.left.is_empty() {
            at.left = at.refused.drain(..).map(|refused| refused.photo).collect();
        }
        at
    }

    fn next<'a>(&self, work: &'a FetchPhotos) -> Option<(usize, &'a PhotoSource)> {
        self.left.iter().find_map(|place| Some((*place, work.photos.get(*place)?)))
    }

    fn stepped(&self, work: &FetchPhotos, line: String) -> Stepped {
        let next = self.next(work);
        let progress = match (next, self.refused.is_empty()) {
            (Some(_), _) => Progress::More,
            (None, true) => Progress::Done,
            (None, false) => {
                let why: Vec<&str> = self.refused.iter().map(|refused| refused.why.as_str()).collect();
                Progress::Incomplete { why: why.join("\n") }
            }
        };
        let left = if next.is_some() { self.left.len() } else { 0 };
        Stepped {
            checkpoint: serde_json::to_string(self).unwrap_or_default(),
            step: i64::try_from(work.photos.len().saturating_sub(left)).unwrap_or(i64::MAX),
            activity: next.map(|(_, photo)| photo.activity()).unwrap_or_default(),
            line,
            progress,
        }
    }
}

/// Address of a file.
enum FileLocation {
    Photo {
        url: String,
        name: String,
    },
    /// The file is not in Slack or not a picture, so the repair gets a link.
    Link(String),
}

/// Looks up a file of which only the id is known.
async fn look_up(jobs: &Jobs, photo: &PhotoSource) -> Result<FileLocation, FetchError> {
    let file = jobs.api.file_info(&photo.file_id).await;
    let file = file.map_err(|error| FetchError::of_slack(&photo.name, lookup_error(error)))?;
    let name = file.name.as_deref().unwrap_or(&photo.name);
    let is_picture = |kind: &String| kind.starts_with("image/") || kind.starts_with("video/");
    let at = if file.is_external { &file.url_private } else { &file.permalink };
    match at.as_ref().or(file.permalink.as_ref()) {
        Some(at) if file.is_external || !file.mimetype.as_ref().is_none_or(is_picture) => {
            Ok(FileLocation::Link(format!("In Slack only:\n{}: {at}", cut(name, LINK_NAME_MAX))))
        }
        _ => match PhotoSource::new(&photo.file_id, file.url_private.as_deref().unwrap_or_default(), name) {
            Ok(PhotoSource { url: Some(url), name, .. }) => Ok(FileLocation::Photo { url, name }),
            _ => Err(FetchError::Refused("cannot be fetched: Slack does not say where it is.".into())),
        },
    }
}

/// Why Slack does not show a file to the bot.
fn lookup_error(error: SlackApiError) -> DownloadError {
    match error {
        SlackApiError::Refused { code } if code.contains("scope") => DownloadError::NotPermitted,
        SlackApiError::Refused { .. } => DownloadError::Gone,
        other => other.into(),
    }
}

/// Adds one photo to the repair. Returns a line for people.
async fn fetch(
    jobs: &Jobs,
    repair: RepairId,
    photo: &PhotoSource,
    starter: &Actor,
) -> Result<String, FetchError> {
    let found = match &photo.url {
        Some(url) => FileLocation::Photo { url: url.clone(), name: photo.name.clone() },
        None => look_up(jobs, photo).await?,
    };
    let (url, name) = match found {
        FileLocation::Photo { url, name } => (url, name),
        FileLocation::Link(words) => {
            note_on_repair(jobs, repair, &words).await.map_err(FetchError::Passing)?;
            return Ok(format!("{} is named with a link.", photo.name));
        }
    };
    let name = &name;
    let limit = jobs.files.limit();
    let coming = jobs.api.download(&url, limit).await.map_err(|error| FetchError::of_slack(name, error))?;
    let wanted = ReceiveOptions { accepts: Accepts::PhotosAndVideos, limit };
    let received = jobs.files.receive(coming.into_stream(), wanted, name).await;
    let file = received.map_err(|error| FetchError::of_file(name, error))?.entrust();
    let photos =
        vec![NewPhoto { file: file.clone(), source: Some(format!("slack:{repair}:{}", photo.file_id)) }];
    // The photo's source makes this step idempotent, not the request id.
    let add = AddPhotos { repair, photos, request_id: RequestId::from_random(rand::random()) };
    let added = add_photos(&jobs.ctx, starter, &add).await;
    // After an error of unknown outcome a row may name the file. If none does, the sweep removes it.
    if !matches!(added, Err(OpError::Internal(_))) {
        jobs.files.settle(&[file]).await;
    }
    match added {
        Ok(added) if added.photos.is_empty() => Ok(format!("{name} was there already.")),
        Ok(_) => Ok(format!("{name} is on repair #{repair} now.")),
        Err(error) => Err(FetchError::of_op(name, repair, error)),
    }
}

impl FetchError {
    fn passing(why: String) -> Self {
        Self::Passing(StepFailure::Passing { why, wait: None })
    }

    fn of_slack(name: &str, error: DownloadError) -> Self {
        Self::Refused(match error {
            DownloadError::Slack(SlackApiError::RateLimited { retry_after }) => {
                let why = format!("{name} did not come: Slack asks to wait.");
                return Self::Passing(StepFailure::Passing { why, wait: TimeDelta::from_std(retry_after).ok() });
            }
            DownloadError::Slack(SlackApiError::Auth { .. }) => {
                "cannot be fetched: Slack does not accept SLACK_BOT_TOKEN. Replace it, then resume this job.".into()
            }
            DownloadError::Slack(error) => return Self::passing(format!("{name} did not come: {}.", ErrorChain(&error))),
            DownloadError::NotPermitted => {
                "cannot be fetched: the bot may not read files (missing_scope: files:read). Add that scope to \
                 the Slack app, install it again, then resume this job."
                    .into()
            }
            DownloadError::Gone => "is no longer in Slack.".into(),
            DownloadError::Elsewhere => "is not kept by Slack, so it is not fetched. A link to it will do.".into(),
            DownloadError::TooLarge { most } => FileRefusal::TooLarge { limit: most }.to_string(),
        })
    }

    fn of_file(name: &str, error: ReceiveError<DownloadError>) -> Self {
        match error {
            ReceiveError::Refused(refusal) => Self::Refused(refusal.to_string()),
            ReceiveError::Stream(error) => Self::of_slack(name, error),
            ReceiveError::Disk(error) => {
                tracing::error!(error = %ErrorChain(&error), "photo could not be stored");
                Self::passing(format!(
                    "{name} cannot be kept: the server's disk is full or cannot be written."
                ))
            }
        }
    }

    fn of_op(name: &str, repair: RepairId, error: OpError) -> Self {
        match error {
            OpError::Refused(refusal) => Self::Refused(format!("was not added. {}", refusal.message)),
            OpError::NotFound => Self::Refused(format!("was not added: there is no repair #{repair}.")),
            OpError::Forbidden => {
                Self::Refused("was not added: its sender is no longer allowed to do that.".into())
            }
            error => {
                tracing::warn!(error = %ErrorChain(&error), "photo not added to its repair yet");
                Self::passing(format!("{name} could not be added: the database did not answer."))
            }
        }
    }
}
