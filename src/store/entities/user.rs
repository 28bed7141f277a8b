//! Table `users`: people with an account.

use sea_orm::entity::prelude::*;

use crate::domain::actor::Role;
use crate::domain::ids::UserId;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "users")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: UserId,
    pub username: String,
    /// Name in lower case; unique.
    pub username_key: String,
    pub email: String,
    /// E-mail in lower case; unique.
    pub email_key: String,
    pub role: Role,
    /// Inactive users cannot log in or act.
    pub active: bool,
    /// As typed; empty when unknown.
    pub slack_handle: String,
    /// Once known.
    pub slack_user_id: Option<String>,
    /// Argon2id, in the PHC string format; scrypt as the Python system wrote it, until the first login.
    pub password_hash: String,
    /// Somebody else set the password.
    pub must_change_password: bool,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
