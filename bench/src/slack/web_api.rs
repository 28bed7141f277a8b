//! The Web API: the few methods that esb calls, parsed only as far as needed. Started by `Slack`.

use super::{Arrival, SlackCall};
use crate::payloads::{TEAM, after, value};
use bytes::Bytes;
use futures_util::TryFutureExt;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::UnboundedSender;

const POST_MESSAGE: &str = "/api/chat.postMessage";

/// How `chat.postMessage` is answered.
#[derive(Debug, Default)]
pub struct Behavior {
    latency_ms: AtomicU64,
    is_down: AtomicBool,
}

impl Behavior {
    /// Latency of responses, in milliseconds.
    pub fn set_latency_ms(&self, latency: u64) {
        self.latency_ms.store(latency, Ordering::Relaxed);
    }

    /// Whether messages are answered with 503.
    pub fn set_down(&self, is_down: bool) {
        self.is_down.store(is_down, Ordering::Relaxed);
    }

    async fn delay(&self) {
        let latency = Duration::from_millis(self.latency_ms.load(Ordering::Relaxed));
        if !latency.is_zero() {
            tokio::time::sleep(latency).await;
        }
    }
}

pub(super) async fn serve(
    listener: TcpListener,
    socket_url: String,
    tell: UnboundedSender<Arrival>,
    behavior: Arc<Behavior>,
) {
    let socket_url = Arc::new(socket_url);
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(connection(stream, Arc::clone(&socket_url), tell.clone(), Arc::clone(&behavior)));
    }
}

async fn connection(
    stream: TcpStream,
    socket_url: Arc<String>,
    tell: UnboundedSender<Arrival>,
    behavior: Arc<Behavior>,
) {
    let _ = stream.set_nodelay(true);
    let service = service_fn(|request: Request<Incoming>| {
        let (socket_url, tell, behavior) = (Arc::clone(&socket_url), tell.clone(), Arc::clone(&behavior));
        async move {
            let (head, body) = request.into_parts();
            let body = body.collect().map_ok(http_body_util::Collected::to_bytes).await?;
            let (path, query) = (head.uri.path(), head.uri.query().unwrap_or_default());
            let is_message = path == POST_MESSAGE;
            let is_refused = is_message && behavior.is_down.load(Ordering::Relaxed);
            let (what, text) = if is_refused {
                (Some(SlackCall::Refused), String::new())
            } else {
                answer(path, query, body, &socket_url)
            };
            if let Some(what) = what {
                let _ = tell.send(Arrival { at: Instant::now(), what });
            }
            if is_message {
                behavior.delay().await;
            }
            let mut response = Response::new(Full::<Bytes>::new(text.into()));
            if is_refused {
                *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
            }
            let headers = response.headers_mut();
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
            let scopes = "commands,chat:write,users:read,users:read.email,im:write";
            headers.insert("x-oauth-scopes", HeaderValue::from_static(scopes));
            Ok::<_, hyper::Error>(response)
        }
    });
    // Ignore clients that disconnect.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

/// The call and its answer.
fn answer(path: &str, query: &str, body: Bytes, socket_url: &str) -> (Option<SlackCall>, String) {
    let fine = || r#"{"ok":true}"#.to_owned();
    match path {
        "/api/auth.test" => {
            let text = format!(
                r#"{{"ok":true,"url":"https://bench.slack.com/","team":"bench","user":"esb","team_id":"{TEAM}","user_id":"U0ESB","bot_id":"B0ESB"}}"#
            );
            (None, text)
        }
        "/api/apps.connections.open" => (None, format!(r#"{{"ok":true,"url":"{socket_url}"}}"#)),
        "/api/users.info" => (None, person(query)),
        "/api/views.open" => {
            let text = opened(&body);
            (Some(SlackCall::Opened(body)), text)
        }
        POST_MESSAGE => {
            let text = posted(&body);
            (Some(SlackCall::Posted(body)), text)
        }
        "/api/conversations.history" | "/api/conversations.replies" => {
            (Some(SlackCall::Searched), r#"{"ok":true,"messages":[],"has_more":false}"#.to_owned())
        }
        "/api/chat.update" => (Some(SlackCall::Edited(body)), fine()),
        "/api/chat.postEphemeral" => (Some(SlackCall::PrivateAnswer(body)), fine()),
        path if path.starts_with("/response/") => (Some(SlackCall::PrivateAnswer(body)), fine()),
        other => {
            (Some(SlackCall::Unknown(other.to_owned())), r#"{"ok":false,"error":"unknown_method"}"#.into())
        }
    }
}

/// Slack returns the whole view, with its id.
fn opened(body: &[u8]) -> String {
    let view = after(body, b"\"view\":{").and_then(|view| std::str::from_utf8(view).ok());
    format!(r#"{{"ok":true,"view":{{"id":"V0BENCH","hash":"1.bench",{}"#, view.unwrap_or("\"lost\":true}}"))
}

fn posted(body: &[u8]) -> String {
    let channel = value(body, "channel").and_then(|name| std::str::from_utf8(name).ok()).unwrap_or_default();
    let digits: String = channel.bytes().map(|byte| char::from(byte).to_ascii_uppercase()).collect();
    let id: String = digits.chars().filter(char::is_ascii_alphanumeric).collect();
    format!(r#"{{"ok":true,"channel":"C{id}","ts":"1700000000.000100","message":{{"text":"…"}}}}"#)
}

fn person(query: &str) -> String {
    let id = query.split('&').find_map(|pair| pair.strip_prefix("user=")).unwrap_or_default();
    let name = id.to_lowercase();
    format!(
        r#"{{"ok":true,"user":{{"id":"{id}","team_id":"{TEAM}","name":"{name}","deleted":false,"real_name":"Ana Lee","is_bot":false,"profile":{{"real_name":"Ana Lee","display_name":"Ana","email":"{name}@example.org"}}}}}}"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    #[test]
    fn opened_view_is_returned_with_id() {
        let body = br#"{"trigger_id":"1","view":{"type":"modal","blocks":[{"a":{}}]}}"#;
        let answer: Value = serde_json::from_str(&opened(body)).unwrap();
        assert_eq!(
            (&answer["view"]["id"], &answer["view"]["blocks"][0]["a"]),
            (&"V0BENCH".into(), &serde_json::json!({}))
        );
    }

    #[test]
    fn answers_are_json_and_unknown_methods_reported() {
        for path in [
            "auth.test",
            "apps.connections.open",
            "users.info",
            "views.open",
            "chat.postMessage",
            "chat.update",
            "conversations.history",
            "x",
        ] {
            let (what, text) =
                answer(&format!("/api/{path}"), "user=U1", Bytes::from_static(b"{}"), "ws://a");
            assert!(serde_json::from_str::<Value>(&text).is_ok(), "{text}");
            assert_eq!(matches!(what, Some(SlackCall::Unknown(_))), path == "x");
        }
    }
}
