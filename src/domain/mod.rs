//! The nouns and rules of the product: pure, no IO, no async, no clock.
//!
//! Everything here can be tested with a table of inputs and outputs. Whoever needs the time or a
//! row of the database is handed it.

pub mod board;
pub mod channel;
pub mod ids;
pub mod repair;
