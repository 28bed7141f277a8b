//! Slack without Socket Mode: receives the sandbox's envelopes on its own WebSocket, sends them as signed
//! HTTP requests, and returns the answers as acknowledgements.

use super::web::{Reply, Site};
use esb::clients::slack_api::SlackApi;
use esb::clock::Clock;
use form_urlencoded::Serializer;
use futures_util::{SinkExt, StreamExt};
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderName, Request, StatusCode};
use http_body_util::Full;
use secrecy::ExposeSecret;
use serde_json::{Value, json};
use sha2::Sha256;
use std::net::SocketAddr;
use tokio_tungstenite::tungstenite::Message;

pub const SIGNING_SECRET: &str = "8f742231b10e8888abcd99yyyzzz85a5";

/// Forwards envelopes until the sandbox ends.
pub async fn forward_envelopes(api: SlackApi, to: SocketAddr, clock: Clock) {
    let url = api.open_connection().await.unwrap();
    let (socket, _) = tokio_tungstenite::connect_async(url.expose_secret()).await.unwrap();
    let (mut answers, mut frames) = socket.split();
    while let Some(Ok(frame)) = frames.next().await {
        let Message::Text(text) = frame else { continue };
        let frame: Value = serde_json::from_str(&text).unwrap();
        let Some(id) = frame["envelope_id"].as_str() else { continue };
        let (kind, body) = body(&frame);
        let mut headers = sign(&body, clock.now().timestamp()).to_vec();
        headers.extend(retry(&frame));
        let reply = send(&Site(to), kind, &body, &headers).await;
        if reply.status == StatusCode::SERVICE_UNAVAILABLE && frame["type"] == "events_api" {
            // Not acknowledged: Slack sends it again.
            continue;
        }
        assert_eq!(reply.status, StatusCode::OK, "{frame}");
        let mut answer = json!({ "envelope_id": id });
        if !reply.body.is_empty() {
            answer["payload"] = reply.json();
        }
        answers.send(Message::text(answer.to_string())).await.unwrap();
    }
}

/// Media type and body of the request for an envelope.
fn body(frame: &Value) -> (&'static str, String) {
    let mut form = Serializer::new(String::new());
    match frame["type"].as_str().unwrap() {
        "events_api" => return ("application/json", frame["payload"].to_string()),
        "slash_commands" => {
            for (name, value) in frame["payload"].as_object().unwrap() {
                form.append_pair(name, value.as_str().unwrap_or_default());
            }
        }
        _ => {
            form.append_pair("payload", &frame["payload"].to_string());
        }
    }
    ("application/x-www-form-urlencoded", form.finish())
}

/// The retry headers of a repeated event.
fn retry(frame: &Value) -> Vec<(&'static str, String)> {
    match frame["retry_attempt"].as_u64() {
        Some(attempt) if attempt > 0 => vec![
            ("x-slack-retry-num", attempt.to_string()),
            ("x-slack-retry-reason", frame["retry_reason"].as_str().unwrap_or_default().to_owned()),
        ],
        _ => Vec::new(),
    }
}

/// Slack's signature headers for a body.
pub fn sign(body: &str, time: i64) -> [(&'static str, String); 2] {
    let mut mac = Hmac::<Sha256>::new_from_slice(SIGNING_SECRET.as_bytes()).unwrap();
    mac.update(format!("v0:{time}:{body}").as_bytes());
    let digits: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    [("x-slack-request-timestamp", time.to_string()), ("x-slack-signature", format!("v0={digits}"))]
}

/// Sends a request with these headers.
pub async fn send(site: &Site, kind: &str, body: &str, headers: &[(&'static str, String)]) -> Reply {
    let mut request = Request::post("/slack/events").header("host", "esb").header("content-type", kind);
    for (name, value) in headers {
        request = request.header(HeaderName::from_static(name), value);
    }
    site.send(request.body(Full::<bytes::Bytes>::from(body.to_owned())).unwrap()).await
}
