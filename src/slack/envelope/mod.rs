//! Parses Slack's requests into small types with only the fields that are used, so that unused fields cannot break
//! us. All input is hostile until it is parsed here; unknown fields are skipped, unknown kinds are an error value.
//! No transport, no IO; used by `intake`, `socket` and `dispatch`.

mod fallback_response;
mod frame;
mod input;
mod payload;

pub use fallback_response::{FallbackResponse, FieldErrors};
pub use frame::{Delivery, DisconnectReason, Frame, FrameError, Hello};
pub use input::{Input, SentFile, State};
pub use payload::{
    Action, Authorization, BlockActions, BlockSuggestion, ChannelId, Command, Container, Event, Message,
    MessageShortcut, ResponseUrl, Retry, Sender, Shortcut, View, ViewClosed, ViewSubmission,
};

use secrecy::SecretString;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// One request from Slack, from either transport.
#[derive(Debug)]
pub enum Envelope {
    Command(Command),
    ViewSubmission(ViewSubmission),
    ViewClosed(ViewClosed),
    /// A button was pressed or an option chosen, in a message or a view.
    BlockActions(Box<BlockActions>),
    /// An external select requests its options.
    BlockSuggestion(BlockSuggestion),
    Shortcut(Shortcut),
    /// A shortcut in the menu of a message.
    MessageShortcut(MessageShortcut),
    Event(Event),
}

/// Why an envelope cannot be processed. Contains no input except a short kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeError {
    /// Not JSON, incomplete, or nested too deeply.
    #[error("unreadable JSON")]
    Unreadable,
    #[error("unknown kind {0:?}")]
    Unknown(String),
    /// A known kind with a missing required field, or with one of another type.
    #[error("malformed {kind}: {flaw}")]
    Malformed {
        kind: &'static str,
        /// Serde's message, if it quotes no input.
        flaw: String,
    },
}

/// The kind of payload according to its transport.
#[derive(Debug, Clone)]
pub enum Source {
    /// A slash command: flat fields.
    Command,
    /// An interaction: JSON with a `type`.
    Interaction,
    /// An event, and whether it is a retry.
    Event(Option<Retry>),
}

/// A payload, parsed as far as possible.
#[derive(Debug)]
pub struct Parsed {
    pub envelope: Result<Envelope, EnvelopeError>,
    /// How to answer when the regular response fails.
    pub fallback_response: FallbackResponse,
}

impl Envelope {
    /// Slack's name for the kind; the label of metrics.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Command(_) => "command",
            Self::ViewSubmission(_) => "view_submission",
            Self::ViewClosed(_) => "view_closed",
            Self::BlockActions(_) => "block_actions",
            Self::BlockSuggestion(_) => "block_suggestion",
            Self::Shortcut(_) => "shortcut",
            Self::MessageShortcut(_) => "message_action",
            Self::Event(_) => "event",
        }
    }

    /// The person who acted; an event has it in its body, if at all.
    pub const fn sender(&self) -> Option<&Sender> {
        match self {
            Self::Command(it) => Some(&it.sender),
            Self::ViewSubmission(it) => Some(&it.sender),
            Self::ViewClosed(it) => Some(&it.sender),
            Self::BlockActions(it) => Some(&it.sender),
            Self::BlockSuggestion(it) => Some(&it.sender),
            Self::Shortcut(it) => Some(&it.sender),
            Self::MessageShortcut(it) => Some(&it.sender),
            Self::Event(_) => None,
        }
    }

    /// True when the payload is for the app's installation in that workspace. In a channel that is shared with
    /// another workspace, people of both act: the account that a person has is irrelevant here.
    pub fn is_for_team(&self, team_id: &str) -> bool {
        let outer = match self {
            Self::Event(event) => &event.team_id,
            other => other.sender().map_or("", |sender| &sender.team_id),
        };
        let authorizations = match self {
            Self::Event(event) => event.authorizations.as_deref().unwrap_or_default(),
            _ => &[],
        };
        outer == team_id
            || authorizations.iter().any(|it| it.team_id.as_deref() == Some(team_id))
            || self.view().and_then(|view| view.app_installed_team_id.as_deref()) == Some(team_id)
    }

    /// The view in which the person acted.
    const fn view(&self) -> Option<&View> {
        match self {
            Self::ViewSubmission(it) => Some(&it.view),
            Self::ViewClosed(it) => Some(&it.view),
            Self::BlockActions(it) => it.view.as_ref(),
            Self::BlockSuggestion(it) => it.view.as_ref(),
            Self::Command(_) | Self::Shortcut(_) | Self::MessageShortcut(_) | Self::Event(_) => None,
        }
    }

    /// Permits to open one modal within 3 s.
    pub const fn trigger_id(&self) -> Option<&SecretString> {
        match self {
            Self::Command(it) => Some(&it.trigger_id),
            Self::ViewSubmission(it) => it.trigger_id.as_ref(),
            Self::BlockActions(it) => it.trigger_id.as_ref(),
            Self::Shortcut(it) => Some(&it.trigger_id),
            Self::MessageShortcut(it) => Some(&it.trigger_id),
            Self::ViewClosed(_) | Self::BlockSuggestion(_) | Self::Event(_) => None,
        }
    }
}

impl Parsed {
    /// Parses a payload.
    pub fn new(source: Source, payload: Value) -> Self {
        let fallback_response = FallbackResponse::of(&source, &payload);
        let envelope = match source {
            Source::Command => read("command", payload).map(Envelope::Command),
            Source::Interaction => interaction(payload),
            Source::Event(retry) => {
                read("event", payload).map(|event| Envelope::Event(Event { retry, ..event }))
            }
        };
        Self { envelope, fallback_response }
    }

    fn failed(error: EnvelopeError) -> Self {
        Self { envelope: Err(error), fallback_response: FallbackResponse::Nothing }
    }
}

fn interaction(payload: Value) -> Result<Envelope, EnvelopeError> {
    match payload.get("type").and_then(Value::as_str) {
        Some("view_submission") => read("view_submission", payload).map(Envelope::ViewSubmission),
        Some("view_closed") => read("view_closed", payload).map(Envelope::ViewClosed),
        Some("block_actions") => read("block_actions", payload).map(Envelope::BlockActions),
        Some("block_suggestion") => read("block_suggestion", payload).map(Envelope::BlockSuggestion),
        Some("shortcut") => read("shortcut", payload).map(Envelope::Shortcut),
        Some("message_action") => read("message_action", payload).map(Envelope::MessageShortcut),
        other => Err(EnvelopeError::Unknown(clipped(other.unwrap_or_default()))),
    }
}

fn read<T: DeserializeOwned>(kind: &'static str, payload: Value) -> Result<T, EnvelopeError> {
    serde_json::from_value(payload).map_err(|error| {
        // Only this message of serde's quotes nothing except our own field names.
        let words = error.to_string();
        let flaw = if words.starts_with("missing field") { words } else { "a field of a wrong type".into() };
        EnvelopeError::Malformed { kind, flaw }
    })
}

/// The start of an external word, short enough for a log line.
fn clipped(word: &str) -> String {
    word.chars().take(40).collect()
}

#[cfg(test)]
mod tests;
