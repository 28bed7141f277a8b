//! Which Slack events were processed, stored in the database: an event that Slack sends again is processed once
//! over all processes. Events that are acknowledged before processing are stored before it ([`first_arrival`]);
//! events that are acknowledged after processing are stored after it, so Slack resends them until then.

use super::{Ctx, OpError};
use crate::domain::text::EventId;
use crate::store::{db_error, requests};
use std::time::Duration;

/// Timeout of the query: the response to Slack waits for it.
const ASK_MAX: Duration = Duration::from_secs(2);

/// True for the first call with this event over all processes. The event id is kept as long as submissions are.
pub async fn first_arrival(ctx: &Ctx, event: &EventId) -> Result<bool, OpError> {
    let now = ctx.clock.now();
    let remember = || requests::remember_event(ctx.store.write(), event, now);
    let asked = db_error::retry_on_deadlock(db_error::is_deadlock, remember);
    Ok(db_error::within(ASK_MAX, asked).await?)
}

/// True if the event was processed already; see [`mark_handled`].
pub async fn is_handled(ctx: &Ctx, event: &EventId) -> Result<bool, OpError> {
    Ok(requests::knows_event(ctx.store.read(), event).await?)
}

/// Stores that an event was processed, for as long as submissions are kept. Only for effects outside of our
/// transactions: a transaction stores the event itself, by [`RequestId::of_event`] or a separate key.
///
/// [`RequestId::of_event`]: crate::domain::text::RequestId::of_event
pub async fn mark_handled(ctx: &Ctx, event: &EventId) -> Result<(), OpError> {
    first_arrival(ctx, event).await.map(drop)
}
