//! Users: log-in, passwords, roles, links to Slack, API tokens.

pub mod api_tokens;
pub mod change_password;
pub(in crate::ops) mod look_alike;
pub mod manage_users;
pub mod password;
pub mod setup;
pub mod sign_in;
pub mod slack_link;
pub mod staff_contacts;
pub mod temporary_password;
