//! Why an envelope is answered without being acted upon, and what the person reads then.

use super::Reference;
use crate::slack::envelope::EnvelopeError;

/// Why an envelope is not acted upon.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refusal {
    #[error("{0}")]
    Malformed(EnvelopeError),
    #[error("too many are in flight")]
    Busy,
    #[error("it came before")]
    Known,
    #[error("the program is ending")]
    Ending,
    /// An event at the end: unanswered, Slack sends it again, to whoever is connected then.
    #[error("the program is ending, it will come again")]
    EndingEvent,
}

impl Refusal {
    /// What to tell the person; `None` where nothing is wrong.
    pub(super) fn words(&self, reference: &Reference) -> Option<String> {
        match self {
            Self::Malformed(_) => Some(reference.sorry()),
            Self::Busy => Some("I am very busy right now. Please try again in a moment.".to_owned()),
            Self::Ending => Some("I am just restarting. Please try again in a moment.".to_owned()),
            Self::Known | Self::EndingEvent => None,
        }
    }

    /// One line.
    pub(super) fn log(&self, reference: &Reference) {
        match self {
            Self::Malformed(_) | Self::Busy => {
                tracing::warn!(%reference, "A Slack request is not acted upon: {self}");
            }
            _ => tracing::info!(%reference, "A Slack request is not acted upon: {self}"),
        }
    }
}
