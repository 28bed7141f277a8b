//! Why an operation failed.

use super::secret_box::SecretBoxError;
use crate::domain::edit::{Conflict, EditError};
pub use crate::domain::refusal::Refusal;
use crate::store::db_error;
use sea_orm::{DbErr, SqlErr};

/// Why an operation failed. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum OpError {
    /// A rule forbids it; the message is for the person.
    #[error("refused: {}", .0.message)]
    Refused(Refusal),
    /// Another person changed the same fields.
    #[error("conflict on {} fields", .0.len())]
    Conflict(Vec<Conflict>),
    /// Another person changed the same record since the person saw it.
    #[error("overtaken by {by}")]
    Overtaken { by: String },
    #[error("no such record")]
    NotFound,
    #[error("archived")]
    Archived,
    /// The person may not do that (spec/product.md "Who may do what").
    #[error("forbidden")]
    Forbidden,
    /// A bug, or a database error.
    #[error("internal error")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Another transaction has just written the next version of the row.
#[derive(Debug, thiserror::Error)]
#[error("overtaken by another change")]
struct Overtaken;

impl OpError {
    /// A refusal that belongs to one input.
    pub fn refused(field: &'static str, message: impl Into<String>) -> Self {
        Self::Refused(Refusal::on(field, message))
    }

    /// True when the database does not answer, is overloaded or unreachable: a later retry may work.
    pub fn is_transient(&self) -> bool {
        self.of_database().is_some_and(db_error::is_transient)
    }

    pub(super) fn overtaken() -> Self {
        Self::Internal(Overtaken.into())
    }

    /// True when an immediate retry works: another transaction interfered.
    pub(super) fn is_deadlock(&self) -> bool {
        let overtaken = matches!(self, Self::Internal(source) if source.is::<Overtaken>());
        overtaken || self.of_database().is_some_and(db_error::is_deadlock)
    }

    /// True when another request added the same row first.
    pub(super) fn is_unique_violation(&self) -> bool {
        let error = self.of_database().and_then(DbErr::sql_err);
        matches!(error, Some(SqlErr::UniqueConstraintViolation(_)))
    }

    /// True when another request may have accepted the same submission, and this one failed because of its change
    /// (a name that it took, a field that it set).
    pub(super) fn may_be_replay(&self) -> bool {
        matches!(self, Self::Refused(_) | Self::Conflict(_)) || self.is_unique_violation()
    }

    fn of_database(&self) -> Option<&DbErr> {
        let Self::Internal(source) = self else { return None };
        source.downcast_ref()
    }
}

impl From<EditError> for OpError {
    fn from(error: EditError) -> Self {
        match error {
            EditError::Refused(refusal) => Self::Refused(refusal),
            EditError::Conflicts(conflicts) => Self::Conflict(conflicts),
        }
    }
}

impl From<Refusal> for OpError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<DbErr> for OpError {
    fn from(error: DbErr) -> Self {
        Self::Internal(error.into())
    }
}

impl From<SecretBoxError> for OpError {
    fn from(error: SecretBoxError) -> Self {
        Self::Internal(error.into())
    }
}

impl From<serde_json::Error> for OpError {
    fn from(error: serde_json::Error) -> Self {
        Self::Internal(error.into())
    }
}
