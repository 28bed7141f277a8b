//! A small app: calls the Web API, keeps a Socket Mode connection, and answers what a test tells it to.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use chrono::{DateTime, TimeDelta, Utc};
use esb_sandbox::{APP_TOKEN, BOT_TOKEN, Channel, Clock, Options, Person, RateLimits, Sandbox, World};
use futures_util::{SinkExt, StreamExt};
use http::Request;
use http_body_util::{BodyExt, Full};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, tungstenite::Message as Frame};

/// Long enough for a machine that is busy; nothing waits as long when all is well.
pub const SOON: Duration = Duration::from_secs(10);

/// A workshop with two people and three channels.
pub fn workshop() -> World {
    World::new()
        .person(Person::new("U01", "ana", "Ana Lopez").email("ana@example.org"))
        .person(Person::new("U02", "bo", "Bo Larsen"))
        .channel(Channel::new("C01", "wood"))
        .channel(Channel::new("C02", "private").without_bot())
        .channel(Channel::new("C03", "old").archived())
}

pub fn start() -> Sandbox {
    Sandbox::start(workshop(), Options::default()).unwrap()
}

/// A Slack that never tires.
pub fn start_unlimited() -> Sandbox {
    Sandbox::start(workshop(), Options { rate_limits: RateLimits::off(), ..Options::default() }).unwrap()
}

/// A clock that only the test moves.
#[derive(Clone)]
pub struct Hands(Arc<Mutex<DateTime<Utc>>>);

impl Hands {
    pub fn pass(&self, time: TimeDelta) {
        *self.0.lock().unwrap() += time;
    }
}

/// A sandbox on a stopped clock.
pub fn start_with_clock() -> (Sandbox, Hands) {
    let hands = Hands(Arc::new(Mutex::new(Utc::now())));
    let time = hands.clone();
    let clock: Clock = Arc::new(move || *time.0.lock().unwrap());
    (Sandbox::start(workshop(), Options { clock, ..Options::default() }).unwrap(), hands)
}

pub fn plain(text: &str) -> Value {
    json!({"type": "plain_text", "text": text})
}

/// A modal with one text input, `note`.
pub fn form(title: &str) -> Value {
    json!({"type": "modal", "title": plain(title), "submit": plain("Send"), "notify_on_close": true, "blocks": [
        {"type": "input", "block_id": "note", "label": plain("Note"), "optional": true, "element":
            {"type": "plain_text_input", "action_id": "note"}},
        {"type": "actions", "block_id": "more", "elements": [
            {"type": "button", "action_id": "deeper", "text": plain("Deeper")}]}]})
}

/// What came back over HTTP.
pub struct Reply {
    pub status: u16,
    pub retry_after: Option<u64>,
    pub json: Value,
}

/// A caller of the Web API.
#[derive(Clone)]
pub struct Caller {
    base: String,
    http: Client<HttpConnector, Full<Bytes>>,
}

impl Caller {
    pub fn new(sandbox: &Sandbox) -> Self {
        Self { base: sandbox.api_url(), http: Client::builder(TokioExecutor::new()).build_http() }
    }

    /// Posts JSON with a token; `None` when the connection broke.
    pub async fn post(&self, url: &str, token: Option<&str>, args: Value) -> Option<Reply> {
        let mut request = Request::post(url).header("content-type", "application/json; charset=utf-8");
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let request = request.body(Full::from(args.to_string())).unwrap();
        let reply = self.http.request(request).await.ok()?;
        let retry_after = reply.headers().get("retry-after").map(|v| v.to_str().unwrap().parse().unwrap());
        let status = reply.status().as_u16();
        let body = reply.into_body().collect().await.ok()?.to_bytes();
        Some(Reply { status, retry_after, json: serde_json::from_slice(&body).unwrap_or(Value::Null) })
    }

    /// Calls a method with the bot token.
    pub async fn call(&self, method: &str, args: Value) -> Value {
        self.reply(method, args).await.json
    }

    pub async fn reply(&self, method: &str, args: Value) -> Reply {
        self.post(&format!("{}{method}", self.base), Some(BOT_TOKEN), args).await.unwrap()
    }

    pub async fn with_token(&self, method: &str, token: Option<&str>) -> Value {
        self.post(&format!("{}{method}", self.base), token, json!({})).await.unwrap().json
    }
}

/// One connection by Socket Mode.
pub struct Link(pub WebSocketStream<MaybeTlsStream<TcpStream>>);

impl Link {
    /// Opens a connection and reads its `hello`.
    pub async fn open(caller: &Caller) -> Self {
        let mut link = Self::open_mute(caller).await;
        assert_eq!(link.next().await.unwrap()["type"], "hello");
        link
    }

    /// Opens a connection and reads nothing.
    pub async fn open_mute(caller: &Caller) -> Self {
        let url = caller.with_token("apps.connections.open", Some(APP_TOKEN)).await;
        let (socket, _) = tokio_tungstenite::connect_async(url["url"].as_str().unwrap()).await.unwrap();
        Self(socket)
    }

    /// The next JSON that came, pings left out; `None` when the connection ended.
    pub async fn next(&mut self) -> Option<Value> {
        loop {
            match tokio::time::timeout(SOON, self.0.next()).await.expect("something comes soon") {
                Some(Ok(Frame::Text(text))) => return Some(serde_json::from_str(&text).unwrap()),
                Some(Ok(Frame::Close(_)) | Err(_)) | None => return None,
                Some(Ok(_)) => {}
            }
        }
    }

    /// Acknowledges an envelope.
    pub async fn ack(&mut self, envelope: &Value, payload: Option<Value>) {
        let mut ack = json!({"envelope_id": envelope["envelope_id"]});
        if let Some(payload) = payload {
            ack["payload"] = payload;
        }
        self.0.send(Frame::text(ack.to_string())).await.unwrap();
    }
}

/// Runs an app on one connection: every envelope's payload is given to `answer`, and what it returns goes
/// out with the acknowledgement. Ends with the connection.
pub fn run<F, Fut>(mut link: Link, answer: F) -> tokio::task::JoinHandle<()>
where
    F: Fn(Value) -> Fut + Send + 'static,
    Fut: Future<Output = Option<Value>> + Send,
{
    tokio::spawn(async move {
        loop {
            match link.0.next().await {
                Some(Ok(Frame::Text(text))) => {
                    let envelope: Value = serde_json::from_str(&text).unwrap();
                    if envelope["envelope_id"].is_string() {
                        let payload = answer(envelope["payload"].clone()).await;
                        link.ack(&envelope, payload).await;
                    }
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return,
            }
        }
    })
}
