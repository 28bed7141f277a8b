//! Why an operation did not do what was asked.

use crate::store::outage;
use sea_orm::{DbErr, SqlErr};

/// A no with words for the person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The input at fault, by its name in the spec; `None` when it is the request as a whole.
    pub field: Option<&'static str>,
    /// One or two kind sentences.
    pub message: String,
}

/// Why an operation did not do what was asked. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum OpError {
    /// A rule says no; the words are for the person.
    #[error("refused: {}", .0.message)]
    Refused(Refusal),
    /// Somebody else changed the same record since the person saw it.
    #[error("overtaken by {by}")]
    Overtaken {
        /// Who changed it last.
        by: String,
    },
    /// There is no such record.
    #[error("no such record")]
    NotFound,
    /// The record is archived.
    #[error("archived")]
    Archived,
    /// The person may not do that (spec/product.md "Who may do what").
    #[error("forbidden")]
    Forbidden,
    /// Our fault, or the database's.
    #[error("internal error")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl OpError {
    /// A no that is about one input.
    pub fn refused(field: &'static str, message: impl Into<String>) -> Self {
        Self::Refused(Refusal { field: Some(field), message: message.into() })
    }

    /// True when the database does not answer, is overloaded or gone: the same may work in a while.
    pub fn is_outage(&self) -> bool {
        self.of_database().is_some_and(outage::is_outage)
    }

    /// True when the same may be begun anew at once: another transaction came in between.
    pub(super) fn is_deadlock(&self) -> bool {
        self.of_database().is_some_and(outage::is_deadlock)
    }

    /// True when a row of that name was there already.
    pub(super) fn is_unique_violation(&self) -> bool {
        self.of_database()
            .is_some_and(|error| matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_))))
    }

    fn of_database(&self) -> Option<&DbErr> {
        let Self::Internal(source) = self else { return None };
        source.downcast_ref()
    }
}

impl From<DbErr> for OpError {
    fn from(error: DbErr) -> Self {
        Self::Internal(error.into())
    }
}

impl From<serde_json::Error> for OpError {
    fn from(error: serde_json::Error) -> Self {
        Self::Internal(error.into())
    }
}
