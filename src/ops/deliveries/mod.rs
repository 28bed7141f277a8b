//! Pending deliveries: figures, channel names, and retries.

pub mod channel_names;
pub mod queue_stats;

use crate::ops::{Ctx, OpError};
use crate::store;

/// Retries one delivery of each blocked channel immediately, since something about a channel was fixed.
pub async fn retry_blocked_channels(ctx: &Ctx) -> Result<(), OpError> {
    store::delivery_queue::request_channel_retries(ctx.store.write()).await?;
    ctx.wake.notify_one();
    Ok(())
}
