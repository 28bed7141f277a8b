//! Serves files of the workspace to tokens that may read files.
//!
//! Owns: `GET /files/{id}/{name}`. Must not: change the world. Called by: `server`.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header, request::Parts};
use http_body_util::Full;
use serde_json::json;

use super::{
    Cut, Reply,
    call::{bearer, wait},
    plain,
};
use crate::{api::BOT_TOKEN, faults::Fault, state::Shared};

/// Name of the endpoint for faults and calls.
const METHOD: &str = "file";

/// Handles a request for a file; `path` is the part after `/files/`.
pub(super) async fn reply(shared: &Shared, path: &str, parts: &Parts) -> Result<Reply, Cut> {
    let id = path.split('/').next().unwrap_or_default();
    let token = bearer(parts);
    let (number, fault) = shared.with(|state| {
        let (now, fault) = (state.now(), state.faults.take(METHOD));
        (state.record.call(METHOD, &json!({ "file": id }), now, fault), fault)
    });
    match fault {
        Some(Fault::Silence) => {
            shared.stop.cancelled().await;
            return Err(Cut);
        }
        Some(Fault::CutAfterAccept) => return Err(Cut),
        Some(Fault::Delay(time)) => wait(shared, time).await?,
        _ => {}
    }
    let reply = shared.with(|state| {
        let may_read = token.as_deref() == Some(BOT_TOKEN) && state.world.has_scope("files:read");
        let file = state.world.files.iter().find(|file| file.id == id);
        let reply = match (fault, file) {
            (Some(Fault::RateLimited(seconds)), _) => {
                let mut reply = plain(StatusCode::TOO_MANY_REQUESTS, "ratelimited");
                reply.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
                reply
            }
            (Some(Fault::Http(status)), _) => plain(
                StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
                "an error page",
            ),
            (Some(Fault::Error(_)), _) => log_in(),
            _ if !may_read => log_in(),
            (_, Some(file)) => of(&file.media_type, Bytes::clone(&file.content)),
            (_, None) => plain(StatusCode::NOT_FOUND, "no such file"),
        };
        state.record.answered(number, &json!({ "ok": reply.status() == StatusCode::OK && fault.is_none() }));
        reply
    });
    Ok(reply)
}

/// The response without permission to read a file: a page, with status 200.
fn log_in() -> Reply {
    of("text/html; charset=utf-8", Bytes::from_static(b"<!doctype html><title>Log in | Slack</title>"))
}

fn of(media_type: &str, content: Bytes) -> Reply {
    let mut reply = Response::new(Full::new(content));
    if let Ok(media_type) = HeaderValue::from_str(media_type) {
        reply.headers_mut().insert(header::CONTENT_TYPE, media_type);
    }
    reply
}
