//! Table `jobs`: long work in steps.

use sea_orm::entity::prelude::*;

use crate::domain::actor::Edge;
use crate::domain::ids::{JobId, UserId};
use crate::domain::job::JobState;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "jobs")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: JobId,
    /// Key of a `JobKind`; a text, since another version may have other kinds.
    pub kind: String,
    /// The kind while the job runs, else `None`; unique, so that one of a kind runs at a time.
    pub running_kind: Option<String>,
    /// Unique: the same work is enqueued once.
    pub work_key: Option<String>,
    /// As JSON of its kind.
    #[sea_orm(column_type = "Text")]
    pub input: String,
    /// As JSON of its kind.
    #[sea_orm(column_type = "Text", nullable)]
    pub checkpoint: Option<String>,
    pub state: JobState,
    pub step: i64,
    pub steps: i64,
    pub activity: String,
    /// Why it failed, or waits for a retry; in words for people.
    #[sea_orm(column_type = "Text", nullable)]
    pub failure: Option<String>,
    /// Failures of the current step.
    pub failures: i64,
    /// First failure of the current step.
    pub failing_since: Option<DateTimeUtc>,
    /// Earliest time of the next attempt.
    pub due_at: DateTimeUtc,
    /// Id of the run that has it.
    pub lease: Option<String>,
    /// End of the lease.
    pub leased_until: Option<DateTimeUtc>,
    /// Number of workers lost during the current step.
    pub losses: i64,
    pub cancel_requested: bool,
    /// Number of lines so far.
    pub updates: i64,
    /// The edge of the request.
    pub edge: Edge,
    pub starter_name: String,
    pub starter_user_id: Option<UserId>,
    pub starter_slack_id: Option<String>,
    /// Slack's id of the channel of its private message; `None` while it is not posted.
    pub message_channel: Option<String>,
    /// Slack's timestamp of that message; `None` while it is not posted.
    pub message_ts: Option<String>,
    /// The version that the message should show; `None`: it has no message.
    pub message_desired_version: Option<i64>,
    /// The version that it shows.
    pub message_rendered_version: i64,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
    pub finished_at: Option<DateTimeUtc>,
}

impl ActiveModelBehavior for ActiveModel {}
