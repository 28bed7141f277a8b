//! Creates a staff user, or restores one, from the command line: the way in when no staff user can log in.

use crate::domain::actor::{Actor, Role};
use crate::domain::change::AuditRecord;
use crate::domain::ids::UserId;
use crate::domain::text::{EmailAddress, SlackHandle, Username};
use crate::ops::{Ctx, OpError, accounts::look_alike, retry_on_deadlock};
use crate::store::users::{self, NewUser, User, UserChange};
use crate::store::{password_messages, sessions};
use serde_json::json;

#[derive(Debug, Clone)]
pub struct SeedAdmin {
    pub username: Username,
    pub email: EmailAddress,
    pub slack_handle: Option<SlackHandle>,
    /// In the PHC string format.
    pub password_hash: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SeedOutcome {
    Created(UserId),
    /// A user of that name exists and stays unchanged.
    Exists(KnownUser),
}

/// An existing user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownUser {
    pub id: UserId,
    pub username: String,
    pub role: Role,
    pub active: bool,
    /// False: nobody can log in as them.
    pub has_password: bool,
}

impl From<User> for KnownUser {
    fn from(user: User) -> Self {
        let has_password = user.has_password();
        Self { id: user.id, username: user.username, role: user.role, active: user.active, has_password }
    }
}

pub async fn find_user(ctx: &Ctx, username: &Username) -> Result<Option<KnownUser>, OpError> {
    Ok(users::named(ctx.store.read(), username).await?.map(KnownUser::from))
}

/// Creates a staff user, unless a user of that name exists.
///
/// # Errors
/// Refused if another user has that email address.
pub async fn seed_admin(ctx: &Ctx, actor: &Actor, seed: SeedAdmin) -> Result<SeedOutcome, OpError> {
    let now = ctx.clock.now();
    let tx = ctx.store.begin().await?;
    look_alike::one_at_a_time(&tx, now).await?;
    if let Some(user) = users::named(&tx, &seed.username).await? {
        return Ok(SeedOutcome::Exists(user.into()));
    }
    if users::with_email(&tx, seed.email.as_str()).await?.is_some() {
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
    let id = users::add(&tx, new, now).await?;
    let new = Some(json!({ "username": seed.username, "email": seed.email, "role": Role::Staff }));
    let record = AuditRecord { action: "user.created", noun: "user", noun_id: id.0, old: None, new };
    ctx.commit_recorded(tx, actor, record).await?;
    Ok(SeedOutcome::Created(id))
}

/// Gives a user a new password and makes them active staff. Ends their sessions and withdraws messages with earlier
/// passwords. Returns their state before.
pub async fn reset_admin(
    ctx: &Ctx,
    actor: &Actor,
    username: &Username,
    password_hash: &str,
) -> Result<KnownUser, OpError> {
    retry_on_deadlock(|| reset_once(ctx, actor, username, password_hash)).await
}

async fn reset_once(
    ctx: &Ctx,
    actor: &Actor,
    username: &Username,
    password_hash: &str,
) -> Result<KnownUser, OpError> {
    let (tx, now) = (ctx.store.begin().await?, ctx.clock.now());
    let named = users::named(&tx, username).await?.ok_or(OpError::NotFound)?;
    let before = users::hold(&tx, named.id).await?.ok_or(OpError::NotFound)?;
    let change = UserChange {
        role: (before.role != Role::Staff).then_some(Role::Staff),
        active: (!before.active).then_some(true),
        ..UserChange::default()
    };
    let (mut old, mut new) = (json!({}), json!({}));
    if change.role.is_some() {
        (old["role"], new["role"]) = (json!(before.role), json!(Role::Staff));
    }
    if change.active.is_some() {
        (old["active"], new["active"]) = (json!(false), json!(true));
    }
    users::set_password(&tx, before.id, password_hash.to_owned(), false, now).await?;
    if new != json!({}) {
        users::change(&tx, before.id, change, now).await?;
    }
    password_messages::withdraw(&tx, before.id, now).await?;
    sessions::end_others(&tx, before.id, None).await?;
    let changed = new != json!({});
    let (old, new) = (changed.then_some(old), changed.then_some(new));
    let record = AuditRecord { action: "user.password_reset", noun: "user", noun_id: before.id.0, old, new };
    ctx.commit_recorded(tx, actor, record).await?;
    Ok(before.into())
}
