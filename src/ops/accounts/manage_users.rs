//! Users: made, changed, deactivated and reactivated by staff. A temporary password is known to staff only until it
//! is handed over.

use crate::domain::actor::{Actor, Role};
use crate::domain::change::AuditRecord;
use crate::domain::idempotency::IdempotencyKey;
use crate::domain::ids::UserId;
use crate::domain::text::{EmailAddress, RequestId, SlackHandle, Username};
use crate::ops::accounts::temporary_password::{self, Issued, PasswordHandover};
use crate::ops::idempotency::{find_answer, key, remember};
use crate::ops::{
    Ctx, OpError, Refusal, accounts::look_alike, accounts::password, accounts::slack_link, allow,
    retry_on_deadlock, secret,
};
use crate::store::users::{self, NewUser, User, UserChange};
use crate::store::{password_messages, sessions, slack_unlinks};
use crate::views::account::{UserDetails, UserView, UsersView};
use secrecy::SecretString;
use serde::Serialize;
use serde_json::{Value, json};

/// Users on one page.
pub const PAGE_SIZE: u64 = 100;

#[derive(Debug, Clone, Serialize)]
pub struct CreateUser {
    pub username: Username,
    /// Also links the user to Slack.
    pub email: EmailAddress,
    pub role: Role,
    /// If known.
    pub slack_handle: Option<SlackHandle>,
    /// Show the temporary password here, even if Slack could deliver it.
    pub show_here: bool,
    #[serde(skip)]
    pub request_id: RequestId,
}

#[derive(Debug)]
pub enum UserCreated {
    /// The user was made, and the temporary password handed over.
    Now(UserId, PasswordHandover),
    /// The same submission made the user before.
    Before(UserId),
}

#[derive(Debug, Clone)]
pub struct EditUser {
    pub id: UserId,
    pub email: EmailAddress,
    pub role: Role,
    pub slack_handle: Option<SlackHandle>,
}

/// A page of the users, by name; the first page is 1.
///
/// # Errors
/// `Forbidden` unless the actor is staff.
pub async fn users(ctx: &Ctx, actor: &Actor, page: u64) -> Result<UsersView, OpError> {
    allow(actor, Role::Staff)?;
    let skip = page.saturating_sub(1).saturating_mul(PAGE_SIZE).min(i64::MAX as u64);
    let (some, count) = users::some(ctx.store.read(), skip, PAGE_SIZE).await?;
    let sends_passwords = ctx.sends_passwords();
    Ok(UsersView { users: some.into_iter().map(shown).collect(), count, sends_passwords })
}

/// One user.
///
/// # Errors
/// `Forbidden` unless the actor is staff; `NotFound`.
pub async fn user(ctx: &Ctx, actor: &Actor, id: UserId) -> Result<UserDetails, OpError> {
    allow(actor, Role::Staff)?;
    let db = ctx.store.read();
    let user = users::find(db, id).await?.ok_or(OpError::NotFound)?;
    let known_as = temporary_password::recipient(ctx, db, &user).await?.map(|person| person.name);
    let message = temporary_password::message(db, &user).await?;
    let slack = slack_link::links(db, &user).await?;
    Ok(UserDetails { user: shown(user), known_as, message, slack })
}

fn shown(user: User) -> UserView {
    UserView {
        id: user.id,
        username: user.username,
        email: user.email,
        role: user.role,
        active: user.active,
        slack_handle: user.slack_handle,
        must_change_password: user.must_change_password,
    }
}

/// Makes a user with a temporary password, which is sent by direct message if they are in Slack.
///
/// # Errors
/// `Forbidden` unless the actor is staff; refused when name or e-mail are taken.
pub async fn create_user(ctx: &Ctx, actor: &Actor, create: CreateUser) -> Result<UserCreated, OpError> {
    allow(actor, Role::Staff)?;
    let key = key("user.create", actor, &create.request_id, &create)?;
    let temporary = secret::temporary_password();
    let hash = password::hash(temporary.clone()).await?;
    let issued = Issued { by: actor, password: &temporary, hash: &hash, is_new: true };
    match retry_on_deadlock(|| create_once(ctx, &key, &create, &issued)).await {
        Ok(Some((id, sent_to))) => Ok(UserCreated::Now(id, handed_over(ctx, temporary, sent_to))),
        Ok(None) => before(ctx, &key).await?.ok_or(OpError::NotFound),
        // This submission or another one has just made that user.
        Err(error) if error.may_be_replay() => before(ctx, &key).await?.ok_or_else(|| taken(error)),
        Err(error) => Err(error),
    }
}

/// The user that this submission made before.
async fn before(ctx: &Ctx, key: &IdempotencyKey) -> Result<Option<UserCreated>, OpError> {
    Ok(find_answer(ctx.store.read(), key).await?.map(UserCreated::Before))
}

/// Call after the commit: wakes the worker if it has a password to send.
fn handed_over(ctx: &Ctx, temporary: SecretString, sent_to: Option<String>) -> PasswordHandover {
    if sent_to.is_some() {
        ctx.wake.notify_one();
    }
    PasswordHandover::of(temporary, sent_to)
}

/// The new user's id, and who receives the password; `None` when the submission was accepted before.
async fn create_once(
    ctx: &Ctx,
    key: &IdempotencyKey,
    create: &CreateUser,
    issued: &Issued<'_>,
) -> Result<Option<(UserId, Option<String>)>, OpError> {
    let now = ctx.clock.now();
    let tx = ctx.store.begin().await?;
    look_alike::one_at_a_time(&tx, now).await?;
    if find_answer::<UserId>(&tx, key).await?.is_some() {
        return Ok(None);
    }
    if users::named(&tx, &create.username).await?.is_some() {
        return Err(OpError::refused("username", "Another user has this name."));
    }
    if users::with_email(&tx, create.email.as_str()).await?.is_some() {
        return Err(email_taken());
    }
    look_alike::refuse_name(&tx, &create.username).await?;
    look_alike::refuse_email(&tx, &create.email, None).await?;
    let new = NewUser {
        username: &create.username,
        email: &create.email,
        role: create.role,
        slack_handle: create.slack_handle.as_ref(),
        password_hash: issued.hash.to_owned(),
        must_change_password: true,
    };
    let id = users::add(&tx, new, now).await?;
    let sent_to = temporary_password::send(ctx, &tx, id, issued, create.show_here, now).await?;
    remember(&tx, key, &id, now).await?;
    let new = json!({
        "username": create.username, "email": create.email, "role": create.role,
        "slack_handle": create.slack_handle,
    });
    ctx.commit_recorded(tx, issued.by, record("user.created", id, None, Some(new))).await?;
    Ok(Some((id, sent_to)))
}

/// Changes a user. Another role ends their sessions, except `kept`, the session of the request. Another e-mail ends
/// a temporary password that was sent by message, since the owner of the old address may have it, and permits the
/// account to be linked to Slack again.
///
/// # Errors
/// `Forbidden` unless the actor is staff; `NotFound`; refused when the e-mail is taken, or when no staff user would
/// be left.
pub async fn edit_user(ctx: &Ctx, actor: &Actor, edit: EditUser, kept: &str) -> Result<(), OpError> {
    allow(actor, Role::Staff)?;
    retry_on_deadlock(|| edit_once(ctx, actor, &edit, kept)).await.map_err(taken)
}

async fn edit_once(ctx: &Ctx, actor: &Actor, edit: &EditUser, kept: &str) -> Result<(), OpError> {
    let tx = ctx.store.begin().await?;
    let staff = users::lock_staff(&tx).await?;
    let user = users::find(&tx, edit.id).await?.ok_or(OpError::NotFound)?;
    let handle = edit.slack_handle.as_ref().map_or("", SlackHandle::as_str);
    let change = UserChange {
        email: (user.email != edit.email.as_str()).then_some(&edit.email),
        role: (user.role != edit.role).then_some(edit.role),
        slack_handle: (user.slack_handle != handle).then_some(edit.slack_handle.as_ref()),
        active: None,
    };
    let same_email = users::with_email(&tx, edit.email.as_str()).await?;
    if same_email.is_some_and(|other| other.id != user.id) {
        return Err(email_taken());
    }
    if change.email.is_some() {
        look_alike::refuse_email(&tx, &edit.email, Some(user.id)).await?;
    }
    if change.role == Some(Role::Technician) {
        leave_staff(&staff, user.id, "role")?;
    }
    let (mut old, mut new) = (json!({}), json!({}));
    let mut note = |field: &str, before: Value, after: Value| {
        old[field] = before;
        new[field] = after;
    };
    if change.email.is_some() {
        note("email", json!(user.email), json!(edit.email));
    }
    if change.role.is_some() {
        note("role", json!(user.role), json!(edit.role));
    }
    if change.slack_handle.is_some() {
        note("slack_handle", json!(user.slack_handle), json!(handle));
    }
    if new == json!({}) {
        return Ok(());
    }
    if change.role.is_some() {
        sessions::end_others(&tx, user.id, Some(kept)).await?;
    }
    let now = ctx.clock.now();
    let is_another = users::email_key(edit.email.as_str()) != users::email_key(&user.email);
    users::change(&tx, user.id, change, now).await?;
    if is_another {
        slack_unlinks::clear(&tx, user.id).await?;
        if temporary_password::end_misdirected(&tx, user.id, now).await? {
            new["temporary_password"] = json!("ended");
        }
    }
    ctx.commit_recorded(tx, actor, record("user.updated", user.id, Some(old), Some(new))).await
}

/// Deactivates a user, effective immediately, or reactivates them.
///
/// # Errors
/// `Forbidden` unless the actor is staff; `NotFound`; refused when no staff user would be left.
pub async fn set_active(ctx: &Ctx, actor: &Actor, id: UserId, active: bool) -> Result<(), OpError> {
    allow(actor, Role::Staff)?;
    retry_on_deadlock(|| set_active_once(ctx, actor, id, active)).await
}

async fn set_active_once(ctx: &Ctx, actor: &Actor, id: UserId, active: bool) -> Result<(), OpError> {
    let tx = ctx.store.begin().await?;
    let staff = users::lock_staff(&tx).await?;
    let user = users::find(&tx, id).await?.ok_or(OpError::NotFound)?;
    if user.active == active {
        return Ok(());
    }
    if !active {
        leave_staff(&staff, id, "active")?;
        sessions::end_others(&tx, id, None).await?;
    }
    let (change, now) = (UserChange { active: Some(active), ..UserChange::default() }, ctx.clock.now());
    users::change(&tx, id, change, now).await?;
    if !active {
        password_messages::withdraw(&tx, id, now).await?;
    }
    let action = if active { "user.activated" } else { "user.deactivated" };
    let (old, new) = (json!({ "active": user.active }), json!({ "active": active }));
    ctx.commit_recorded(tx, actor, record(action, id, Some(old), Some(new))).await
}

/// Gives a user a new temporary password, which is sent by direct message if they are in Slack, unless it is to be
/// shown here. Ends their sessions, except `kept`, the session of the request.
///
/// # Errors
/// `Forbidden` unless the actor is staff; `NotFound`.
pub async fn reset_password(
    ctx: &Ctx,
    actor: &Actor,
    id: UserId,
    show_here: bool,
    kept: &str,
) -> Result<PasswordHandover, OpError> {
    allow(actor, Role::Staff)?;
    let temporary = secret::temporary_password();
    let hash = password::hash(temporary.clone()).await?;
    let issued = Issued { by: actor, password: &temporary, hash: &hash, is_new: false };
    let sent_to = retry_on_deadlock(async || {
        let (tx, now) = (ctx.store.begin().await?, ctx.clock.now());
        users::find(&tx, id).await?.ok_or(OpError::NotFound)?;
        users::set_password(&tx, id, hash.clone(), true, now).await?;
        let sent_to = temporary_password::send(ctx, &tx, id, &issued, show_here, now).await?;
        sessions::end_others(&tx, id, Some(kept)).await?;
        ctx.commit_recorded(tx, actor, record("user.password_reset", id, None, None)).await?;
        Ok(sent_to)
    })
    .await?;
    Ok(handed_over(ctx, temporary, sent_to))
}

/// Rejects a change that would leave no staff user (spec/product.md "Who may do what").
fn leave_staff(staff: &[UserId], leaving: UserId, field: &'static str) -> Result<(), OpError> {
    if staff != [leaving] {
        return Ok(());
    }
    Err(OpError::refused(field, "This is the last active staff user. Create another one first."))
}

fn email_taken() -> OpError {
    OpError::refused("email", "Another user has this e-mail address.")
}

/// The error when two requests make the same user at once.
fn taken(error: OpError) -> OpError {
    if error.is_unique_violation() {
        let message = "Somebody has just saved the same user. Please check the list of users.".to_owned();
        return OpError::Refused(Refusal { field: None, message });
    }
    error
}

fn record(action: &'static str, id: UserId, old: Option<Value>, new: Option<Value>) -> AuditRecord {
    AuditRecord { action, noun: "user", noun_id: id.0, old, new }
}
