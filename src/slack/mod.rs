//! The Slack edge: what comes in from Slack becomes a call of one operation.
//!
//! A transport (`socket`, `http`) reads an [`envelope`], [`intake`] makes it a task and sees to
//! its acknowledgement, [`dispatch`] hands it to its command, modal or action.

mod actions;
mod buttons;
mod cards;
mod commands;
pub mod dispatch;
pub mod context;
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
pub mod acknowledged_conflicts;
pub mod socket;
mod threads;
mod typed_markup;
