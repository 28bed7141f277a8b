//! Why a submission is rejected, and the acknowledgement with the errors at their fields, which keep the typed
//! text.

use crate::ops::OpError;
use crate::slack::context::{EdgeError, failure};
use crate::slack::intake::{Ack, Reference};

pub(crate) use crate::slack::envelope::FieldErrors;

const NO_LONGER: &str = "You need a Technician or Staff account for this. Please ask staff.";

/// Why a submission is rejected.
#[derive(Debug)]
pub(crate) enum SubmissionError {
    /// Errors by field.
    Fields(FieldErrors),
    /// An error without a field.
    Edge(EdgeError),
}

impl<E: Into<EdgeError>> From<E> for SubmissionError {
    fn from(error: E) -> Self {
        match error.into() {
            EdgeError::Op(OpError::Refused(refusal)) => match refusal.field {
                Some(field) => Self::on(field, refusal.message),
                None => Self::Edge(EdgeError::Op(OpError::Refused(refusal))),
            },
            EdgeError::Op(OpError::Conflict(conflicts)) => {
                Self::Fields(conflicts.iter().map(|it| (it.field.name(), it.message())).collect())
            }
            EdgeError::Op(OpError::Forbidden) | EdgeError::Stranger { .. } => {
                Self::Edge(EdgeError::Unfit(NO_LONGER))
            }
            other => Self::Edge(other),
        }
    }
}

impl SubmissionError {
    /// An error of one field.
    pub(crate) fn on(field: &'static str, words: impl Into<String>) -> Self {
        Self::Fields(FieldErrors::from([(field, words.into())]))
    }

    /// Responds to the form.
    pub(crate) fn answer(self, ack: Ack, reference: &Reference) {
        match self {
            Self::Fields(faults) => ack.faults(faults),
            Self::Edge(error) => ack.sorry(&failure(error, reference)),
        }
    }
}
