//! Jobs as shown to staff.

use crate::domain::actor::Role;
use crate::domain::ids::{JobId, RepairId};
use crate::domain::job::JobState;
use chrono::{DateTime, Utc};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobView {
    pub id: JobId,
    pub kind: String,
    pub state: JobState,
    /// It is running, and its cancellation was requested.
    pub is_ending: bool,
    pub step: i64,
    pub steps: i64,
    /// Empty once the job has ended.
    pub activity: String,
    pub failure: Option<String>,
    /// Why the last attempt of a step failed.
    pub waits_because: Option<String>,
    /// When a step with a transient error is retried.
    pub next_try: Option<DateTime<Utc>>,
    /// Name of the person who started it.
    pub starter: String,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub finished_at: Option<DateTime<Utc>>,
}

/// A line of a job's output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobLine {
    pub text: String,
    pub at: DateTime<Utc>,
}

/// A job with its latest lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobDetails {
    pub job: JobView,
    /// Newest first.
    pub lines: Vec<JobLine>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobsView {
    /// Newest first.
    pub jobs: Vec<JobView>,
    /// Id of the last job, if there are older ones.
    pub older_than: Option<JobId>,
}

/// A job as shown in the Slack message to its starter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobMessage {
    pub job: JobView,
    /// What the job does, if this version has a description.
    pub about: Option<String>,
    /// The repair that the job is for.
    pub repair: Option<RepairId>,
    /// The current role of the starter's account, if any.
    pub role: Option<Role>,
}
