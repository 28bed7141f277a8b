//! The Slack edge: each request from Slack becomes a call of one operation.
//!
//! A transport (`socket`, `http`) reads an [`envelope`], [`intake`] starts a task and acknowledges it in time, and
//! [`dispatch`] calls its command, modal or action.

pub mod acknowledged_conflicts;
mod actions;
mod buttons;
mod cards;
mod commands;
pub mod context;
pub mod dispatch;
pub mod envelope;
mod events;
mod home;
pub mod http;
pub mod ids;
pub mod intake;
mod mentions;
mod modals;
mod reactions;
mod sent_files;
mod shortcuts;
pub mod socket;
mod threads;
mod typed_markup;
