//! Table `jobs`: long work in steps.

use sea_orm::entity::prelude::*;

use crate::domain::actor::Edge;
use crate::domain::ids::{JobId, UserId};
use crate::domain::job::JobState;

/// One row.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "jobs")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: JobId,
    /// Key of a `JobKind`; a text, since another version may know other kinds.
    pub kind: String,
    /// The kind while the job runs, else `None`; unique, so that one of a kind runs at a time.
    pub running_kind: Option<String>,
    /// The same work is queued once; unique.
    pub work_key: Option<String>,
    /// What is to be done, as JSON of its kind.
    #[sea_orm(column_type = "Text")]
    pub input: String,
    /// How far it came, as JSON of its kind.
    #[sea_orm(column_type = "Text", nullable)]
    pub checkpoint: Option<String>,
    pub state: JobState,
    /// Steps done.
    pub step: i64,
    /// Steps in all.
    pub steps: i64,
    pub activity: String,
    /// Why it failed, or waits for the next try; in words.
    #[sea_orm(column_type = "Text", nullable)]
    pub failure: Option<String>,
    /// Failures of the present step.
    pub failures: i64,
    /// Since when the present step fails.
    pub failing_since: Option<DateTimeUtc>,
    /// Not before this time.
    pub due_at: DateTimeUtc,
    /// Names the run that holds it.
    pub lease: Option<String>,
    /// Until when.
    pub leased_until: Option<DateTimeUtc>,
    /// How many workers were lost during the present step.
    pub losses: i64,
    /// Somebody wants it to end.
    pub cancel_requested: bool,
    /// How many lines it has written.
    pub updates: i64,
    /// The edge of the request.
    pub edge: Edge,
    /// Name of who asked for it.
    pub starter_name: String,
    /// Account of who asked for it.
    pub starter_user_id: Option<UserId>,
    /// Slack's id of who asked for it.
    pub starter_slack_id: Option<String>,
    /// Slack's id of the channel of its private message; `None` while it is not posted.
    pub message_channel: Option<String>,
    /// Slack's timestamp of that message; `None` while it is not posted.
    pub message_ts: Option<String>,
    /// Counts the changes that the message has to show; `None`: it has no message.
    pub message_desired_version: Option<i64>,
    /// The last of these that it shows.
    pub message_rendered_version: i64,
    /// When it was asked for.
    pub created_at: DateTimeUtc,
    /// When something about it changed.
    pub updated_at: DateTimeUtc,
    /// When it ended.
    pub finished_at: Option<DateTimeUtc>,
}

impl ActiveModelBehavior for ActiveModel {}
