//! What jobs do, one file a kind. A kind is a function of what it was given and of its last checkpoint; it
//! takes one step and says how far it came. It may be taken again after a crash, so what it changes it must
//! recognise. Knows no leases and no schedule: `worker::JobRunner` calls it, one of a kind at a time.

mod fetch_photos;

use crate::clients::slack_api::SlackApi;
use crate::domain::actor::Actor;
use crate::domain::job::{JobKind, StepFailure, Work};
use crate::files::Files;
use crate::ops::Ctx;
use std::time::Duration;

/// What a step came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stepped {
    /// Where the next step begins; JSON of the kind.
    pub checkpoint: String,
    /// Steps done.
    pub step: i64,
    /// What comes next, as people are told.
    pub activity: String,
    /// What was done, as people are told.
    pub line: String,
    /// How it goes on.
    pub then: Then,
}

/// How a job goes on after a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Then {
    /// There is another step.
    More,
    /// That was all.
    Done,
    /// That was all, and not all of it worked; resumed, it tries the rest again.
    GivenUp {
        /// Words for people.
        why: String,
    },
}

/// What is to be done next.
#[derive(Debug)]
pub struct Task<'a> {
    /// What the job was given.
    pub work: &'a Work,
    /// Where it stands; `None` before the first step.
    pub checkpoint: Option<&'a str>,
    /// Who started it.
    pub starter: &'a Actor,
}

/// What steps work with.
#[derive(Clone)]
pub struct Jobs {
    ctx: Ctx,
    api: SlackApi,
    files: Files,
}

impl Jobs {
    /// Puts the parts together.
    pub const fn new(ctx: Ctx, api: SlackApi, files: Files) -> Self {
        Self { ctx, api, files }
    }

    /// Takes one step.
    ///
    /// # Errors
    /// Why it was not done, in words for people.
    pub async fn step(&self, task: &Task<'_>) -> Result<Stepped, StepFailure> {
        match task.work {
            Work::FetchPhotos(photos) => fetch_photos::step(self, photos, task).await,
        }
    }
}

/// How long one step may take.
pub const fn step_max(kind: JobKind) -> Duration {
    match kind {
        JobKind::FetchPhotos => fetch_photos::STEP_MAX,
    }
}
