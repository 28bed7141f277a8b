//! Which events of the workspace were acted upon: remembered in the database, so that one that Slack sends again
//! acts once, whichever process it reaches. The Slack edge asks before it acts.

use super::{Ctx, OpError};
use crate::domain::text::EventId;
use crate::store::{outage, requests};
use std::time::Duration;

/// Longest that the question may take: whoever waits for an answer waits for it, too.
const ASK_MAX: Duration = Duration::from_secs(2);

/// True for the first who asks about an event, over all processes; remembered for as long as submissions are.
///
/// # Errors
/// The database's.
pub async fn first_arrival(ctx: &Ctx, event: &EventId) -> Result<bool, OpError> {
    let now = ctx.clock.now();
    let remember = || requests::remember_event(ctx.store.write(), event, now);
    let asked = outage::again_after_deadlock(outage::is_deadlock, remember);
    Ok(outage::within(ASK_MAX, asked).await?)
}
