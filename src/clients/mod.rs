//! Clients of what is outside: the only code that speaks to it.

pub mod slack_api;
mod tls;
