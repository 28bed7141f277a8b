//! The pages where staff manage users and API tokens, and the page that shows a secret once.

use super::controls::{ErrorLine, Pager};
use super::fields::{Field, FieldShown, Hidden, field_errors, fields_shown};
use super::times::Moment;
use super::{FieldError, Html, counted};
use crate::domain::actor::Role;
use crate::domain::ids::{ApiTokenId, UserId};
use crate::views::account::{PasswordMessage, SlackLink, TokenView, UserDetails, UserView, UsersView};
use handlebars::RenderError;
use serde::Serialize;

/// The form of a user, as typed.
#[derive(Debug, Clone, Default)]
pub struct UserForm {
    /// Only for a new user.
    pub username: String,
    pub email: String,
    pub role: String,
    pub slack_handle: String,
    /// Show the temporary password, even if it could be sent.
    pub show_here: bool,
}

#[derive(Debug)]
pub struct UsersPage<'a> {
    pub users: &'a UsersView,
    pub page: u64,
    pub pages: u64,
    /// The form for a new user.
    pub form: &'a UserForm,
    pub errors: &'a [FieldError],
    pub hidden: Hidden<'a>,
}

#[derive(Debug)]
pub struct UserPage<'a> {
    pub details: &'a UserDetails,
    pub form: &'a UserForm,
    /// Errors of any form on the page.
    pub errors: &'a [FieldError],
    pub hidden: Hidden<'a>,
}

#[derive(Debug)]
pub struct TokensPage<'a> {
    /// Newest first.
    pub tokens: &'a [TokenView],
    /// The name of a new token, as typed.
    pub name: &'a str,
    pub errors: &'a [FieldError],
    pub hidden: Hidden<'a>,
}

/// A page that shows a secret once.
#[derive(Debug, Serialize)]
pub struct SecretPage<'a> {
    pub heading: &'a str,
    /// The secret; `None` if it was shown before.
    pub secret: Option<&'a str>,
    pub advice: &'a str,
    pub back: &'a str,
}

#[derive(Serialize)]
struct Users<'a> {
    users: Vec<Row<'a>>,
    sends_passwords: bool,
    count: String,
    pager: Option<Pager>,
    fields: Vec<FieldShown<'a>>,
    errors: Vec<ErrorLine<'a>>,
    #[serde(flatten)]
    hidden: Hidden<'a>,
}

#[derive(Serialize)]
struct Row<'a> {
    id: UserId,
    username: &'a str,
    email: &'a str,
    role: &'static str,
    slack_handle: &'a str,
    active: bool,
    temporary: bool,
}

#[derive(Serialize)]
struct One<'a> {
    user: Row<'a>,
    /// The Slack person who gets a new temporary password.
    known_as: Option<&'a str>,
    /// The state of the message with the current password.
    message: Option<&'static str>,
    linked: Option<Person<'a>>,
    /// People whom staff have unlinked.
    unlinked: Vec<Person<'a>>,
    fields: Vec<FieldShown<'a>>,
    errors: Vec<ErrorLine<'a>>,
    #[serde(flatten)]
    hidden: Hidden<'a>,
}

/// A Slack person.
#[derive(Serialize)]
struct Person<'a> {
    id: &'a str,
    name: &'a str,
    email: Option<&'a str>,
}

#[derive(Serialize)]
struct Tokens<'a> {
    tokens: Vec<Token<'a>>,
    fields: Vec<FieldShown<'a>>,
    errors: Vec<ErrorLine<'a>>,
    #[serde(flatten)]
    hidden: Hidden<'a>,
}

#[derive(Serialize)]
struct Token<'a> {
    id: ApiTokenId,
    name: &'a str,
    maker: &'a str,
    made: Moment,
}

impl Html {
    pub fn users(&self, page: &UsersPage<'_>) -> Result<String, RenderError> {
        let username = Field::line("username", "Username", &page.form.username).verbatim();
        let mut fields = vec![username.hint("The name to log in with. It cannot be changed later.")];
        fields.extend(fields_of(page.form));
        if page.users.sends_passwords {
            let label = "Show the temporary password to me instead of sending it";
            fields.push(Field::tick("show_here", label, page.form.show_here));
        }
        let content = Users {
            users: page.users.users.iter().map(row).collect(),
            sends_passwords: page.users.sends_passwords,
            count: counted(usize::try_from(page.users.count).unwrap_or(usize::MAX), "person", "people"),
            pager: Pager::new(page.page, page.pages, |page| format!("/admin/users?page={page}")),
            fields: fields_shown(&fields, page.errors),
            errors: field_errors(page.errors, &fields),
            hidden: page.hidden,
        };
        self.page("users", "Users", &content)
    }

    pub fn user(&self, page: &UserPage<'_>) -> Result<String, RenderError> {
        let user = &page.details.user;
        let fields = fields_of(page.form);
        let slack = &page.details.slack;
        let content = One {
            user: row(user),
            known_as: page.details.known_as.as_deref(),
            message: page.details.message.map(describe_message),
            linked: slack.linked.as_ref().map(person),
            unlinked: slack.unlinked.iter().map(person).collect(),
            fields: fields_shown(&fields, page.errors),
            errors: field_errors(page.errors, &fields),
            hidden: page.hidden,
        };
        self.page("user", &user.username, &content)
    }

    pub fn tokens(&self, page: &TokensPage<'_>) -> Result<String, RenderError> {
        let fields = [Field::line("name", "Name", page.name).hint("The program that will use it.")];
        let tokens = page.tokens.iter().map(|token| Token {
            id: token.id,
            name: &token.name,
            maker: &token.maker,
            made: Moment::new(token.created_at, &self.site.timezone),
        });
        let content = Tokens {
            tokens: tokens.collect(),
            fields: fields_shown(&fields, page.errors),
            errors: field_errors(page.errors, &fields),
            hidden: page.hidden,
        };
        self.page("tokens", "API tokens", &content)
    }

    pub fn secret(&self, page: &SecretPage<'_>) -> Result<String, RenderError> {
        self.page("secret", page.heading, page)
    }
}

/// The state of a message with a temporary password, and what to do.
const fn describe_message(message: PasswordMessage) -> &'static str {
    match message {
        PasswordMessage::Waiting { failures: 0 } => {
            "The temporary password is on its way, by direct message in Slack."
        }
        PasswordMessage::Waiting { .. } => {
            "Slack has not confirmed the message with the temporary password yet. It is sent again by itself. If that \
             takes too long, give a new one and show it here."
        }
        PasswordMessage::Delivered => "The temporary password was delivered, by direct message in Slack.",
        PasswordMessage::GivenUp => {
            "Slack has not confirmed the message with the temporary password, and it is not sent any more. It may \
             have arrived all the same: give a new one and show it here."
        }
        PasswordMessage::Withdrawn => {
            "The message with the temporary password was withdrawn when the user was deactivated. It may have \
             arrived all the same: give a new one."
        }
        PasswordMessage::Ended => {
            "The temporary password is no longer valid: it was meant for the owner of the email address that the \
             user had before, or was linked to the account. Give a new temporary password."
        }
    }
}

fn fields_of(form: &UserForm) -> [Field; 3] {
    [
        Field::email(&form.email)
            .hint("The address of the Slack account, so that the person can work in Slack too."),
        Field::choice("role", "Role", Role::ALL.map(Role::word), &form.role),
        Field::line("slack_handle", "Slack handle", &form.slack_handle).optional().verbatim(),
    ]
}

fn person(link: &SlackLink) -> Person<'_> {
    Person { id: &link.id.0, name: &link.name, email: link.email.as_deref() }
}

fn row(user: &UserView) -> Row<'_> {
    Row {
        id: user.id,
        username: &user.username,
        email: &user.email,
        role: user.role.word(),
        slack_handle: &user.slack_handle,
        active: user.active,
        temporary: user.must_change_password,
    }
}
