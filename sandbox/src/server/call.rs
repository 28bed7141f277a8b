//! A call of the Web API or of a response URL, from request to reply.
//!
//! Owns: the record of calls, faults, rate limits, HTTP status and headers. Must not: depend on a method (that is
//! `api`). Called by: `server`.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header, request::Parts};
use http_body_util::Full;
use serde_json::{Value, json};

use super::{Cut, Reply};
use crate::{
    api::{self, ApiError, Args, Method},
    faults::Fault,
    rates::Bucket,
    state::{Shared, State},
};

/// The result of a call.
struct Verdict {
    status: StatusCode,
    retry_after: Option<u64>,
    body: Value,
}

impl Verdict {
    fn ok(body: Value) -> Self {
        Self { status: StatusCode::OK, retry_after: None, body }
    }

    fn refused(error: ApiError) -> Self {
        Self::ok(error.into_json())
    }

    fn too_fast(seconds: u64) -> Self {
        let body = json!({"ok": false, "error": "ratelimited"});
        Self { status: StatusCode::TOO_MANY_REQUESTS, retry_after: Some(seconds), body }
    }

    fn into_reply(self, scopes: &str) -> Reply {
        let mut reply = Response::new(Full::new(Bytes::from(self.body.to_string())));
        *reply.status_mut() = self.status;
        let headers = reply.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
        if let Ok(scopes) = HeaderValue::from_str(scopes) {
            headers.insert("x-oauth-scopes", scopes);
        }
        if let Some(seconds) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        reply
    }
}

pub(super) async fn api(shared: &Shared, name: &str, parts: &Parts, body: &Bytes) -> Result<Reply, Cut> {
    let mut args = read_args(parts, body);
    let token = bearer(parts).or_else(|| args.as_mut().ok().and_then(Args::take_token));
    answered(shared, name, args, |state, args| match api::find(name) {
        None => {
            state.record.unexpected(format!("unknown method {name}"));
            Verdict::refused("unknown_method".into())
        }
        Some(method) => perform(state, method, token.as_deref(), args),
    })
    .await
}

/// Handles a message sent to a response URL; Slack's error is status 404.
pub(super) async fn response_url(
    shared: &Shared,
    secret: &str,
    parts: &Parts,
    body: &Bytes,
) -> Result<Reply, Cut> {
    let args = read_args(parts, body).map(unwrap_payload);
    answered(shared, "response_url", args, |state, args| match api::spend_response_url(state, secret, args) {
        Ok(()) => Verdict::ok(json!({"ok": true})),
        Err(error) => Verdict { status: StatusCode::NOT_FOUND, ..Verdict::refused(error) },
    })
    .await
}

/// A form contains the message as JSON in `payload`.
fn unwrap_payload(args: Args) -> Args {
    match args.json("payload") {
        Ok(Some(Value::Object(message))) => Args(message),
        _ => args,
    }
}

fn read_args(parts: &Parts, body: &[u8]) -> Result<Args, ApiError> {
    let content_type = parts.headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok());
    Args::read(parts.uri.query().unwrap_or_default(), content_type.unwrap_or_default(), body)
}

pub(super) fn bearer(parts: &Parts) -> Option<String> {
    let value = parts.headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    value.strip_prefix("Bearer ").map(String::from)
}

/// Records a call, applies a fault, and records the response.
async fn answered(
    shared: &Shared,
    name: &str,
    args: Result<Args, ApiError>,
    work: impl FnOnce(&mut State, &Args) -> Verdict,
) -> Result<Reply, Cut> {
    let (number, fault, scopes) = shared.with(|state| {
        let shown = args.as_ref().map_or(Value::Null, |args| Value::Object(args.0.clone()));
        let (now, fault) = (state.now(), state.faults.take(name));
        (state.record.call(name, &shown, now, fault), fault, state.world.scopes.join(","))
    });
    let instead = match fault {
        Some(Fault::Silence) => {
            shared.stop.cancelled().await;
            return Err(Cut);
        }
        Some(Fault::RateLimited(seconds)) => Some(Verdict::too_fast(seconds)),
        Some(Fault::Error(code)) => Some(Verdict::refused(code.into())),
        Some(Fault::Http(status)) => Some(Verdict {
            status: StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            ..Verdict::ok(json!("an error page"))
        }),
        Some(Fault::Delay(_) | Fault::CutAfterAccept) | None => None,
    };
    let verdict = shared.with(|state| {
        let verdict = instead.unwrap_or_else(|| match &args {
            Ok(args) => work(state, args),
            Err(error) => Verdict::refused(error.code.as_str().into()),
        });
        state.record.answered(number, &verdict.body);
        verdict
    });
    match fault {
        Some(Fault::CutAfterAccept) => return Err(Cut),
        Some(Fault::Delay(time)) => wait(shared, time).await?,
        _ => {}
    }
    Ok(verdict.into_reply(&scopes))
}

pub(super) async fn wait(shared: &Shared, time: Duration) -> Result<(), Cut> {
    tokio::select! {
        () = tokio::time::sleep(time) => Ok(()),
        () = shared.stop.cancelled() => Err(Cut),
    }
}

/// Slack checks the token before the rate limit, and the rate limit before the arguments.
fn perform(state: &mut State, method: &Method, token: Option<&str>, args: &Args) -> Verdict {
    if let Err(error) = method.admit(state, token) {
        return Verdict::refused(error);
    }
    if let Err(seconds) = within_rate(state, method, args) {
        return Verdict::too_fast(seconds);
    }
    match method.run(state, args) {
        Ok(mut answer) => {
            answer["ok"] = json!(true);
            Verdict::ok(answer)
        }
        Err(error) => Verdict::refused(error),
    }
}

fn within_rate(state: &mut State, method: &Method, args: &Args) -> Result<(), u64> {
    let now = state.now();
    let limits = state.options.rate_limits.clone();
    if let Some(calls) = method.per_minute.filter(|_| limits.tiers) {
        return state.rates.take(method.name(), Bucket::per_minute(calls), now);
    }
    match limits.post_burst.filter(|_| method.name() == "chat.postMessage") {
        Some(burst) => {
            let channel = args.text("channel").unwrap_or_default();
            // A channel's name and its id share one bucket.
            let channel = api::channel_id(state, channel).unwrap_or_else(|_| channel.to_owned());
            state.rates.take(&format!("post {channel}"), Bucket::posting(burst), now)
        }
        None => Ok(()),
    }
}
