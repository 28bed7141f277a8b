//! Which events of the workspace were acted upon: remembered in the database, so that one that Slack sends again
//! acts once, in any process. What is acknowledged before it is acted upon is remembered before, too
//! ([`first_arrival`]); what is acknowledged after is remembered after, so that it may come again until it is done.

use super::{Ctx, OpError};
use crate::domain::text::EventId;
use crate::store::{db_error, requests};
use std::time::Duration;

/// Longest time for the query: the request's answer waits for it.
const ASK_MAX: Duration = Duration::from_secs(2);

/// True for the first who asks about an event, over all processes; remembered for as long as submissions are.
pub async fn first_arrival(ctx: &Ctx, event: &EventId) -> Result<bool, OpError> {
    let now = ctx.clock.now();
    let remember = || requests::remember_event(ctx.store.write(), event, now);
    let asked = db_error::retry_on_deadlock(db_error::is_deadlock, remember);
    Ok(db_error::within(ASK_MAX, asked).await?)
}

/// True for an event that was handled already; see [`mark_handled`].
pub async fn is_handled(ctx: &Ctx, event: &EventId) -> Result<bool, OpError> {
    Ok(requests::knows_event(ctx.store.read(), event).await?)
}

/// Remembers an event that was handled, as long as submissions are. For what follows from an event and is no
/// transaction of ours: what is one remembers the event itself, by [`RequestId::of_event`] or a name of its own.
///
/// [`RequestId::of_event`]: crate::domain::text::RequestId::of_event
pub async fn mark_handled(ctx: &Ctx, event: &EventId) -> Result<(), OpError> {
    first_arrival(ctx, event).await.map(drop)
}
