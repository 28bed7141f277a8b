//! The first staff user of an empty installation, made in the browser by a person who can read the log.

use crate::domain::actor::{Actor, Role};
use crate::domain::change::AuditRecord;
use crate::domain::text::{EmailAddress, Username};
use crate::ops::{Ctx, OpError, accounts::look_alike, accounts::password, retry_on_deadlock, secret};
use crate::store::users::{self, NewUser};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;

/// The code that is logged and that the page requests; each process has its own.
#[derive(Debug, Clone)]
pub struct SetupCode(SecretString);

impl SetupCode {
    pub fn random() -> Self {
        Self(secret::temporary_password())
    }

    /// The code, for the log: it works only until there is a staff user.
    pub fn for_log(&self) -> &str {
        self.0.expose_secret()
    }

    fn is(&self, typed: &str) -> bool {
        // Compares digests, so that the duration reveals nothing about the code.
        secret::digest_of(typed.trim()) == secret::digest_of(self.0.expose_secret())
    }
}

/// The first staff user, as typed into the page.
#[derive(Debug, Clone)]
pub struct SetUp {
    pub code: String,
    pub username: Username,
    pub email: EmailAddress,
    pub password: SecretString,
}

/// True while no staff user can log in: none is active and has a password.
pub async fn is_wanted(ctx: &Ctx) -> Result<bool, OpError> {
    Ok(!users::has_staff(ctx.store.read()).await?)
}

/// # Errors
/// `NotFound` when there is a staff user; refused when the code is wrong, the password too short, or name or e-mail
/// taken.
pub async fn set_up(ctx: &Ctx, actor: &Actor, code: &SetupCode, set_up: SetUp) -> Result<(), OpError> {
    if !is_wanted(ctx).await? {
        return Err(OpError::NotFound);
    }
    if !code.is(&set_up.code) {
        return Err(OpError::refused("code", "Wrong code. ESB's log shows the right one."));
    }
    let hash = password::hash(set_up.password.clone()).await?;
    retry_on_deadlock(|| set_up_once(ctx, actor, &set_up, &hash)).await
}

async fn set_up_once(ctx: &Ctx, actor: &Actor, set_up: &SetUp, hash: &str) -> Result<(), OpError> {
    let now = ctx.clock.now();
    let tx = ctx.store.begin().await?;
    // Of two requests at once the second waits here until the first commits, then finds a staff user.
    look_alike::one_at_a_time(&tx, now).await?;
    if users::has_staff(&tx).await? {
        return Err(OpError::NotFound);
    }
    if users::named(&tx, &set_up.username).await?.is_some() {
        return Err(OpError::refused("username", "Another user has this name."));
    }
    if users::with_email(&tx, set_up.email.as_str()).await?.is_some() {
        return Err(OpError::refused("email", "Another user has this e-mail address."));
    }
    look_alike::refuse_name(&tx, &set_up.username).await?;
    look_alike::refuse_email(&tx, &set_up.email, None).await?;
    let new = NewUser {
        username: &set_up.username,
        email: &set_up.email,
        role: Role::Staff,
        slack_handle: None,
        password_hash: hash.to_owned(),
        must_change_password: false,
    };
    let id = users::add(&tx, new, now).await?;
    let new = Some(json!({ "username": set_up.username, "email": set_up.email, "role": Role::Staff }));
    let record = AuditRecord { action: "user.created", noun: "user", noun_id: id.0, old: None, new };
    ctx.commit_recorded(tx, actor, record).await
}
