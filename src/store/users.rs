//! People with an account.

use super::entities::user;
use crate::domain::actor::{Role, SlackUserId};
use crate::domain::ids::UserId;
use crate::domain::text::{EmailAddress, SlackHandle, Username, caseless};
use chrono::{DateTime, Utc};
use sea_orm::{ActiveModelTrait, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, Set};

pub use super::entities::user::Model as User;

/// A user to add.
#[derive(Debug, Clone)]
pub struct NewUser<'a> {
    /// Name to log in with.
    pub username: &'a Username,
    /// E-mail.
    pub email: &'a EmailAddress,
    /// What they may do.
    pub role: Role,
    /// Slack handle, where known.
    pub slack_handle: Option<&'a SlackHandle>,
    /// In the PHC string format.
    pub password_hash: String,
}

/// Adds an active user.
///
/// # Errors
/// The database's; a unique violation when name or e-mail are taken.
pub async fn add(db: &impl ConnectionTrait, new: NewUser<'_>, now: DateTime<Utc>) -> Result<UserId, DbErr> {
    let row = user::ActiveModel {
        username: Set(new.username.as_str().to_owned()),
        username_key: Set(caseless(new.username.as_str())),
        email: Set(new.email.as_str().to_owned()),
        email_key: Set(email_key(new.email.as_str())),
        role: Set(new.role),
        active: Set(true),
        slack_handle: Set(new.slack_handle.map(ToString::to_string).unwrap_or_default()),
        slack_user_id: Set(None),
        password_hash: Set(new.password_hash),
        must_change_password: Set(false),
        created_at: Set(now),
        updated_at: Set(now),
        ..Default::default()
    };
    Ok(row.insert(db).await?.id)
}

/// The form in which e-mail addresses are compared.
pub fn email_key(email: &str) -> String {
    email.to_lowercase().chars().take(crate::domain::text::KEY_MAX).collect()
}

/// The user of that name, case ignored.
///
/// # Errors
/// The database's.
pub async fn named(db: &impl ConnectionTrait, username: &Username) -> Result<Option<User>, DbErr> {
    user::Entity::find().filter(user::Column::UsernameKey.eq(caseless(username.as_str()))).one(db).await
}

/// The user of that number.
///
/// # Errors
/// The database's.
pub async fn find(db: &impl ConnectionTrait, id: UserId) -> Result<Option<User>, DbErr> {
    user::Entity::find_by_id(id).one(db).await
}

/// The user of that e-mail, case ignored.
///
/// # Errors
/// The database's.
pub async fn with_email(db: &impl ConnectionTrait, email: &str) -> Result<Option<User>, DbErr> {
    user::Entity::find().filter(user::Column::EmailKey.eq(email_key(email))).one(db).await
}

/// The active user who is that person in Slack: by the stored id, else by the e-mail that Slack tells.
///
/// # Errors
/// The database's.
pub async fn active_in_slack(
    db: &impl ConnectionTrait,
    id: &SlackUserId,
    email: Option<&str>,
) -> Result<Option<User>, DbErr> {
    let linked = user::Entity::find().filter(user::Column::SlackUserId.eq(id.0.as_str())).one(db).await?;
    let user = match (linked, email) {
        (Some(user), _) => Some(user),
        (None, Some(email)) => with_email(db, email).await?.filter(|user| user.slack_user_id.is_none()),
        (None, None) => None,
    };
    Ok(user.filter(|user| user.active))
}
