//! What comes in from Slack, as our own small types: only what somebody reads, so that nothing new
//! or missing elsewhere can break us. Everything is hostile until it is parsed here; unknown fields
//! are skipped, unknown kinds are an error value. No transport, no IO; read by `intake`, `socket` and
//! `dispatch`.

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
    /// Somebody submitted a modal.
    ViewSubmission(ViewSubmission),
    /// Somebody closed a modal.
    ViewClosed(ViewClosed),
    /// Somebody pressed or chose something in a message or a view.
    BlockActions(Box<BlockActions>),
    /// An external select asks for its options.
    BlockSuggestion(BlockSuggestion),
    Shortcut(Shortcut),
    /// A shortcut in the menu of a message.
    MessageShortcut(MessageShortcut),
    /// Something happened in the workspace.
    Event(Event),
}

/// Why an envelope cannot be acted upon. Shows nothing that came from outside but a short kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeError {
    /// JSON that breaks off, nests too deeply or is none.
    #[error("unreadable JSON")]
    Unreadable,
    /// A kind that we do not know.
    #[error("unknown kind {0:?}")]
    Unknown(String),
    /// A known kind without a field that it must have, or with one of another type.
    #[error("malformed {kind}: {flaw}")]
    Malformed {
        /// The envelope's kind.
        kind: &'static str,
        /// What is wrong, in serde's words where they quote nothing from outside.
        flaw: String,
    },
}

/// What a payload's transport says it is.
#[derive(Debug, Clone)]
pub enum Source {
    /// A slash command: flat fields.
    Command,
    /// An interaction: JSON with a `type`.
    Interaction,
    /// An event, and whether it was sent before.
    Event(Option<Retry>),
}

/// A payload, read as far as possible.
#[derive(Debug)]
pub struct Parsed {
    pub envelope: Result<Envelope, EnvelopeError>,
    /// How to answer where the regular answer fails.
    pub fallback_response: FallbackResponse,
}

impl Envelope {
    /// The kind in Slack's words; the label of metrics.
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

    /// Who did it; an event says so in its body, if at all.
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

    /// True when it is about the app as that workspace has installed it. In a channel that is shared with another
    /// workspace, people of both act: whose account somebody has decides nothing here.
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

    /// The view in which somebody acted.
    const fn view(&self) -> Option<&View> {
        match self {
            Self::ViewSubmission(it) => Some(&it.view),
            Self::ViewClosed(it) => Some(&it.view),
            Self::BlockActions(it) => it.view.as_ref(),
            Self::BlockSuggestion(it) => it.view.as_ref(),
            Self::Command(_) | Self::Shortcut(_) | Self::MessageShortcut(_) | Self::Event(_) => None,
        }
    }

    /// What lets us open a modal: 3 s, once.
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
    /// Reads a payload.
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
        // Only this message of serde's quotes nothing but our own field names.
        let words = error.to_string();
        let flaw = if words.starts_with("missing field") { words } else { "a field of a wrong type".into() };
        EnvelopeError::Malformed { kind, flaw }
    })
}

/// The start of a word from outside, short enough for a log line.
fn clipped(word: &str) -> String {
    word.chars().take(40).collect()
}

#[cfg(test)]
mod tests;
