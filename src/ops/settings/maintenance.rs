//! Whether maintenance mode locks out everybody except staff: by configuration, or by a setting. Edges check it
//! before they handle a request, and show their own message.

use crate::domain::setting::MAINTENANCE;
use crate::ops::board::revision;
use crate::ops::{Ctx, OpError};
use crate::store;

/// True while maintenance is on. Cached per board revision, which a change of settings increments.
pub async fn is_on(ctx: &Ctx) -> Result<bool, OpError> {
    if ctx.maintenance {
        return Ok(true);
    }
    let read =
        async { Ok(store::settings::stored(ctx.store.read()).await?.get(MAINTENANCE) == Some("true")) };
    ctx.board.maintenance.get(&revision(ctx).await?, read).await
}
