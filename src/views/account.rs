//! Callers, users and API tokens.

use crate::domain::actor::{Role, SlackUserId};
use crate::domain::ids::{ApiTokenId, UserId};
use chrono::{DateTime, Utc};
use secrecy::SecretString;
use serde::Deserialize;

/// A person signed in to the web, as looked up at this request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedIn {
    pub id: UserId,
    /// Also stored in the audit log.
    pub username: String,
    pub role: Role,
    /// Somebody else made the password; it must be changed first.
    pub must_change_password: bool,
    /// Identifies the session; it is not the session's token.
    pub session: String,
}

/// A program with a valid API token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenBearer {
    pub name: String,
    /// The account for which the program acts.
    pub maker: UserId,
}

/// A user, as shown to staff.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserView {
    pub id: UserId,
    pub username: String,
    pub email: String,
    pub role: Role,
    /// An inactive user has no access.
    pub active: bool,
    /// Empty if unknown.
    pub slack_handle: String,
    /// Has not yet changed a temporary password.
    pub must_change_password: bool,
}

/// One user, with the delivery state of a temporary password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserDetails {
    pub user: UserView,
    /// Slack name of the person who would get a new temporary password; `None`: it is shown on the page.
    pub known_as: Option<String>,
    /// State of the message with the current password.
    pub message: Option<PasswordMessage>,
    pub slack: SlackLinks,
}

/// The Slack people of an account.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SlackLinks {
    /// The person who acts in Slack as this user.
    pub linked: Option<SlackLink>,
    /// People whom staff have unlinked, latest first; they are not linked again.
    pub unlinked: Vec<SlackLink>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlackLink {
    pub id: SlackUserId,
    pub name: String,
    /// The e-mail address in Slack, if known.
    pub email: Option<String>,
}

/// State of a message with a temporary password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PasswordMessage {
    Waiting {
        /// Number of failed attempts.
        failures: i32,
    },
    Delivered,
    /// Slack did not confirm it, and delivery is not retried.
    GivenUp,
    /// The user was deactivated before Slack confirmed it.
    Withdrawn,
    /// The e-mail was changed or the person unlinked, so the message may have gone to the wrong person: the password is
    /// no longer valid.
    Ended,
}

/// A temporary password to be delivered.
#[derive(Debug, Clone, Deserialize)]
pub struct TemporaryPassword {
    pub username: String,
    pub password: SecretString,
    /// The name of the person who made it.
    pub by: String,
    /// True for a new user; false if it replaces a password.
    pub is_new: bool,
    /// The e-mail by which the Slack person was found, in the form of `store::users::email_key`: the message is for the
    /// owner of that address at the time of posting. `None` if the user is linked to the person.
    pub email_key: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsersView {
    /// The users of this page, by name.
    pub users: Vec<UserView>,
    /// Number of users on all pages.
    pub count: u64,
    /// Temporary passwords can be sent by direct message.
    pub sends_passwords: bool,
}

/// An API token that is not revoked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenView {
    pub id: ApiTokenId,
    pub name: String,
    pub maker: String,
    pub created_at: DateTime<Utc>,
}
