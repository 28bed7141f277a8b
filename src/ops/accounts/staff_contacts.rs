//! Staff whom a person without an account may contact.

use crate::domain::actor::SlackUserId;
use crate::ops::{Ctx, OpError};
use crate::store::users;

/// Most people to name.
const NAMED_MAX: u64 = 3;

/// Some staff users with a known Slack user; empty if none of them has used Slack yet.
pub async fn staff_in_slack(ctx: &Ctx) -> Result<Vec<SlackUserId>, OpError> {
    let staff = users::staff_in_slack(ctx.store.read(), NAMED_MAX).await?;
    Ok(staff.into_iter().filter_map(|user| user.slack_user_id.map(SlackUserId)).collect())
}
