//! The content of a job's private message: the worker reads it before each send.

use crate::domain::ids::JobId;
use crate::domain::job::Work;
use crate::ops::jobs::view;
use crate::ops::{Ctx, OpError};
use crate::store;
use crate::store::jobs::Job;
use crate::views::jobs::JobMessage;

/// A job as it is now, with its starter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobSnapshot {
    /// The job, with the columns of its message read at the same moment.
    pub job: Job,
    pub message: JobMessage,
}

/// # Errors
/// `NotFound`.
pub async fn present(ctx: &Ctx, id: JobId) -> Result<JobSnapshot, OpError> {
    let db = ctx.store.read();
    let job = store::jobs::find(db, id).await?.ok_or(OpError::NotFound)?;
    let starter = match job.starter_user_id {
        Some(id) => store::users::active(db, id).await?,
        None => None,
    };
    // A person who was unlinked since then gets the public view.
    let starter = starter.filter(|user| user.slack_user_id == job.starter_slack_id);
    // A job of another version is shown by the name of its kind.
    let work = Work::read(&job.kind, &job.input).ok();
    let message = JobMessage {
        about: work.as_ref().map(Work::about),
        repair: work.as_ref().map(Work::repair),
        role: starter.map(|user| user.role),
        job: view(job.clone()),
    };
    Ok(JobSnapshot { job, message })
}
