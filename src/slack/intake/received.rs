//! The dispatcher's input, and how it answers.

use crate::slack::envelope::{Envelope, FallbackResponse, FieldErrors};
use futures_util::future::BoxFuture;
use serde_json::Value;
use std::fmt;
use tokio::sync::oneshot;
use tokio::time::Instant;

/// Acts upon envelopes. Commands and block_actions are acknowledged first and worked upon after;
/// view_submission and block_suggestion are acknowledged with the work's result; events when what follows from them
/// is committed, where anything is.
pub trait Dispatch: Send + Sync + 'static {
    /// The envelope's name in metrics, out of a closed set; `other` for any name that is not ours.
    fn name(&self, envelope: &Envelope) -> &'static str;

    /// Tells the waiting person that the work on an envelope broke off after its acknowledgement; nothing where
    /// nobody waits. Made before the work begins, and run only when that happens.
    fn apology(&self, _: &Envelope, _: &Reference) -> Option<BoxFuture<'static, ()>> {
        None
    }

    /// Does the work, within [`super::Limits::work`]. It may panic: that is logged and answered,
    /// after the acknowledgement by [`Self::apology`].
    fn dispatch(&self, received: Received) -> BoxFuture<'static, ()>;
}

/// An envelope to act upon.
#[derive(Debug)]
pub struct Received {
    pub envelope: Envelope,
    /// Answers it, once.
    pub ack: Ack,
    /// Names it in the log and to the person, should something go wrong.
    pub reference: Reference,
    /// When it was received.
    pub at: Instant,
}

/// What the dispatcher decides about an envelope.
#[derive(Debug)]
pub(super) enum Answer {
    /// It is acknowledged.
    Acknowledge(Option<Value>),
    /// It is an event that Slack shall send again.
    Withhold,
}

/// Answers one envelope. Neither waits nor fails: an answer after the time limit is not sent, since the
/// last resort went out then; an `Ack` that is dropped unused is answered by the last resort. An event has no last
/// resort: it is left unacknowledged then, so that Slack sends it again.
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

    /// Answers without content: received; for a submission also: close the modal. For an event: nothing more
    /// follows from it, also where this comes after the time limit.
    pub fn empty(self) {
        let _ = self.answer.send(Answer::Acknowledge(None));
    }

    /// Leaves an event unacknowledged, so that Slack sends it again. For events only.
    pub fn withhold(self) {
        let _ = self.answer.send(Answer::Withhold);
    }

    /// Answers without content, and lets that out before anything else is done: what comes next may keep
    /// this thread busy for longer than a person should wait to hear that they were heard.
    pub async fn at_once(self) {
        self.empty();
        tokio::task::yield_now().await;
    }

    /// Answers with content: a message, a `response_action` or options. What is wrong with a submission goes by
    /// [`Self::faults`].
    pub fn with(self, payload: Value) {
        debug_assert!(payload.get("response_action").is_none_or(|action| action != "errors"), "{payload}");
        let _ = self.answer.send(Answer::Acknowledge(Some(payload)));
    }

    /// Answers a submission with its errors, at inputs that the view has.
    pub fn faults(self, faults: FieldErrors) {
        let _ = self.answer.send(Answer::Acknowledge(self.fallback_response.with_field_errors(faults)));
    }

    /// Answers with words that say what went wrong, in the form that this kind of envelope has for
    /// them (see [`FallbackResponse`]).
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

    /// What a person reads when something went wrong on our side.
    pub fn sorry(&self) -> String {
        format!("Something went wrong (ref {self}). Please try again.")
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
