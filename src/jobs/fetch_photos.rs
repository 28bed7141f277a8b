//! Photos of one submission, from Slack to a repair: a step each. One that is refused keeps none of the
//! others; it is named in the end, and tried again when the job is resumed.

use super::{Jobs, Stepped, Task, Then};
use crate::clients::slack_api::{DownloadError, SlackApiError};
use crate::domain::job::{FetchPhotos, PhotoSource, StepFailure};
use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// Longest that one photo may take.
pub(super) const STEP_MAX: Duration = Duration::from_secs(10 * 60);

/// How far the job came; photos go by their places in the submission.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Checkpoint {
    left: Vec<usize>,
    refused: Vec<Refused>,
}

/// A photo that cannot be had.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Refused {
    photo: usize,
    why: String,
}

/// What became of one photo.
enum Fetched {
    Added,
    There,
    Refused(String),
}

/// Fetches the next photo.
pub(super) async fn step(jobs: &Jobs, work: &FetchPhotos, task: &Task<'_>) -> Result<Stepped, StepFailure> {
    let mut at = Checkpoint::read(task.checkpoint, work);
    let Some((place, photo)) = at.next(work) else {
        return Ok(at.stepped(work, "Nothing was left to do.".into()));
    };
    let fetched = fetch(jobs, work, photo, task).await?;
    at.left.retain(|left| *left != place);
    let name = &photo.name;
    let line = match fetched {
        Fetched::Added => format!("{name} is on repair #{} now.", work.repair),
        Fetched::There => format!("{name} was there already."),
        Fetched::Refused(why) => {
            let line = format!("{name}: {why}");
            at.refused.push(Refused { photo: place, why });
            line
        }
    };
    Ok(at.stepped(work, line))
}

impl Checkpoint {
    /// Where the job stands. What was refused is tried again once nothing else is left: the job was resumed.
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
        let refused = |refused: &Refused| {
            let name = work.photos.get(refused.photo).map_or("A photo", |photo| &photo.name);
            format!("{name}: {}", refused.why)
        };
        let then = match (next, self.refused.is_empty()) {
            (Some(_), _) => Then::More,
            (None, true) => Then::Done,
            (None, false) => {
                Then::GivenUp { why: self.refused.iter().map(refused).collect::<Vec<_>>().join("\n") }
            }
        };
        let left = if next.is_some() { self.left.len() } else { 0 };
        Stepped {
            checkpoint: serde_json::to_string(self).unwrap_or_default(),
            step: i64::try_from(work.photos.len().saturating_sub(left)).unwrap_or(i64::MAX),
            activity: next.map(|(_, photo)| format!("Fetching {}", photo.name)).unwrap_or_default(),
            line,
            then,
        }
    }
}

async fn fetch(
    jobs: &Jobs,
    _work: &FetchPhotos,
    photo: &PhotoSource,
    _task: &Task<'_>,
) -> Result<Fetched, StepFailure> {
    let file = match jobs.api.download(&photo.url, 1).await {
        Ok(file) => file,
        Err(error) => return failed(&photo.name, error),
    };
    drop(file.into_stream());
    Ok(Fetched::Added)
}

/// What passes by itself is a failure of the step; what does not is a refusal of this photo.
fn failed(name: &str, error: DownloadError) -> Result<Fetched, StepFailure> {
    let why = match error {
        DownloadError::Slack(SlackApiError::RateLimited { retry_after }) => {
            let wait = TimeDelta::from_std(retry_after).ok();
            return Err(StepFailure::Passing { why: format!("{name}: Slack asked for patience."), wait });
        }
        DownloadError::Slack(SlackApiError::Auth { .. }) => {
            "Slack does not accept SLACK_BOT_TOKEN. Set it anew, then resume this job.".into()
        }
        DownloadError::Slack(error) => {
            return Err(StepFailure::Passing { why: format!("{name}: {error}."), wait: None });
        }
        DownloadError::NotPermitted => {
            "the bot may not read files (missing_scope: files:read). Add that scope to the Slack app, install \
             it again, then resume this job."
                .into()
        }
        DownloadError::Gone => "Slack has this file no longer.".into(),
        DownloadError::Elsewhere => "it is not kept by Slack, so it is not fetched. A link to it will do.".into(),
        DownloadError::TooLarge { most } => format!("it is larger than {} MB.", most / 1_000_000),
    };
    Ok(Fetched::Refused(why))
}
