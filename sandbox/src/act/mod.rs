//! Acting as a person: each act builds the payload that Slack would send, sends it, and waits for the
//! app's acknowledgement.
//!
//! Owns: [`Outcome`] and [`Cannot`], and resolving names. Must not: validate blocks or store views. Called by: tests,
//! demos, and `terminal`.

mod choose;
mod command;
mod deliver;
mod event;
mod payload;
mod press;
mod redelivery;
mod say;
mod submit;
mod suggest;
mod target;

pub use event::Delivered;
pub use redelivery::{EventFate, EventRecord};
pub use submit::Submitted;
pub use suggest::Choice;

use crate::{hub::Ack, state::State, world::World};

/// The result of an act.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// The app acknowledged in time.
    Acknowledged(Ack),
    /// The app did not: the person sees an error, even if the app answers later. Slack calls it `operation_timeout` for
    /// a command.
    TimedOut,
    /// The app has no connection: the person sees an error at once.
    NoConnection,
    /// Nothing was sent: the value stays in the view until it is submitted.
    Kept,
}

impl Outcome {
    /// Whether the app acknowledged in time.
    pub fn is_acknowledged(&self) -> bool {
        matches!(self, Self::Acknowledged(_))
    }

    pub fn ack(&self) -> Option<&Ack> {
        match self {
            Self::Acknowledged(ack) => Some(ack),
            _ => None,
        }
    }
}

/// Why a person cannot do what a test or a terminal line requests.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Cannot {
    #[error("nobody is called {0}")]
    NoPerson(String),
    #[error("there is no channel {0}")]
    NoChannel(String),
    /// No modal is open, and there is no Home tab; with the person's name.
    #[error("{0} has no view open")]
    NoView(String),
    /// No element of that name, or none with that value.
    #[error("there is no {wanted} here; there is: {there}")]
    NoElement {
        /// The action id, with its value if one was given.
        wanted: String,
        /// The existing action ids.
        there: String,
    },
    /// A choice that the element does not offer.
    #[error("{action_id} does not offer {wanted}; it offers: {offered}")]
    NoOption {
        /// The element's action id.
        action_id: String,
        /// The requested label or value.
        wanted: String,
        /// The offered choices, truncated.
        offered: String,
    },
    /// An element of another kind.
    #[error("{action_id} is a {kind}: {reason}")]
    WrongKind {
        /// The element's action id.
        action_id: String,
        kind: String,
        reason: &'static str,
    },
    /// No message with that element or timestamp that the person can see.
    #[error("no message has {0}")]
    NoMessage(String),
    #[error("there is no file {0}")]
    NoFile(String),
    /// The modal has no button to submit, or it is disabled.
    #[error("this view has nothing to submit")]
    NothingToSubmit,
    /// The app did not answer a search; Slack shows "no results".
    #[error("the app did not answer the search")]
    NoSuggestions,
}

/// The id of a person given by id or name.
fn person(state: &State, who: &str) -> Result<String, Cannot> {
    state.world.find_person(who).map(|p| p.id.clone()).ok_or_else(|| Cannot::NoPerson(who.into()))
}

/// The id of a channel given by id or name; a person's name means their direct messages.
fn channel(state: &State, which: &str) -> Result<String, Cannot> {
    if let Some(channel) = state.world.find_channel(which) {
        return Ok(channel.id.clone());
    }
    if let Some(person) = state.world.find_person(which).or_else(|| state.world.person_of_dm(which)) {
        return Ok(World::dm_of(&person.id));
    }
    Err(Cannot::NoChannel(which.into()))
}

/// The error if a person has no open view.
fn no_view(state: &State, user: &str) -> Cannot {
    Cannot::NoView(state.world.find_person(user).map_or(user, |p| p.name.as_str()).to_owned())
}
