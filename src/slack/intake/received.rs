//! The dispatcher's input, and its responses.

use crate::slack::envelope::{Envelope, FallbackResponse, FieldErrors};
use futures_util::future::BoxFuture;
use serde_json::Value;
use std::fmt;
use tokio::sync::oneshot;
use tokio::time::Instant;

/// Processes envelopes. Commands and block_actions are acknowledged before the work; view_submission and
/// block_suggestion with its result; events once their effects, if any, are committed.
pub trait Dispatch: Send + Sync + 'static {
    /// The envelope's name in metrics, out of a closed set; `other` for any name that is not ours.
    fn name(&self, envelope: &Envelope) -> &'static str;

    /// Reports to the waiting person that the work on an envelope stopped after its acknowledgement; `None` if
    /// nobody waits. Created before the work begins, and run only in that case.
    fn apology(&self, _: &Envelope, _: &Reference) -> Option<BoxFuture<'static, ()>> {
        None
    }

    /// Does the work, within [`super::Limits::work`]. It may panic: that is logged and answered, after the
    /// acknowledgement by [`Self::apology`].
    fn dispatch(&self, received: Received) -> BoxFuture<'static, ()>;
}

/// An envelope to process.
#[derive(Debug)]
pub struct Received {
    pub envelope: Envelope,
    pub ack: Ack,
    /// Identifies it in the log and to the person if something fails.
    pub reference: Reference,
    pub at: Instant,
}

/// The dispatcher's decision about an envelope.
#[derive(Debug)]
pub(super) enum Answer {
    Acknowledge(Option<Value>),
    /// An event that Slack should send again.
    Withhold,
}

/// Responds to one envelope. Never waits or fails: a response after the time limit is dropped, since the fallback
/// response was sent. An `Ack` that is dropped unused also leads to the fallback response. An event has none: it is
/// left unacknowledged, so that Slack sends it again.
#[derive(Debug)]
#[must_use = "an envelope without an answer shows the person an error"]
pub struct Ack {
    answer: oneshot::Sender<Answer>,
    fallback_response: FallbackResponse,
}

impl Ack {
    pub(super) const fn new(answer: oneshot::Sender<Answer>, fallback_response: FallbackResponse) -> Self {
        Self { answer, fallback_response }
    }

    /// Responds without content: received; for a submission also: close the modal. For an event: it is processed,
    /// even if this call is after the time limit.
    pub fn empty(self) {
        let _ = self.answer.send(Answer::Acknowledge(None));
    }

    /// Leaves an event unacknowledged, so that Slack sends it again. For events only.
    pub fn withhold(self) {
        let _ = self.answer.send(Answer::Withhold);
    }

    /// Responds without content, and yields so that the response is sent first: the following work may block this
    /// thread for longer than a person should wait.
    pub async fn at_once(self) {
        self.empty();
        tokio::task::yield_now().await;
    }

    /// Responds with content: a message, a `response_action` or options. Errors of a submission use
    /// [`Self::faults`].
    pub fn with(self, payload: Value) {
        debug_assert!(payload.get("response_action").is_none_or(|action| action != "errors"), "{payload}");
        let _ = self.answer.send(Answer::Acknowledge(Some(payload)));
    }

    /// Responds to a submission with its errors, at inputs that the view has.
    pub fn faults(self, faults: FieldErrors) {
        let _ = self.answer.send(Answer::Acknowledge(self.fallback_response.with_field_errors(faults)));
    }

    /// Responds with a text for the person about a failure, in the format of this kind of envelope (see
    /// [`FallbackResponse`]).
    pub fn sorry(self, words: &str) {
        let _ = self.answer.send(Answer::Acknowledge(self.fallback_response.say(words)));
    }
}

/// A short random reference, shown in the log and to the person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference(String);

impl Reference {
    pub(super) fn new() -> Self {
        Self(format!("{:08x}", rand::random::<u32>()))
    }

    /// The text for the person after an internal error.
    pub fn sorry(&self) -> String {
        format!("Something went wrong (ref {self}). Please try again.")
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
