//! Jobs as staff see them.

use crate::domain::actor::Role;
use crate::domain::ids::{JobId, RepairId};
use crate::domain::job::JobState;
use chrono::{DateTime, Utc};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobView {
    pub id: JobId,
    /// What kind of work, in words.
    pub kind: String,
    /// Where it stands.
    pub state: JobState,
    /// It runs, and somebody wants it to end.
    pub is_ending: bool,
    /// Steps done.
    pub step: i64,
    /// Steps in all.
    pub steps: i64,
    /// What it is at; empty once it is over.
    pub activity: String,
    /// Why it failed.
    pub failure: Option<String>,
    /// Why the next try is waited for.
    pub waits_because: Option<String>,
    /// When it is tried again, where a step failed in passing.
    pub next_try: Option<DateTime<Utc>>,
    /// Who started it.
    pub starter: String,
    /// When it was asked for.
    pub created_at: DateTime<Utc>,
    /// When something about it changed.
    pub updated_at: DateTime<Utc>,
    /// When it ended.
    pub finished_at: Option<DateTime<Utc>>,
}

/// A line that a job wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobLine {
    /// The line.
    pub text: String,
    /// When.
    pub at: DateTime<Utc>,
}

/// A job with its latest lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobDetails {
    pub job: JobView,
    /// Lines, the newest first.
    pub lines: Vec<JobLine>,
}

/// A part of all jobs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobsView {
    /// Jobs, newest first.
    pub jobs: Vec<JobView>,
    /// Number of the last one, where there are older ones.
    pub older_than: Option<JobId>,
}

/// A job as the message to its starter in Slack shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobMessage {
    pub job: JobView,
    /// What it does, where this version knows.
    pub about: Option<String>,
    /// The repair that it does it for.
    pub repair: Option<RepairId>,
    /// The present role of the starter's account, if any.
    pub role: Option<Role>,
}
