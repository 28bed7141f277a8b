//! Why a request fails, with its status. The response is made in `error_page`.

use super::fields::FieldsError;
use super::reference::Reference;
use crate::domain::edit::Conflict;
use crate::error_chain::ErrorChain;
use crate::ops::OpError;
use crate::web::limits::shares::Exhausted;
use http::StatusCode;
use std::error::Error;
use std::time::Duration;

/// `Retry-After` of an outage, in seconds.
const OUTAGE_RETRY_SECONDS: u64 = 30;

/// A failed request.
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    /// No `Host`, several, or an invalid one.
    #[error("no valid Host")]
    NoHost,
    #[error("not signed by Slack")]
    Unsigned,
    #[error("malformed fields")]
    Malformed(#[from] FieldsError),
    #[error("not a form")]
    NotAForm,
    /// The body ended early.
    #[error("the body broke off")]
    BrokenOff,
    #[error("the body took too long")]
    TooSlow,
    #[error("the body is larger than {limit} bytes")]
    TooLarge {
        /// In bytes.
        limit: usize,
    },
    /// The CSRF token is missing, or was made for another browser or session.
    #[error("CSRF token not accepted")]
    Forged,
    /// A form came from a browser that sends no cookies.
    #[error("no cookies")]
    NoCookies {
        /// The site's https address, where cookies work; `None` without https.
        address: Option<String>,
    },
    #[error("not signed in")]
    NotSignedIn {
        /// The path to return to after logging in.
        next: Option<String>,
    },
    /// The password is temporary.
    #[error("the password must be changed")]
    MustChangePassword,
    /// An API token that is unknown or revoked.
    #[error("a wrong API token")]
    WrongToken,
    #[error("forbidden")]
    Forbidden,
    #[error("not found")]
    NotFound,
    /// The path is known, the method is not.
    #[error("only {allow} here")]
    MethodNotAllowed {
        /// Value of `Allow`.
        allow: String,
    },
    #[error("archived")]
    Archived {
        /// The equipment's name, if known.
        name: Option<String>,
    },
    /// A rule of the product refuses it.
    #[error("refused")]
    Refused {
        /// Shown to the person.
        message: String,
    },
    /// Somebody else changed the same fields.
    #[error("conflict")]
    Conflict {
        /// Shown to the person.
        message: String,
    },
    /// Somebody else changed the same record.
    #[error("overtaken")]
    Overtaken {
        /// The other person's name.
        by: String,
    },
    /// The rate limit of this client network is reached.
    #[error("too many requests")]
    TooOften { wait: Duration },
    /// The server's limit is reached.
    #[error("the server is busy")]
    Crowded { wait: Duration },
    /// A dependency fails or is too slow.
    #[error("unavailable")]
    Unavailable(#[source] Box<dyn Error + Send + Sync>),
    /// A bug.
    #[error("internal error")]
    Internal(#[source] Box<dyn Error + Send + Sync>),
    #[error("panicked: {0}")]
    Panicked(String),
}

/// A page or a dependency took too long.
#[derive(Debug, thiserror::Error)]
#[error("no answer within {0:?}")]
pub struct TimedOut(pub Duration);

impl From<OpError> for PageError {
    fn from(error: OpError) -> Self {
        match error {
            OpError::Refused(refusal) => Self::Refused { message: refusal.message },
            OpError::Conflict(conflicts) => Self::Conflict {
                message: conflicts.iter().map(Conflict::message).collect::<Vec<_>>().join(" "),
            },
            OpError::Forbidden => Self::Forbidden,
            OpError::NotFound => Self::NotFound,
            OpError::Overtaken { by } => Self::Overtaken { by },
            OpError::Archived => Self::Archived { name: None },
            outage if outage.is_transient() => Self::Unavailable(outage.into()),
            OpError::Internal(source) => Self::Internal(source),
        }
    }
}

impl PageError {
    pub fn internal(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Internal(source.into())
    }

    /// The client's limit or the server's limit is reached; retry after `wait`.
    pub const fn exhausted(exhausted: Exhausted, wait: Duration) -> Self {
        match exhausted {
            Exhausted::Client => Self::TooOften { wait },
            Exhausted::All => Self::Crowded { wait },
        }
    }

    pub const fn status(&self) -> StatusCode {
        match self {
            Self::NoHost | Self::Malformed(_) | Self::BrokenOff => StatusCode::BAD_REQUEST,
            Self::NotSignedIn { .. } | Self::WrongToken | Self::Unsigned => StatusCode::UNAUTHORIZED,
            Self::Forged | Self::NoCookies { .. } | Self::Forbidden | Self::MustChangePassword => {
                StatusCode::FORBIDDEN
            }
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed { .. } => StatusCode::METHOD_NOT_ALLOWED,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::Archived { .. } => StatusCode::GONE,
            Self::Overtaken { .. } => StatusCode::CONFLICT,
            Self::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::NotAForm => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Conflict { .. } => StatusCode::CONFLICT,
            Self::Refused { .. } => StatusCode::UNPROCESSABLE_ENTITY,
            Self::TooOften { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::Crowded { .. } | Self::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal(_) | Self::Panicked(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// True if the same form may be accepted when it is sent again.
    pub(super) const fn may_pass_later(&self) -> bool {
        matches!(
            self,
            Self::Forged
                | Self::NoCookies { .. }
                | Self::TooSlow
                | Self::TooOften { .. }
                | Self::Crowded { .. }
                | Self::Unavailable(_)
                | Self::Internal(_)
                | Self::Panicked(_)
        )
    }

    pub(super) fn retry_after(&self) -> Option<u64> {
        match self {
            Self::TooOften { wait } | Self::Crowded { wait } => Some(seconds(*wait)),
            Self::Unavailable(_) => Some(OUTAGE_RETRY_SECONDS),
            _ => None,
        }
    }

    /// Logs the errors that an operator has to look at.
    pub fn log(&self, reference: &Reference, route: &str) {
        match self {
            Self::Internal(source) | Self::Unavailable(source) => {
                let error = ErrorChain(source.as_ref());
                tracing::error!(id = %reference, route, %error, "page failed");
            }
            Self::Panicked(panic) => tracing::error!(id = %reference, route, panic, "page panicked"),
            _ => {}
        }
    }
}

/// Whole seconds, rounded up, at least one.
pub fn seconds(wait: Duration) -> u64 {
    (wait.as_secs() + u64::from(wait.subsec_nanos() > 0)).max(1)
}

/// "a minute", "3 minutes".
pub fn minutes(wait: Duration) -> String {
    match seconds(wait).div_ceil(60) {
        1 => "a minute".into(),
        n => format!("{n} minutes"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_rounded_up() {
        assert_eq!((seconds(Duration::ZERO), seconds(Duration::from_millis(1500))), (1, 2));
        assert_eq!(minutes(Duration::from_secs(60)), "a minute");
        assert_eq!(minutes(Duration::from_secs(61)), "2 minutes");
    }
}
