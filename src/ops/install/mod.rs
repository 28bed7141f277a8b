//! Operations for a new installation: the first staff user, sample data and the schema.

use super::Ctx;

mod demo_data;
mod seed_admin;

pub use crate::store::ConnectError;
pub use demo_data::{DemoData, DemoLogin, load_demo_data};
pub use seed_admin::{KnownUser, SeedAdmin, SeedOutcome, find_user, reset_admin, seed_admin};

pub async fn migrate(ctx: &Ctx) -> Result<(), ConnectError> {
    ctx.store.migrate().await
}

/// Reverts the latest migration.
pub async fn migrate_down(ctx: &Ctx) -> Result<(), ConnectError> {
    ctx.store.migrate_down().await
}

/// Names of the migrations, with whether each is applied.
pub async fn migrations(ctx: &Ctx) -> Result<Vec<(String, bool)>, ConnectError> {
    ctx.store.migrations().await
}
