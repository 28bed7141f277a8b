//! Slack's requests over HTTP (`POST /slack/events`), for whoever does not want Socket Mode: makes sure that
//! Slack signed what is acted upon, reads their three shapes, hands them to [`Intake`] and answers with the
//! acknowledgement. Knows no server; `app` puts it behind the web's route.

use super::envelope::{Parsed, Retry, Source};
use super::intake::Intake;
use crate::clock::Clock;
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value, json};
use sha2::Sha256;
use tokio::sync::oneshot;

/// How old or how far ahead a request may be, in seconds (Slack's own advice).
const WINDOW: u64 = 5 * 60;
/// Longest challenge that is given back.
const CHALLENGE_MAX: usize = 500;

/// What is answered: a status, and the acknowledgement where it has content.
pub type HttpAnswer = (StatusCode, Option<Value>);

/// Takes in Slack's signed requests; cheap to clone.
#[derive(Clone)]
pub struct SlackHttp {
    intake: Intake,
    signing_secret: SecretString,
    clock: Clock,
}

/// What a request is.
enum Request {
    /// Slack tries whether the address is ours.
    Challenge(String),
    /// Something to act upon.
    Payload(Source, Value),
}

impl SlackHttp {
    /// Hands what was signed with `signing_secret` to `intake`.
    pub const fn new(intake: Intake, signing_secret: SecretString, clock: Clock) -> Self {
        Self { intake, signing_secret, clock }
    }

    /// Answers one request, at the latest when Slack's time is nearly up.
    pub async fn receive(&self, headers: &HeaderMap, body: &[u8]) -> HttpAnswer {
        if is_ssl_check(headers, body) {
            return (StatusCode::OK, None);
        }
        if !self.is_signed(headers, body) {
            tracing::warn!("A request that Slack did not sign was refused");
            return (StatusCode::UNAUTHORIZED, None);
        }
        match read(headers, body) {
            None => (StatusCode::BAD_REQUEST, None),
            Some(Request::Challenge(challenge)) => (StatusCode::OK, Some(json!({ "challenge": challenge }))),
            Some(Request::Payload(source, payload)) => {
                let (reply, answer) = oneshot::channel();
                let acknowledge = move |payload| drop(reply.send(payload));
                self.intake.accept(None, Parsed::new(source, payload), acknowledge);
                match answer.await {
                    Ok(payload) => (StatusCode::OK, payload),
                    // Dropped unanswered: Slack shall send it again.
                    Err(_) => (StatusCode::SERVICE_UNAVAILABLE, None),
                }
            }
        }
    }

    /// True for version 0 of Slack's signature over time and body, within the window. Compared in a time
    /// that tells nothing.
    fn is_signed(&self, headers: &HeaderMap, body: &[u8]) -> bool {
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let (Some(time), Some(signature)) =
            (header("x-slack-request-timestamp"), header("x-slack-signature").and_then(signature))
        else {
            return false;
        };
        let now = self.clock.now().timestamp();
        if !time.parse::<i64>().is_ok_and(|time| now.abs_diff(time) <= WINDOW) {
            return false;
        }
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(self.signing_secret.expose_secret().as_bytes())
        else {
            return false;
        };
        mac.update(b"v0:");
        mac.update(time.as_bytes());
        mac.update(b":");
        mac.update(body);
        mac.verify_slice(&signature).is_ok()
    }
}

/// The bytes of `v0=` and 64 hexadecimal digits.
fn signature(text: &str) -> Option<[u8; 32]> {
    let digits = text.strip_prefix("v0=").filter(|digits| digits.len() == 64 && digits.is_ascii())?;
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(digits.as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(bytes)
}

/// Slack tries whether the certificate is good. It does so without a signature, and nothing follows from it.
fn is_ssl_check(headers: &HeaderMap, body: &[u8]) -> bool {
    let (mut asks, mut wants_more) = (false, false);
    if media_type(headers).starts_with("application/x-www-form-urlencoded") {
        for (name, value) in form_urlencoded::parse(body) {
            asks |= name == "ssl_check" && value == "1";
            wants_more |= ["command", "payload"].contains(&&*name);
        }
    }
    asks && !wants_more
}

fn media_type(headers: &HeaderMap) -> &str {
    headers.get(http::header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default()
}

/// Events come as JSON, commands as a form, interactions as JSON in a form.
fn read(headers: &HeaderMap, body: &[u8]) -> Option<Request> {
    if media_type(headers).starts_with("application/json") {
        let payload: Value = serde_json::from_slice(body).ok()?;
        return match payload["type"].as_str() {
            Some("url_verification") => {
                let challenge = payload["challenge"].as_str().filter(|text| text.len() <= CHALLENGE_MAX)?;
                Some(Request::Challenge(challenge.to_owned()))
            }
            _ => Some(Request::Payload(Source::Event(retry(headers)), payload)),
        };
    }
    let fields: Map<String, Value> =
        form_urlencoded::parse(body).map(|(name, value)| (name.into_owned(), value.into())).collect();
    match fields.get("payload").and_then(Value::as_str) {
        Some(payload) => Some(Request::Payload(Source::Interaction, serde_json::from_str(payload).ok()?)),
        None => fields.contains_key("command").then(|| Request::Payload(Source::Command, fields.into())),
    }
}

fn retry(headers: &HeaderMap) -> Option<Retry> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let attempt = text("x-slack-retry-num").parse().ok().filter(|attempt| *attempt > 0)?;
    Some(Retry { attempt, reason: text("x-slack-retry-reason").chars().take(40).collect() })
}
