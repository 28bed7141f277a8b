//! The steps of jobs, one file per kind. A step gets the job's input and its last checkpoint and returns its
//! progress. A step may run again after a crash, so it must recognize its own changes. Must not lease or schedule.
//! Called by `worker::JobRunner`, one job of a kind at a time.

mod fetch_photos;

use crate::clients::slack_api::SlackApi;
use crate::domain::actor::Actor;
use crate::domain::job::{JobKind, StepFailure, Work};
use crate::files::Files;
use crate::ops::Ctx;
use std::time::Duration;

/// The result of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stepped {
    /// The next step's checkpoint; JSON of the kind.
    pub checkpoint: String,
    pub step: i64,
    /// The next step, in words for people.
    pub activity: String,
    /// This step, in words for people.
    pub line: String,
    pub progress: Progress,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    More,
    Done,
    /// Parts failed. A resumed job retries them.
    Incomplete {
        /// Words for people.
        why: String,
    },
}

/// The input of a step.
#[derive(Debug)]
pub struct Task<'a> {
    pub work: &'a Work,
    /// `None` before the first step.
    pub checkpoint: Option<&'a str>,
    pub starter: &'a Actor,
}

#[derive(Clone)]
pub struct Jobs {
    ctx: Ctx,
    api: SlackApi,
    files: Files,
}

impl Jobs {
    pub const fn new(ctx: Ctx, api: SlackApi, files: Files) -> Self {
        Self { ctx, api, files }
    }

    pub async fn step(&self, task: &Task<'_>) -> Result<Stepped, StepFailure> {
        match task.work {
            Work::FetchPhotos(photos) => fetch_photos::step(self, photos, task).await,
        }
    }
}

/// Time limit of one step.
pub const fn step_max(kind: JobKind) -> Duration {
    match kind {
        JobKind::FetchPhotos => fetch_photos::STEP_MAX,
    }
}
