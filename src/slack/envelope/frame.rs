//! The frames of Socket Mode: what wraps an envelope on the wire.

use super::payload::Retry;
use super::{EnvelopeError, Parsed, Source, clipped};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

/// The longest envelope id that is echoed; Slack's have 36 characters.
const LONGEST_ID: usize = 255;

#[derive(Debug)]
pub enum Frame {
    /// The connection is ready.
    Hello(Hello),
    /// Slack requests that this connection be replaced.
    Disconnect(DisconnectReason),
    /// An envelope to process and acknowledge.
    Delivery(Box<Delivery>),
}

/// Slack's first frame.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Hello {
    /// Number of connections of this app.
    pub connections: Option<u64>,
    /// Approximate lifetime of this connection, in seconds.
    pub lives_for: Option<u64>,
}

/// Why Slack requests a replacement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DisconnectReason {
    /// It closes in about 10 s.
    Warning,
    /// It is old.
    RefreshRequested,
    /// Socket Mode was turned off in the app's settings.
    LinkDisabled,
    /// The app has more than 10 connections.
    TooManyWebsockets,
    /// An unknown reason.
    Other,
}

/// An envelope with the id that its acknowledgement must carry.
#[derive(Debug)]
pub struct Delivery {
    /// Echoed by the acknowledgement.
    pub envelope_id: String,
    /// The envelope, or why it cannot be parsed.
    pub parsed: Parsed,
}

/// A frame that cannot even be acknowledged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no envelope_id: {0}")]
pub struct FrameError(#[source] EnvelopeError);

/// Found in JSON of any depth: the rest is skipped without recursion and without decoding.
#[derive(Deserialize)]
struct Header {
    envelope_id: Option<String>,
    #[serde(rename = "payload")]
    _payload: Option<IgnoredAny>,
}

impl Frame {
    /// Parses a frame.
    ///
    /// # Errors
    /// It is neither `hello` nor `disconnect` and has no usable `envelope_id`. With one, any other error is part of
    /// the delivery, so that it can be acknowledged.
    pub fn parse(text: &str) -> Result<Self, FrameError> {
        // serde_json rejects JSON that nests deeper than 128 levels.
        let Ok(mut frame) = serde_json::from_str::<Value>(text) else {
            let header = serde_json::from_str::<Header>(text).ok();
            let envelope_id = header.and_then(|header| header.envelope_id);
            return delivery(envelope_id.as_deref(), Parsed::failed(EnvelopeError::Unreadable));
        };
        let payload = frame.get_mut("payload").map(Value::take).unwrap_or_default();
        let source = match text_of(&frame, "type") {
            "hello" => return Ok(Self::Hello(hello(&frame))),
            "disconnect" => return Ok(Self::Disconnect(DisconnectReason::of(text_of(&frame, "reason")))),
            "slash_commands" => Ok(Source::Command),
            "interactive" => Ok(Source::Interaction),
            "events_api" => Ok(Source::Event(retry(&frame))),
            other => Err(EnvelopeError::Unknown(clipped(other))),
        };
        let parsed = match source {
            Ok(source) => Parsed::new(source, payload),
            Err(error) => Parsed::failed(error),
        };
        delivery(frame.get("envelope_id").and_then(Value::as_str), parsed)
    }
}

fn delivery(envelope_id: Option<&str>, parsed: Parsed) -> Result<Frame, FrameError> {
    match envelope_id.filter(|id| !id.is_empty() && id.len() <= LONGEST_ID) {
        Some(id) => Ok(Frame::Delivery(Box::new(Delivery { envelope_id: id.to_owned(), parsed }))),
        None => Err(FrameError(parsed.envelope.err().unwrap_or(EnvelopeError::Malformed {
            kind: "frame",
            flaw: "missing field `envelope_id`".to_owned(),
        }))),
    }
}

fn text_of<'a>(frame: &'a Value, field: &str) -> &'a str {
    frame.get(field).and_then(Value::as_str).unwrap_or_default()
}

fn hello(frame: &Value) -> Hello {
    let number = |pointer: &str| frame.pointer(pointer).and_then(Value::as_u64);
    Hello {
        connections: number("/num_connections"),
        lives_for: number("/debug_info/approximate_connection_time"),
    }
}

/// Slack sends `retry_attempt: 0` with the first delivery.
fn retry(frame: &Value) -> Option<Retry> {
    let attempt = frame.get("retry_attempt").and_then(Value::as_u64).filter(|attempt| *attempt > 0)?;
    Some(Retry { attempt, reason: clipped(text_of(frame, "retry_reason")) })
}

impl DisconnectReason {
    fn of(word: &str) -> Self {
        match word {
            "warning" => Self::Warning,
            "refresh_requested" => Self::RefreshRequested,
            "link_disabled" => Self::LinkDisabled,
            "too_many_websockets" => Self::TooManyWebsockets,
            _ => Self::Other,
        }
    }

    /// Slack's word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Warning => "warning",
            Self::RefreshRequested => "refresh_requested",
            Self::LinkDisabled => "link_disabled",
            Self::TooManyWebsockets => "too_many_websockets",
            Self::Other => "other",
        }
    }
}
