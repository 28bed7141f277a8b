//! A Slack sandbox on loopback for demos and tests: Web API and Socket Mode with Slack's limits, and a simulated
//! workspace of people and channels. It is independent of the app under test.
//!
//! ```text
//!   tests, demos ──► act, read, wire, terminal ──► state ◄── server, connection_task ◄──► the app
//! ```
//!
//! # Layout
//! - [`Sandbox`] starts and stops; [`World`] and [`Options`] configure it.
//! - `act`: a person types a command, fills a modal, presses a button.
//! - `read`: posted messages, open views, API calls.
//! - `wire`: low-level Socket Mode, for tests of a client.
//! - `api`, `blocks`, `views`, `triggers`, `response_urls`, `rates`: Slack's rules, each in one place.
//! - `server`, `connection_task`: HTTP and WebSockets on 127.0.0.1.

mod act;
mod api;
mod blocks;
mod connection_task;
mod faults;
mod hub;
mod ids;
mod messages;
mod options;
mod rates;
mod read;
mod record;
mod response_urls;
mod sandbox;
mod server;
mod state;
mod terminal;
mod triggers;
mod views;
mod wire;
mod world;

pub use act::{Cannot, Choice, Delivered, EventFate, EventRecord, Outcome, Submitted};
pub use api::{APP_TOKEN, BOT_TOKEN};
pub use faults::Fault;
pub use hub::{Ack, Connection};
pub use messages::{Audience, Message};
pub use options::{Clock, Options};
pub use rates::RateLimits;
pub use record::Call;
pub use sandbox::Sandbox;
pub use terminal::{Settle, Terminal};
pub use views::View;
pub use wire::Wire;
pub use world::{Channel, File, Person, World};
