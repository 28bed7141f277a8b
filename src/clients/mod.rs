//! Clients of outside services. No other code connects to them.

mod proxy;
pub mod slack_api;
mod tls;
