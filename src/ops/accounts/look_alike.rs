//! Rejects names that look like another user's. Called within the transaction that makes a user or changes an
//! e-mail address; the import reports such names but accepts them.

use crate::domain::ids::UserId;
use crate::domain::text::{EmailAddress, Username};
use crate::domain::username::Appearance;
use crate::ops::OpError;
use crate::store::{heartbeats, users};
use chrono::{DateTime, Utc};
use sea_orm::ConnectionTrait;

/// Serializes transactions that make a user: the second waits here, then sees the first one's user. Must be the
/// first statement of its transaction, since some databases fix their snapshot at the first statement.
pub(in crate::ops) async fn one_at_a_time(
    db: &impl ConnectionTrait,
    now: DateTime<Utc>,
) -> Result<(), OpError> {
    Ok(heartbeats::beat(db, "users", now).await?)
}

/// Rejects the name of a new user if it looks like another's.
pub(in crate::ops) async fn refuse_name(db: &impl ConnectionTrait, name: &Username) -> Result<(), OpError> {
    let seen = Appearance::of(name.as_str());
    let other =
        users::labels(db).await?.into_iter().find(|other| Appearance::of(&other.username).is_like(&seen));
    let Some(other) = other else { return Ok(()) };
    let message = format!("This looks like the name of user {}. Please choose another name.", other.username);
    Err(OpError::refused("username", message))
}

/// Rejects an e-mail address that looks like another's, except that of `own`. Two addresses in plain ASCII count as
/// different: people cannot choose theirs.
pub(in crate::ops) async fn refuse_email(
    db: &impl ConnectionTrait,
    email: &EmailAddress,
    own: Option<UserId>,
) -> Result<(), OpError> {
    let seen = Appearance::of(email.as_str());
    let is_plain = email.as_str().is_ascii();
    let others = users::labels(db).await?.into_iter().filter(|other| Some(other.id) != own);
    let mut others = others.filter(|other| !(is_plain && other.email.is_ascii()));
    let Some(other) = others.find(|other| Appearance::of(&other.email).is_like(&seen)) else { return Ok(()) };
    let message = format!(
        "This looks like the e-mail address of user {}. Please type it in Latin letters.",
        other.username
    );
    Err(OpError::refused("email", message))
}
