//! What a new installation needs: its first staff user, and data to look at.

use super::{Ctx, OpError, look_alike, mutation_log};
use crate::domain::actor::{Actor, Role};
use crate::domain::change::AuditRecord;
use crate::domain::ids::UserId;
use crate::domain::text::{EmailAddress, SlackHandle, Username};
use crate::store::{self, users::NewUser};
use serde_json::json;

mod demo_data;

pub use crate::store::ConnectError;
pub use demo_data::{DemoData, load_demo_data};

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

/// The first staff user.
#[derive(Debug, Clone)]
pub struct SeedAdmin {
    /// Name to log in with.
    pub username: Username,
    /// E-mail.
    pub email: EmailAddress,
    /// Slack handle, where known.
    pub slack_handle: Option<SlackHandle>,
    /// The password's hash, in the PHC string format.
    pub password_hash: String,
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seeded {
    /// The user was made.
    Made(UserId),
    /// A user of that name is there and stays as they are.
    Known(UserId),
}

/// Makes a staff user, unless one of that name is there.
///
/// # Errors
/// Refused when another user has that e-mail; the database's.
pub async fn seed_admin(ctx: &Ctx, actor: &Actor, seed: SeedAdmin) -> Result<Seeded, OpError> {
    let now = ctx.clock.now();
    let tx = ctx.store.begin().await?;
    look_alike::one_at_a_time(&tx, now).await?;
    if let Some(user) = store::users::named(&tx, &seed.username).await? {
        return Ok(Seeded::Known(user.id));
    }
    if store::users::with_email(&tx, seed.email.as_str()).await?.is_some() {
        return Err(OpError::refused("email", "Another user has this e-mail address."));
    }
    look_alike::refuse_name(&tx, &seed.username).await?;
    look_alike::refuse_email(&tx, &seed.email, None).await?;
    let new = NewUser {
        username: &seed.username,
        email: &seed.email,
        role: Role::Staff,
        slack_handle: seed.slack_handle.as_ref(),
        password_hash: seed.password_hash,
        must_change_password: false,
    };
    let id = store::users::add(&tx, new, now).await?;
    let made = json!({ "username": seed.username, "email": seed.email, "role": Role::Staff });
    let records =
        [AuditRecord { action: "user.created", noun: "user", noun_id: id.0, old: None, new: Some(made) }];
    store::audit::append(&tx, &records, actor, now).await?;
    tx.commit().await?;
    mutation_log::changes(&records, actor, now);
    Ok(Seeded::Made(id))
}
