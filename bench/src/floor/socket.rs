//! Acknowledges every frame at once and opens a modal of a given size. Looks at nothing.

use crate::payloads::{after, value};
use anyhow::Context;
use bytes::Bytes;
use clap::Args;
use futures_util::{SinkExt, StreamExt};
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;

type HttpClient = Client<HttpConnector, Full<Bytes>>;

/// What it is started with.
#[derive(Debug, Args)]
pub struct Options {
    /// Where Slack's Web API is
    #[arg(long)]
    pub api: String,
    /// How many connections to hold
    #[arg(long)]
    pub connections: usize,
    /// Size of the view that `/esb-report` opens
    #[arg(long)]
    pub report_bytes: usize,
    /// Size of the view that `/esb-status` opens
    #[arg(long)]
    pub status_bytes: usize,
}

/// What every connection needs.
struct Shared {
    client: HttpClient,
    api: String,
    report: String,
    status: String,
}

impl Options {
    /// Runs until it is killed.
    ///
    /// # Errors
    /// When Slack is not there, or goes away.
    pub async fn run(self) -> anyhow::Result<()> {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let client = Client::builder(TokioExecutor::new()).build(connector);
        let shared = Arc::new(Shared {
            client,
            api: self.api,
            report: "x".repeat(self.report_bytes),
            status: "x".repeat(self.status_bytes),
        });
        let mut connections = tokio::task::JoinSet::new();
        for _ in 0..self.connections {
            connections.spawn(connection(Arc::clone(&shared)));
        }
        while let Some(ended) = connections.join_next().await {
            ended??;
        }
        Ok(())
    }
}

async fn connection(shared: Arc<Shared>) -> anyhow::Result<()> {
    let answer = shared.post("apps.connections.open", String::new()).await?;
    let url = value(&answer, "url").and_then(|url| std::str::from_utf8(url).ok()).context("no URL")?;
    let host = url.strip_prefix("ws://").and_then(|rest| rest.split('/').next()).context("no host")?;
    let stream = TcpStream::connect(host).await?;
    stream.set_nodelay(true)?;
    let (socket, _) = tokio_tungstenite::client_async(url, stream).await?;
    let (mut sink, mut frames) = socket.split();
    while let Some(frame) = frames.next().await {
        let Message::Text(text) = frame? else { continue };
        let text = text.as_bytes();
        let (Some(id), Some(trigger)) = (value(text, "envelope_id"), value(text, "trigger_id")) else {
            continue;
        };
        let id = std::str::from_utf8(id)?;
        sink.send(Message::text(format!("{{\"envelope_id\":\"{id}\"}}"))).await?;
        let trigger = std::str::from_utf8(trigger)?.to_owned();
        let is_report = after(text, b"\"/esb-report\"").is_some();
        tokio::spawn(open(Arc::clone(&shared), trigger, is_report));
    }
    Ok(())
}

/// What fails here is missed by whoever waits for it.
async fn open(shared: Arc<Shared>, trigger: String, is_report: bool) {
    let padding = if is_report { &shared.report } else { &shared.status };
    let body = format!(
        "{{\"trigger_id\":\"{trigger}\",\"view\":{{\"callback_id\":\"floor\",\"x\":\"{padding}\"}}}}"
    );
    let _ = shared.post("views.open", body).await;
}

impl Shared {
    async fn post(&self, method: &str, body: String) -> anyhow::Result<Bytes> {
        let request = Request::post(format!("{}{method}", self.api))
            .header("content-type", "application/json")
            .header("authorization", "Bearer xoxb-bench")
            .body(Full::new(body.into()))?;
        let response = self.client.request(request).await?;
        Ok(response.into_body().collect().await?.to_bytes())
    }
}
