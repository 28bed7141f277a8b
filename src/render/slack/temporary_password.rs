//! The direct message with a temporary password.

use super::mrkdwn::{bold, line};
use super::{Blocks, BlocksError, Message};
use crate::domain::text::PersonName;
use crate::views::account::TemporaryPassword;
use secrecy::ExposeSecret;
use serde::Serialize;

#[derive(Serialize)]
struct Content<'a> {
    heading: &'a str,
    username: String,
    password: &'a str,
    link: Option<&'a str>,
}

impl Blocks {
    /// `link` is the login page.
    pub fn temporary_password(
        &self,
        given: &TemporaryPassword,
        link: Option<&str>,
    ) -> Result<Message, BlocksError> {
        let by = bold(&given.by, PersonName::MAX);
        let heading = match given.is_new {
            true => format!(
                "Welcome! {by} has made you an account at the Equipment Status Board, where we keep track of \
                 which machines work."
            ),
            false => format!(
                "{by} has given you a new temporary password for the Equipment Status Board. The one before is \
                 of no use any more."
            ),
        };
        let content = Content {
            heading: &heading,
            // A backtick would end the code span.
            username: line(&given.username.replace('`', "'"), PersonName::MAX),
            password: given.password.expose_secret(),
            link,
        };
        // Notifications show this text, also on a locked phone, so only the blocks contain the password.
        let text = format!("{heading} Open this message to see the password.");
        Ok(Message::new(text, self.fill("temporary_password", &content)?))
    }
}
