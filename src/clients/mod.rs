//! Clients of what is outside: the only code that speaks to it.

mod proxy;
pub mod slack_api;
mod tls;
