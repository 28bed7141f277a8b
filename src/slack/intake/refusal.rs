//! Why an envelope is refused, the text for the person, and whether Slack should send it again.

use super::Reference;
use crate::slack::envelope::EnvelopeError;

/// Why an envelope is not processed.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refusal {
    #[error("{0}")]
    Malformed(EnvelopeError),
    #[error("too many are in flight")]
    Busy,
    #[error("it came before")]
    Known,
    #[error("it came before and is still being worked on")]
    InProgress,
    #[error("the program is ending")]
    Ending,
}

impl Refusal {
    /// True if the reason is transient: an event is then left unacknowledged, so that Slack sends it again, to the
    /// process that is connected by then.
    pub(super) const fn may_pass(&self) -> bool {
        matches!(self, Self::Busy | Self::InProgress | Self::Ending)
    }

    /// The text for the person; `None` if nothing is wrong.
    pub(super) fn words(&self, reference: &Reference) -> Option<String> {
        match self {
            Self::Malformed(_) => Some(reference.sorry()),
            Self::Busy => Some("ESB is very busy. Please try again in a moment.".to_owned()),
            Self::Ending => Some("ESB is restarting. Please try again in a moment.".to_owned()),
            Self::Known | Self::InProgress => None,
        }
    }

    pub(super) fn log(&self, reference: &Reference) {
        match self {
            Self::Malformed(_) | Self::Busy => {
                tracing::warn!(%reference, "Slack request refused: {self}");
            }
            _ => tracing::info!(%reference, "Slack request refused: {self}"),
        }
    }
}
