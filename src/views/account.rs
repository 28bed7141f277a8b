//! Who is asking.

use crate::domain::actor::Role;
use crate::domain::ids::{ApiTokenId, UserId};
use chrono::{DateTime, Utc};

/// Somebody who is signed in at the web, as the database knows them at this request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedIn {
    /// Number of the user.
    pub id: UserId,
    /// Name to log in with; the record keeps it with what they do.
    pub username: String,
    /// What they may do.
    pub role: Role,
    /// The password was made by somebody else and must be changed first.
    pub must_change_password: bool,
    /// Names the session; nobody can sign in with it.
    pub session: String,
}

/// A program that brought a valid API token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenBearer {
    /// What staff call the token.
    pub name: String,
    /// Who made it; what it does is done on their account.
    pub maker: UserId,
}

/// A user, as staff see them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserView {
    /// Number.
    pub id: UserId,
    /// Name to log in with.
    pub username: String,
    /// E-mail.
    pub email: String,
    /// What they may do.
    pub role: Role,
    /// False: can do nothing.
    pub active: bool,
    /// Slack handle; empty when unknown.
    pub slack_handle: String,
    /// Has not yet changed a temporary password.
    pub must_change_password: bool,
}

/// A page of the users.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsersView {
    /// Those on this page, by name.
    pub users: Vec<UserView>,
    /// How many there are in all.
    pub count: u64,
}

/// An API token that was not revoked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenView {
    /// Number.
    pub id: ApiTokenId,
    /// What staff call it.
    pub name: String,
    /// Who made it.
    pub maker: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}
