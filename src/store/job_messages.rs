//! The private message of a job to the person who started it in Slack. It is enqueued with the job and is a live
//! message from then on. Its columns are in the job's own row, so that the row's lock orders changes and edits.

use super::deliveries::{self, NewDelivery};
use super::entities::delivery;
use super::entities::job::{self, Model as Job};
use super::live_message::{self, FailedEdits, LiveMessage, LiveMessageTable};
use crate::domain::delivery::DeliveryKind;
use crate::domain::ids::JobId;
use chrono::{DateTime, Utc};
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, PaginatorTrait, QueryFilter};

impl LiveMessageTable for job::Entity {
    const ID: job::Column = job::Column::Id;
    const CHANNEL: job::Column = job::Column::MessageChannel;
    const TS: job::Column = job::Column::MessageTs;
    const RENDERED_VERSION: job::Column = job::Column::MessageRenderedVersion;
    const DESIRED_VERSION: job::Column = job::Column::MessageDesiredVersion;

    fn desired_version(job: &Job) -> i64 {
        job.message_desired_version.unwrap_or_default()
    }

    fn edit(job: &Job) -> Option<NewDelivery> {
        let (starter, desired_version) = (job.starter_slack_id.clone()?, job.message_desired_version?);
        job.message_ts.as_ref()?;
        let edit = new_message(job.id, starter, DeliveryKind::Edit);
        Some(NewDelivery { dedupe_key: format!("{}:{desired_version}", key(job.id)), ..edit })
    }
}

/// The lane, and the dedupe key of the first delivery.
fn key(id: JobId) -> String {
    format!("job:{id}")
}

fn new_message(id: JobId, starter: String, kind: DeliveryKind) -> NewDelivery {
    let (lane, dedupe_key, event) = (key(id), key(id), String::new());
    NewDelivery { target: starter, dedupe_key, lane, event, kind, live_message: Some(LiveMessage::Job(id)) }
}

/// Enqueues the first message about a job for `starter`, unless it was enqueued before.
pub(super) async fn begin(
    db: &impl ConnectionTrait,
    id: JobId,
    starter: String,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let same = delivery::Entity::find().filter(delivery::Column::DedupeKey.eq(key(id)));
    if same.count(db).await? > 0 {
        return Ok(());
    }
    deliveries::enqueue(db, vec![new_message(id, starter, DeliveryKind::Message)], now).await
}

/// Enqueues an edit of a job's posted message, unless one is pending. A message that is not posted yet shows the
/// change when it is posted.
pub(super) async fn changed(db: &impl ConnectionTrait, job: &Job, now: DateTime<Utc>) -> Result<(), DbErr> {
    if job.message_desired_version.is_none() {
        return Ok(());
    }
    job::Entity::update_many()
        .col_expr(job::Column::MessageDesiredVersion, Expr::col(job::Column::MessageDesiredVersion).add(1))
        .filter(job::Column::Id.eq(job.id))
        .exec(db)
        .await?;
    // Read again under the lock: it may have been posted since.
    let job = job::Entity::find_by_id(job.id).one(db).await?;
    let edit = job.as_ref().and_then(job::Entity::edit);
    let failed = if job.is_some_and(|job| job.state.is_over()) {
        FailedEdits::RetryNow
    } else {
        FailedEdits::KeepSchedule
    };
    live_message::enqueue_edits(db, edit.into_iter().collect(), failed, now).await?;
    Ok(())
}
