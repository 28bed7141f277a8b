//! Slack's requests over HTTP (`POST /slack/events`), the alternative to Socket Mode. Verifies the signature,
//! parses the three body formats, calls [`Intake`] and responds with the acknowledgement. `app` mounts it in the
//! web router.

use super::envelope::{Parsed, Retry, Source};
use super::intake::Intake;
use crate::clock::{Clock, Throttle};
use hmac::{Hmac, KeyInit, Mac};
use http::header::CONTENT_LENGTH;
use http::{HeaderMap, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value, json};
use sha2::Sha256;
use std::sync::Arc;
use tokio::sync::oneshot;

const SIGNATURE: &str = "x-slack-signature";
/// How old or how far ahead a request may be, in seconds (recommended by Slack).
const WINDOW: u64 = 5 * 60;
/// Most bytes of a request: Slack's largest are views with all their inputs filled.
const BODY_BYTES: usize = 1024 * 1024;
/// Most bytes of an unsigned request: only Slack's certificate check is unsigned, with two short fields.
const UNSIGNED_BODY_BYTES: usize = 1024;
/// Longest challenge that is returned.
const CHALLENGE_MAX: usize = 500;

/// A response: a status, and the acknowledgement if it has content.
pub type HttpAnswer = (StatusCode, Option<Value>);

/// Receives Slack's signed requests; cheap to clone.
#[derive(Clone)]
pub struct SlackHttp {
    intake: Intake,
    signing_secret: SecretString,
    clock: Clock,
    log_throttle: Arc<Throttle>,
}

enum Request {
    /// Slack verifies that we own the address.
    Challenge(String),
    Payload(Source, Value),
}

impl SlackHttp {
    /// Passes requests that are signed with `signing_secret` to `intake`.
    pub fn new(intake: Intake, signing_secret: SecretString, clock: Clock) -> Self {
        let log_throttle = Arc::new(Throttle::new(clock.clone()));
        Self { intake, signing_secret, clock, log_throttle }
    }

    /// Returns how many bytes of the body to read, based on the headers alone: a request without a well-formed,
    /// recent signature uses no memory.
    ///
    /// # Errors
    /// The status of the response to a request that is not from Slack.
    pub fn check_headers(&self, headers: &HeaderMap) -> Result<usize, StatusCode> {
        if self.claimed_signature(headers).is_some() {
            return Ok(BODY_BYTES);
        }
        let length =
            headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
        let is_short = length.is_some_and(|length| length <= UNSIGNED_BODY_BYTES);
        if is_short && is_form(headers) && !headers.contains_key(SIGNATURE) {
            return Ok(UNSIGNED_BODY_BYTES);
        }
        self.log_unsigned();
        Err(StatusCode::UNAUTHORIZED)
    }

    fn log_unsigned(&self) {
        if let Some(skipped) = self.log_throttle.pass() {
            tracing::warn!(skipped, "unsigned request to /slack/events refused");
        }
    }

    /// Responds to one request, at the latest when Slack's time limit is nearly reached.
    pub async fn receive(&self, headers: &HeaderMap, body: &[u8]) -> HttpAnswer {
        if is_ssl_check(headers, body) {
            return (StatusCode::OK, None);
        }
        if !self.is_signed(headers, body) {
            self.log_unsigned();
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
                    // Dropped without an answer: Slack should send it again.
                    Err(_) => (StatusCode::SERVICE_UNAVAILABLE, None),
                }
            }
        }
    }

    /// The time, if within the window, and the claimed signature, not verified.
    fn claimed_signature<'a>(&self, headers: &'a HeaderMap) -> Option<(&'a str, [u8; 32])> {
        let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let (time, signature) =
            (header("x-slack-request-timestamp")?, header(SIGNATURE).and_then(signature)?);
        let now = self.clock.now().timestamp();
        let is_recent = time.parse::<i64>().is_ok_and(|time| now.abs_diff(time) <= WINDOW);
        is_recent.then_some((time, signature))
    }

    /// True for a valid version 0 signature over time and body, within the window. Compared in constant time.
    fn is_signed(&self, headers: &HeaderMap, body: &[u8]) -> bool {
        let Some((time, signature)) = self.claimed_signature(headers) else { return false };
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
    let mut bytes = [0; 32];
    hex::decode_to_slice(text.strip_prefix("v0=")?, &mut bytes).ok()?;
    Some(bytes)
}

/// Slack checks the certificate, without a signature. It has no effect.
fn is_ssl_check(headers: &HeaderMap, body: &[u8]) -> bool {
    let (mut asks, mut wants_more) = (false, false);
    if is_form(headers) {
        for (name, value) in form_urlencoded::parse(body) {
            asks |= name == "ssl_check" && value == "1";
            wants_more |= ["command", "payload"].contains(&&*name);
        }
    }
    asks && !wants_more
}

fn is_form(headers: &HeaderMap) -> bool {
    media_type(headers).starts_with("application/x-www-form-urlencoded")
}

fn media_type(headers: &HeaderMap) -> &str {
    headers.get(http::header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default()
}

/// Events are JSON, commands a form, interactions JSON in a form.
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
