//! How many bytes of photos visitors have left lately. The web's allowance for all visitors is based on it, so that
//! it applies after a restart and over all processes.

use crate::domain::file::VisitorAllowance;
use crate::ops::{Ctx, OpError};
use crate::store;

/// Bytes of the photos that people without a session have left within the last day.
pub async fn bytes_within_day(ctx: &Ctx) -> Result<u64, OpError> {
    let since = ctx.clock.now() - VisitorAllowance::DAY;
    Ok(store::photos::visitor_bytes_since(ctx.store.read(), since).await?)
}
