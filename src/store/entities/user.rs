//! Table `users`: people with an account.

use sea_orm::entity::prelude::*;

use crate::domain::actor::Role;
use crate::domain::ids::UserId;

/// One row.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "users")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: UserId,
    /// Name to log in with.
    pub username: String,
    /// Name in lower case; unique.
    pub username_key: String,
    /// E-mail.
    pub email: String,
    /// E-mail in lower case; unique.
    pub email_key: String,
    /// What they may do.
    pub role: Role,
    /// False: can do nothing.
    pub active: bool,
    /// Slack handle as typed; empty when unknown.
    pub slack_handle: String,
    /// Slack id, once known.
    pub slack_user_id: Option<String>,
    /// Argon2id, in the PHC string format; scrypt as the Python system wrote it, until the first login.
    pub password_hash: String,
    /// The password was made by somebody else.
    pub must_change_password: bool,
    /// When it was made.
    pub created_at: DateTimeUtc,
    /// When it was last changed.
    pub updated_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
