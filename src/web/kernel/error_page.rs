//! The response to a failed request: its texts, and the form that is shown again.

use super::PageError;
use super::error::minutes;
use super::reference::Reference;
use super::response::{self, PageResponse};
use super::resubmit::Resubmit;
use crate::render::html::{Html, Problem};
use form_urlencoded::Serializer;
use http::header::{ALLOW, RETRY_AFTER, SET_COOKIE};
use http::{HeaderValue, StatusCode};
use serde::Serialize;
use std::error::Error;

#[derive(Debug, Serialize)]
struct JsonProblem<'a> {
    error: &'a str,
    reference: &'a str,
}

impl PageError {
    const fn title(&self) -> &'static str {
        match self {
            Self::NoHost | Self::Malformed(_) | Self::BrokenOff | Self::NotAForm => {
                "The request could not be read"
            }
            Self::NotSignedIn { .. } => "Log in",
            Self::MustChangePassword => "Change your password",
            Self::WrongToken | Self::Unsigned => "Token not accepted",
            Self::Forbidden => "Access denied",
            Self::Forged => "Check the form and send it again",
            Self::NoCookies { .. } => "Your browser sent no cookie",
            Self::NotFound => "Page not found",
            Self::MethodNotAllowed { .. } => "Not supported here",
            Self::TooSlow => "The form took too long",
            Self::Archived { .. } => "This machine is no longer here",
            Self::TooLarge { .. } => "The form is too large",
            Self::Refused { .. } | Self::Conflict { .. } => "Nothing was saved",
            Self::Overtaken { .. } => "Somebody else changed this first",
            Self::TooOften { .. } => "Too many requests",
            Self::Crowded { .. } => "The server is busy",
            Self::Unavailable(_) => "ESB is not available right now",
            Self::Internal(_) | Self::Panicked(_) => "Something went wrong",
        }
    }

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

    /// The message if the page shows the form again.
    fn message_with_form(&self) -> String {
        match self {
            Self::NotSignedIn { .. } => {
                "Nothing was saved: you are not logged in any more. Log in in a new tab, \
                                         then come back here and send the form again."
                    .into()
            }
            Self::MustChangePassword => {
                "Nothing was saved: you have a temporary password. Change it in a new \
                                         tab, then come back here and send the form again."
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
                "This is a bug in ESB. Send the form again. If it fails again, give staff the reference below."
                    .into()
            }
            Self::NotFound => "Nothing was saved: the record was removed. Your text is below.".into(),
            Self::Forbidden => {
                "Nothing was saved: your account is not allowed to do this. Staff can change that. Your text is below."
                    .into()
            }
            other => other.message(),
        }
    }

    const fn link_text(&self) -> &'static str {
        if matches!(self, Self::MustChangePassword) { "Change the password" } else { "Log in" }
    }

    /// The page to go to first, if any.
    fn redirect(&self) -> Option<String> {
        match self {
            Self::NotSignedIn { next: None } => Some("/login".into()),
            Self::NotSignedIn { next: Some(next) } => {
                Some(format!("/login?{}", Serializer::new(String::new()).append_pair("next", next).finish()))
            }
            Self::MustChangePassword => Some("/password".into()),
            _ => None,
        }
    }

    /// A page for people, with the form that was not accepted; JSON for programs; plain text without templates.
    pub fn response(
        &self,
        html: Option<&Html>,
        reference: &Reference,
        for_program: bool,
        form: Option<&Resubmit>,
    ) -> PageResponse {
        if matches!(self, Self::Unsigned) {
            // Slack reads only the status.
            return response::response(self.status(), response::TEXT, "");
        }
        let form = form.filter(|form| !for_program && (self.may_pass_later() || form.has_text()));
        let redirect = self.redirect().filter(|_| !for_program);
        if let (Some(path), None) = (&redirect, form)
            && let Ok(response) = response::see_other(path)
        {
            return response;
        }
        // This page stays open because it contains what the person typed.
        let status = if redirect.is_some() { StatusCode::FORBIDDEN } else { self.status() };
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
                link: redirect.as_deref().map(|path| (path, self.link_text())),
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

/// For when the error page cannot be rendered.
fn fallback_response(status: StatusCode, message: &str, reference: &Reference) -> PageResponse {
    response::response(status, response::TEXT, format!("{message} (ref {reference})\n"))
}
