//! The nouns and rules of the product: pure, no IO, no async, no clock.
//!
//! Everything here can be tested with a table of inputs and outputs. Callers pass the time and database rows as
//! arguments.

pub mod actor;
pub mod announce;
pub mod area;
pub mod audit;
pub mod board;
pub mod change;
pub mod channel;
pub mod characters;
pub mod database;
pub mod delivery;
pub mod edit;
pub mod equipment;
pub mod field;
pub mod file;
pub mod idempotency;
pub mod ids;
pub mod job;
pub mod network;
pub mod password;
pub mod queue;
pub mod refusal;
pub mod repair;
pub mod search;
pub mod setting;
pub mod text;
pub mod timeline;
pub mod username;
pub mod zone;
