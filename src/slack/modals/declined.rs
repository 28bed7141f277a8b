//! Why a submission is not accepted, and how its acknowledgement says so: beside the fields at fault, which
//! keep what was typed.

use crate::ops::OpError;
use crate::slack::edge::{EdgeError, failure};
use crate::slack::envelope::State;
use crate::slack::intake::{Ack, Reference};
use serde_json::json;
use std::collections::BTreeMap;

const NO_LONGER: &str =
    "Your account may not do this any more: it needs a Technician or Staff account. Please ask staff.";

/// Why a submission is not accepted.
#[derive(Debug)]
pub(crate) enum Declined {
    /// What is wrong, by field.
    Fields(Faults),
    /// What is not about a field.
    Edge(EdgeError),
}

/// What is wrong, by field.
pub(crate) type Faults = BTreeMap<&'static str, String>;

impl<E: Into<EdgeError>> From<E> for Declined {
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

impl Declined {
    /// One field is at fault.
    pub(crate) fn on(field: &'static str, words: impl Into<String>) -> Self {
        Self::Fields(Faults::from([(field, words.into())]))
    }

    /// Answers a form whose inputs are always the same.
    pub(crate) fn answer(self, ack: Ack, reference: &Reference) {
        match self {
            Self::Fields(faults) => ack.with(json!({ "response_action": "errors", "errors": faults })),
            Self::Edge(error) => ack.sorry(&failure(error, reference)),
        }
    }

    /// Answers a form that shows some of its inputs only: Slack takes errors on those that are there, so
    /// that what is wrong with others is said on the first one.
    pub(crate) fn answer_in(self, state: &State, ack: Ack, reference: &Reference) {
        match self {
            Self::Fields(faults) if !faults.keys().any(|field| state.get(field).is_some()) => {
                let words: Vec<String> = faults.into_values().collect();
                ack.sorry(&words.join(" "));
            }
            Self::Fields(mut faults) => {
                faults.retain(|field, _| state.get(field).is_some());
                Self::Fields(faults).answer(ack, reference);
            }
            other => other.answer(ack, reference),
        }
    }
}
