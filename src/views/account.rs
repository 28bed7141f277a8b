//! Who is asking.

use crate::domain::actor::{Role, SlackUserId};
use crate::domain::ids::{ApiTokenId, UserId};
use chrono::{DateTime, Utc};
use secrecy::SecretString;
use serde::Deserialize;

/// Somebody who is signed in at the web, as the database knows them at this request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedIn {
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

/// One user, with how a temporary password gets to them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserDetails {
    pub user: UserView,
    /// What the person is called in Slack to whom a new temporary password would go; `None`: it is shown.
    pub known_as: Option<String>,
    /// What became of the message with the present one.
    pub message: Option<PasswordMessage>,
    /// Whom in Slack the account is linked to.
    pub slack: SlackLinks,
}

/// Whom in Slack an account is linked to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SlackLinks {
    /// Who acts in Slack as this user.
    pub linked: Option<SlackLink>,
    /// Those whom staff have unlinked, the latest first: they are not linked again.
    pub unlinked: Vec<SlackLink>,
}

/// A person in Slack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlackLink {
    /// Slack's id.
    pub id: SlackUserId,
    pub name: String,
    /// Their e-mail address in Slack, as far as we know it.
    pub email: Option<String>,
}

/// What became of a message with a temporary password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PasswordMessage {
    /// It is on its way.
    Waiting {
        /// How often it was tried in vain.
        failures: i32,
    },
    /// Slack has it.
    Delivered,
    /// Slack did not say that it took it, and is not asked any more.
    GivenUp,
    /// The user was shut out before Slack said that it took it.
    Withdrawn,
    /// The e-mail was changed or the person unlinked, so that it may have gone to the wrong one: the password opens
    /// nothing.
    Ended,
}

/// A temporary password on its way to whom it is for.
#[derive(Debug, Clone, Deserialize)]
pub struct TemporaryPassword {
    /// Name to log in with.
    pub username: String,
    pub password: SecretString,
    /// Who made it.
    pub by: String,
    /// It is for a new user; else it takes the place of a password.
    pub is_new: bool,
    /// The e-mail by which the person in Slack was found, as `store::users::email_key` has it: the message is for
    /// the owner of that address when it is posted. `None` where the user is tied to the person.
    pub email_key: Option<String>,
}

/// A page of the users.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsersView {
    /// Those on this page, by name.
    pub users: Vec<UserView>,
    /// How many there are in all.
    pub count: u64,
    /// Temporary passwords may go by direct message.
    pub sends_passwords: bool,
}

/// An API token that was not revoked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenView {
    pub id: ApiTokenId,
    /// What staff call it.
    pub name: String,
    /// Who made it.
    pub maker: String,
    /// When it was made.
    pub created_at: DateTime<Utc>,
}
