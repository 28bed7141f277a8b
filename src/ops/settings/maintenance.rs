//! Whether maintenance keeps everybody but staff out: by configuration, or by the switch of the settings. Edges
//! ask before they let somebody in, and say so in their own way.

use crate::domain::setting::MAINTENANCE;
use crate::ops::board::revision;
use crate::ops::{Ctx, OpError};
use crate::store;

/// True while maintenance is on. Read once per revision: a change of settings raises it.
pub async fn is_on(ctx: &Ctx) -> Result<bool, OpError> {
    if ctx.maintenance {
        return Ok(true);
    }
    let read =
        async { Ok(store::settings::stored(ctx.store.read()).await?.get(MAINTENANCE) == Some("true")) };
    ctx.board.maintenance.get(&revision(ctx).await?, read).await
}
