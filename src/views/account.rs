//! Who is asking.

use crate::domain::actor::Role;
use crate::domain::ids::UserId;

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
