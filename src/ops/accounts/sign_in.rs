//! Sign-in and sign-out on the web, and authentication of requests by session or API token.

use crate::domain::actor::Role;
use crate::domain::ids::UserId;
use crate::domain::text::Username;
use crate::ops::{Ctx, OpError, accounts::password, secret};
use crate::store::sessions::NewSession;
use crate::store::users::User;
use crate::store::{api_tokens, sessions, users};
use crate::views::account::{SignedIn, TokenBearer};
use chrono::TimeDelta;
use sea_orm::ConnectionTrait;
use secrecy::SecretString;

/// How long a session lasts (spec/web.md "Staff").
pub const SESSION: TimeDelta = TimeDelta::hours(12);

#[derive(Debug)]
pub struct StartedSession {
    /// The token for the browser's cookie.
    pub token: SecretString,
    pub role: Role,
    /// Somebody else set the password; it must be changed first.
    pub must_change_password: bool,
    /// The account, and the password with which the session started.
    pub account: AccountMark,
}

/// An account and its current password, as a browser may store them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountMark {
    pub user: UserId,
    /// Identifies the password without revealing anything about it: 16 hexadecimal digits.
    pub password: String,
}

impl AccountMark {
    fn new(user: UserId, password_hash: &str) -> Self {
        let digest = secret::digest_of(password_hash);
        Self { user, password: digest.get(..16).unwrap_or(&digest).to_owned() }
    }
}

/// The account of that name, active or not. Callers must not reveal whether it exists.
pub async fn account_mark(ctx: &Ctx, username: &str) -> Result<Option<AccountMark>, OpError> {
    let user = named(ctx, username).await?;
    Ok(user.map(|user| AccountMark::new(user.id, &user.password_hash)))
}

/// The user with this typed name. Names of earlier versions may contain invisible characters: a person who types or
/// copies such a name can sign in.
async fn named(ctx: &Ctx, typed: &str) -> Result<Option<User>, OpError> {
    Ok(match Username::parse(typed) {
        Ok(name) => users::typed(ctx.store.read(), typed.trim(), &name).await?,
        Err(_) => None,
    })
}

/// Starts a session if name and password are those of an active user; `None` otherwise, after the same amount of
/// work. `previous` is the browser's session until now: it ends. A hash of the Python system is replaced by one of
/// ours.
pub async fn log_in(
    ctx: &Ctx,
    username: &str,
    given: SecretString,
    previous: Option<&SignedIn>,
) -> Result<Option<StartedSession>, OpError> {
    let user = named(ctx, username).await?;
    let hash = user.as_ref().map(|user| user.password_hash.clone());
    let imported = users::any_hash_like(ctx.store.read(), password::IMPORTED).await?;
    let is_right = password::verify(given.clone(), hash, imported).await?;
    let Some(user) = user.filter(|user| is_right && user.active) else { return Ok(None) };
    let rehashed = match password::is_imported(&user.password_hash) {
        true => Some(password::rehash(given).await?),
        false => None,
    };
    let account = AccountMark::new(user.id, rehashed.as_ref().unwrap_or(&user.password_hash));
    let tx = ctx.store.begin().await?;
    if let Some(rehashed) = rehashed {
        users::replace_hash(&tx, user.id, &user.password_hash, rehashed).await?;
    }
    if let Some(previous) = previous {
        sessions::end(&tx, &previous.session).await?;
    }
    let token = begin(ctx, &tx, user.id).await?;
    tx.commit().await?;
    Ok(Some(StartedSession {
        token,
        role: user.role,
        must_change_password: user.must_change_password,
        account,
    }))
}

/// Ends all sessions of a user who has just changed their password, and starts a new one.
pub(in crate::ops) async fn replace_sessions(
    ctx: &Ctx,
    db: &impl ConnectionTrait,
    user: &User,
    password_hash: &str,
) -> Result<StartedSession, OpError> {
    sessions::end_others(db, user.id, None).await?;
    let (token, account) = (begin(ctx, db, user.id).await?, AccountMark::new(user.id, password_hash));
    Ok(StartedSession { token, role: user.role, must_change_password: false, account })
}

/// Starts a session of a user; returns its token.
async fn begin(ctx: &Ctx, db: &impl ConnectionTrait, user: UserId) -> Result<SecretString, OpError> {
    let now = ctx.clock.now();
    let (token, token_hash) = secret::random();
    sessions::add(db, NewSession { token_hash, user, expires_at: now + SESSION }, now).await?;
    Ok(token)
}

pub async fn log_out(ctx: &Ctx, who: &SignedIn) -> Result<(), OpError> {
    Ok(sessions::end(ctx.store.write(), &who.session).await?)
}

/// The user of this session token, as the database has them now; `None` when the token is invalid, the session has
/// ended, or the user is not active.
pub async fn by_session(ctx: &Ctx, token: &SecretString) -> Result<Option<SignedIn>, OpError> {
    let Some(session) = secret::digest(token) else { return Ok(None) };
    let user = sessions::user(ctx.store.read(), &session, ctx.clock.now()).await?;
    Ok(user.map(|user| SignedIn {
        id: user.id,
        username: user.username,
        role: user.role,
        must_change_password: user.must_change_password,
        session,
    }))
}

/// The program of this API token; `None` when the token is invalid or revoked, or its maker is no longer active
/// staff.
pub async fn by_token(ctx: &Ctx, token: &SecretString) -> Result<Option<TokenBearer>, OpError> {
    let Some(digest) = secret::digest(token) else { return Ok(None) };
    let known = api_tokens::valid(ctx.store.read(), &digest).await?;
    let (token, maker) = match known {
        Some((token, maker)) if maker.active && maker.role == Role::Staff => (token, maker),
        _ => return Ok(None),
    };
    Ok(Some(TokenBearer { name: token.name, maker: maker.id }))
}
