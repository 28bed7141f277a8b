//! Socket Mode: the connections of an app, the envelopes sent over them, and their acknowledgements.
//!
//! Owns: [`Hub`], which chooses a connection and matches acknowledgements. Must not: build payloads
//! (that is `act`) or touch a socket (that is `link`). Called by: `act`, `wire`, `link`.

mod hub;
pub(crate) mod link;

pub use hub::{Ack, Connection};
pub(crate) use hub::{Hub, Order, unknown_inputs};
