//! What a new installation needs: its first staff user, and data to look at.

use super::Ctx;

mod demo_data;
mod seed_admin;

pub use crate::store::ConnectError;
pub use demo_data::{DemoData, DemoLogin, load_demo_data};
pub use seed_admin::{KnownUser, SeedAdmin, SeedOutcome, find_user, reset_admin, seed_admin};

/// Brings the schema up to date.
///
/// # Errors
/// A step failed, or the schema is newer than this program.
pub async fn migrate(ctx: &Ctx) -> Result<(), ConnectError> {
    ctx.store.migrate().await
}

/// Takes back the schema's latest step.
///
/// # Errors
/// The step failed, or the schema is newer than this program.
pub async fn migrate_down(ctx: &Ctx) -> Result<(), ConnectError> {
    ctx.store.migrate_down().await
}

/// Names of the schema's steps, with whether each is applied.
///
/// # Errors
/// The database's.
pub async fn migrations(ctx: &Ctx) -> Result<Vec<(String, bool)>, ConnectError> {
    ctx.store.migrations().await
}
