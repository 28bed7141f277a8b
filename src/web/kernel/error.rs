//! Why a request got no page, and what the person or program is told instead.

use super::fields::FieldsError;
use super::request::Reference;
use super::response::{self, PageResponse};
use super::resubmit::Resubmit;
use crate::domain::edit::Conflict;
use crate::error_chain::ErrorChain;
use crate::ops::OpError;
use crate::render::html::{Html, Problem};
use form_urlencoded::Serializer;
use http::header::{ALLOW, RETRY_AFTER, SET_COOKIE};
use http::{HeaderValue, StatusCode};
use serde::Serialize;
use std::error::Error;
use std::time::Duration;

/// When to come back after an outage, in seconds.
const OUTAGE_RETRY: u64 = 30;

/// Why there is no page.
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    /// No `Host`, more than one, or one that is none.
    #[error("no valid Host")]
    NoHost,
    /// A request that Slack did not sign.
    #[error("not signed by Slack")]
    Unsigned,
    /// A query or form that no browser of ours sends.
    #[error("malformed fields")]
    Malformed(#[from] FieldsError),
    /// A body that is no form.
    #[error("not a form")]
    NotAForm,
    /// The body ended early: nobody is likely to read the answer.
    #[error("the body broke off")]
    BrokenOff,
    /// The body did not arrive in time.
    #[error("the body took too long")]
    TooSlow,
    /// The body is larger than the route takes.
    #[error("the body is larger than {limit} bytes")]
    TooLarge {
        /// Most bytes.
        limit: usize,
    },
    /// The form's token is missing or was not made for this browser.
    #[error("a forged form, or a page that was open for too long")]
    Forged,
    /// A form came from a browser that sends no cookies.
    #[error("no cookies")]
    NoCookies {
        /// Where cookies work: the site's address, if that is https.
        address: Option<String>,
    },
    /// Only for people who are signed in.
    #[error("not signed in")]
    NotSignedIn {
        /// What was asked for, to come back to it.
        next: Option<String>,
    },
    /// The password is a temporary one and must be changed first.
    #[error("the password must be changed")]
    MustChangePassword,
    /// An API token that is none, or no longer.
    #[error("a wrong API token")]
    WrongToken,
    /// The role is too low.
    #[error("forbidden")]
    Forbidden,
    /// No such page, machine or repair.
    #[error("not found")]
    NotFound,
    /// The path is known, the method is not.
    #[error("only {allow} here")]
    MethodNotAllowed {
        /// Value of `Allow`.
        allow: String,
    },
    /// The machine is archived.
    #[error("archived")]
    Archived {
        /// The machine's name, where known.
        name: Option<String>,
    },
    /// A rule of the product says no; the text is for the person.
    #[error("refused")]
    Refused {
        /// The sentence for the person.
        message: String,
    },
    /// Somebody else changed the same meanwhile; the text is for the person.
    #[error("conflict")]
    Conflict {
        /// The sentence for the person.
        message: String,
    },
    /// Somebody else changed the same record meanwhile.
    #[error("overtaken")]
    Overtaken {
        /// Who.
        by: String,
    },
    /// Too often from this address.
    #[error("too often")]
    TooOften {
        /// How long to wait.
        wait: Duration,
    },
    /// All places are taken.
    #[error("all places are taken")]
    Crowded {
        /// When to come back.
        wait: Duration,
    },
    /// Something that we stand on does not answer.
    #[error("unavailable")]
    Unavailable(#[source] Box<dyn Error + Send + Sync>),
    /// Our own mistake.
    #[error("internal error")]
    Internal(#[source] Box<dyn Error + Send + Sync>),
    /// The page panicked.
    #[error("panicked: {0}")]
    Panicked(String),
}

/// The page took too long.
#[derive(Debug, thiserror::Error)]
#[error("no answer within {0:?}")]
pub struct NoAnswer(pub Duration);

/// What a program is told.
#[derive(Debug, Serialize)]
struct JsonProblem<'a> {
    error: &'a str,
    reference: &'a str,
}

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
    /// Our own mistake, whatever it was.
    pub fn internal(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Internal(source.into())
    }

    /// The status code.
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

    const fn title(&self) -> &'static str {
        match self {
            Self::NoHost | Self::Malformed(_) | Self::BrokenOff | Self::NotAForm => "We could not read that",
            Self::NotSignedIn { .. } => "Please log in",
            Self::MustChangePassword => "Please choose a password",
            Self::WrongToken | Self::Unsigned => "Token not accepted",
            Self::Forbidden => "That is not for you",
            Self::Forged => "Please check it and send it again",
            Self::NoCookies { .. } => "Your browser sent no cookie",
            Self::NotFound => "There is nothing here",
            Self::MethodNotAllowed { .. } => "That does not work here",
            Self::TooSlow => "That took too long",
            Self::Archived { .. } => "This machine is no longer here",
            Self::TooLarge { .. } => "That is too much at once",
            Self::Refused { .. } | Self::Conflict { .. } => "That did not work",
            Self::Overtaken { .. } => "Somebody else was faster",
            Self::TooOften { .. } | Self::Crowded { .. } => "One moment, please",
            Self::Unavailable(_) => "We will be right back",
            Self::Internal(_) | Self::Panicked(_) => "Something went wrong",
        }
    }

    /// The sentence for the person.
    pub fn message(&self) -> String {
        match self {
            Self::NoHost => {
                "The request does not say which site it is for. Send one valid Host header.".into()
            }
            Self::Unsigned => "The request is not signed.".into(),
            Self::Malformed(fault) => format!("What your browser sent cannot be read: {fault}."),
            Self::BrokenOff => "The connection broke off. Please send it again.".into(),
            Self::NotAForm => "This page accepts only its own form.".into(),
            Self::NotSignedIn { .. } => "Please log in to see this page.".into(),
            Self::MustChangePassword => "You have a temporary password: log in and change it first.".into(),
            Self::WrongToken => "The API token is unknown or was revoked.".into(),
            Self::Forbidden => "Your account is not allowed to do this. Staff can change that.".into(),
            Self::Forged => {
                "Nothing was saved. This page was open for too long, or you logged in or out since \
                             then. Load the page again and send the form once more."
                    .into()
            }
            Self::NoCookies { address } => {
                let address = address.as_deref().map(|address| format!(" and open it at {address}"));
                format!(
                    "Nothing was saved. Allow cookies for this site{}, then send the form again.",
                    address.unwrap_or_default()
                )
            }
            Self::NotFound => "The address may be mistyped, or the page was removed.".into(),
            Self::MethodNotAllowed { .. } => "This address does not support this method.".into(),
            Self::TooSlow => "The form did not arrive in time. Please send it once more.".into(),
            Self::Archived { name } => {
                let name = name.as_deref().map_or("It".into(), |name| format!("“{name}”"));
                format!("{name} was taken off the board. The board shows what is in use.")
            }
            Self::TooLarge { limit } => {
                format!("The form takes {} kB. Please shorten the text and send it again.", limit / 1024)
            }
            Self::Refused { message } | Self::Conflict { message } => message.clone(),
            Self::Overtaken { by } => {
                format!("{by} changed the same just now. Load the page again to see how it is.")
            }
            Self::TooOften { wait } => {
                format!("Too many requests from your network. Try again in {}.", minutes(*wait))
            }
            Self::Crowded { wait } => {
                format!("The server is busy. Please try again in {}.", minutes(*wait))
            }
            Self::Unavailable(_) => "The database does not answer. Please try again in a minute.".into(),
            Self::Internal(_) | Self::Panicked(_) => {
                "This is a bug in ESB. If it happens again, give staff the reference below.".into()
            }
        }
    }

    /// The same where the form comes back below: what to do with that.
    fn message_with_form(&self) -> String {
        match self {
            Self::NotSignedIn { .. } => {
                "Nothing was saved: you are not logged in any more. Log in in a new tab, \
                                         then come back here and send it again."
                    .into()
            }
            Self::MustChangePassword => {
                "Nothing was saved: your password is a temporary one. Change it in a new \
                                         tab, then come back here and send it again."
                    .into()
            }
            Self::Forged => {
                "Nothing was saved. This page was open for too long, or you logged in or out since \
                             then. Check what you typed and send it again."
                    .into()
            }
            Self::Unavailable(_) => {
                "The database does not answer. Wait a minute, then send this again.".into()
            }
            Self::Internal(_) | Self::Panicked(_) => {
                "It is our mistake, not yours. Send it again; if that does not help, tell the staff the \
                 reference below."
                    .into()
            }
            Self::NotFound => "Nothing was saved: the record was removed. Your text is below.".into(),
            Self::Forbidden => {
                "Nothing was saved: your account may not do this. Staff can change what it may do. \
                                What you typed is kept below."
                    .into()
            }
            other => other.message(),
        }
    }

    /// What the link to another page says.
    const fn link_words(&self) -> &'static str {
        if matches!(self, Self::MustChangePassword) { "Change the password" } else { "Log in" }
    }

    /// True when the same form may be accepted later, also where nothing was typed into it.
    const fn may_pass_later(&self) -> bool {
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

    fn retry_after(&self) -> Option<u64> {
        match self {
            Self::TooOften { wait } | Self::Crowded { wait } => Some(seconds(*wait)),
            Self::Unavailable(_) => Some(OUTAGE_RETRY),
            _ => None,
        }
    }

    /// Writes the error's own log line, for those errors that somebody has to look at.
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

    /// Where people go instead, in case there is somewhere.
    fn elsewhere(&self) -> Option<String> {
        match self {
            Self::NotSignedIn { next: None } => Some("/login".into()),
            Self::NotSignedIn { next: Some(next) } => {
                Some(format!("/login?{}", Serializer::new(String::new()).append_pair("next", next).finish()))
            }
            Self::MustChangePassword => Some("/password".into()),
            _ => None,
        }
    }

    /// The answer: a page for people, with the form that was not accepted; an object for programs; plain words
    /// where there are no pages.
    pub fn response(
        &self,
        html: Option<&Html>,
        reference: &Reference,
        for_program: bool,
        form: Option<&Resubmit>,
    ) -> PageResponse {
        if matches!(self, Self::Unsigned) {
            // Slack reads the status alone, and nobody else is spoken to here.
            return response::response(self.status(), response::TEXT, "");
        }
        let form = form.filter(|form| !for_program && (self.may_pass_later() || form.has_text()));
        let elsewhere = self.elsewhere().filter(|_| !for_program);
        if let (Some(path), None) = (&elsewhere, form)
            && let Ok(response) = response::see_other(path)
        {
            return response;
        }
        // Whoever has to go elsewhere first keeps this page: it has what they typed.
        let status = if elsewhere.is_some() { StatusCode::FORBIDDEN } else { self.status() };
        let message = if form.is_some() { self.message_with_form() } else { self.message() };
        let mut response = if for_program {
            let problem = JsonProblem { error: &message, reference: reference.as_str() };
            response::json(status, &problem)
                .unwrap_or_else(|_| fallback_response(status, &message, reference))
        } else {
            let problem = Problem {
                title: self.title(),
                message: &message,
                reference: status.is_server_error().then_some(reference.as_str()),
                link: elsewhere.as_deref().map(|path| (path, self.link_words())),
                form: form.map(Resubmit::form),
            };
            match html.map(|html| html.problem(&problem)) {
                Some(Ok(page)) => response::html(status, page),
                None => fallback_response(status, &message, reference),
                Some(Err(fault)) => {
                    tracing::error!(id = %reference, error = &fault as &(dyn Error + 'static), "error page could not be rendered");
                    fallback_response(status, &message, reference)
                }
            }
        };
        if let Some(cookie) = form.and_then(|form| form.cookie.clone()) {
            response.headers_mut().insert(SET_COOKIE, cookie);
        }
        if let Some(seconds) = self.retry_after() {
            response.headers_mut().insert(RETRY_AFTER, seconds.into());
        }
        if let Self::MethodNotAllowed { allow } = self
            && let Ok(allow) = HeaderValue::try_from(allow)
        {
            response.headers_mut().insert(ALLOW, allow);
        }
        response
    }
}

/// Plain words, for when there is no error page.
fn fallback_response(status: StatusCode, message: &str, reference: &Reference) -> PageResponse {
    response::response(status, response::TEXT, format!("{message} (ref {reference})\n"))
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
