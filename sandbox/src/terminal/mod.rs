//! A Slack in plain text: lines in, what Slack would show out.
//!
//! Owns: showing messages and views as text. Must not: print or read stdin. Called by: demos;
//! [`crate::Message::shown`] and [`crate::View::shown`].

mod text;

pub(crate) use text::{message_text, view_text};
