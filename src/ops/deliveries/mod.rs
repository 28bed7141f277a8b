//! What people and Slack tell of deliveries that wait.

pub mod channel_names;
pub mod queue_stats;

use crate::ops::{Ctx, OpError};
use crate::store;

/// Has one delivery of each channel that takes nothing tried at once: something about a channel was put right.
pub async fn retry_blocked_channels(ctx: &Ctx) -> Result<(), OpError> {
    store::delivery_queue::request_channel_retries(ctx.store.write()).await?;
    ctx.wake.notify_one();
    Ok(())
}
