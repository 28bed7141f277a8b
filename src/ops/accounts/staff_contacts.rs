//! Whom a person may ask who has no account.

use crate::domain::actor::SlackUserId;
use crate::ops::{Ctx, OpError};
use crate::store::users;

/// Most people that are named.
const NAMED_MAX: u64 = 3;

/// Some staff users whom Slack knows; none when nobody of them has used it yet.
pub async fn staff_in_slack(ctx: &Ctx) -> Result<Vec<SlackUserId>, OpError> {
    let staff = users::staff_in_slack(ctx.store.read(), NAMED_MAX).await?;
    Ok(staff.into_iter().filter_map(|user| user.slack_user_id.map(SlackUserId)).collect())
}
