//! Acknowledges every frame immediately and sends what esb would send: a modal for a command; a private response for a
//! form; a message to each of two channels for a report; an edit of each and two replies for a claim. All of it has the
//! given size. Parses only the kind of a frame.

use crate::payloads::{after, value};
use anyhow::Context;
use bytes::Bytes;
use clap::Args;
use futures_util::future::join_all;
use futures_util::{SinkExt, StreamExt};
use http_body_util::{BodyExt, Full};
use hyper::Request;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;

/// Ends the acknowledgement of a form: it closes the form.
const CLEAR: &str = ",\"payload\":{\"response_action\":\"clear\"}";

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
    #[command(flatten)]
    pub sizes: Sizes,
}

/// Sizes of the messages, in bytes.
#[derive(Debug, Clone, Default, Args)]
pub struct Sizes {
    /// The view that `/esb-report` opens
    #[arg(long, default_value_t = 0)]
    pub report_bytes: usize,
    /// The view that `/esb-status` opens
    #[arg(long, default_value_t = 0)]
    pub status_bytes: usize,
    /// The view that `/esb-repair` opens
    #[arg(long, default_value_t = 0)]
    pub repair_bytes: usize,
    /// A message about a report
    #[arg(long, default_value_t = 0)]
    pub card_bytes: usize,
    /// The same, edited
    #[arg(long, default_value_t = 0)]
    pub edit_bytes: usize,
}

impl Sizes {
    /// As command-line arguments.
    pub fn arguments(&self) -> Vec<String> {
        [
            ("report", self.report_bytes),
            ("status", self.status_bytes),
            ("repair", self.repair_bytes),
            ("card", self.card_bytes),
            ("edit", self.edit_bytes),
        ]
        .map(|(name, bytes)| format!("--{name}-bytes={bytes}"))
        .into()
    }
}

/// The kind of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Frame {
    Command(&'static str),
    Report,
    Act,
    Claim,
}

impl Frame {
    fn of(text: &[u8]) -> Self {
        match value(text, "command") {
            Some(b"/esb-report") => Command("report"),
            Some(b"/esb-repair") => Command("repair"),
            Some(_) => Command("status"),
            None if after(text, b"\"block_actions\"").is_some() => Claim,
            None if after(text, b"\"act_on_repair\"").is_some() => Act,
            None => Report,
        }
    }

    const fn is_form(self) -> bool {
        matches!(self, Report | Act)
    }
}

use Frame::{Act, Claim, Command, Report};

/// Shared by all connections.
struct Shared {
    client: HttpClient,
    api: String,
    sizes: Sizes,
    /// As long as the largest message.
    padding: String,
}

impl Options {
    pub async fn run(self) -> anyhow::Result<()> {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        let client = Client::builder(TokioExecutor::new()).build(connector);
        let Sizes { report_bytes, status_bytes, repair_bytes, card_bytes, edit_bytes } = self.sizes;
        let largest = [report_bytes, status_bytes, repair_bytes, card_bytes, edit_bytes].into_iter().max();
        let padding = "x".repeat(largest.unwrap_or_default());
        let shared = Arc::new(Shared { client, api: self.api, sizes: self.sizes, padding });
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
        let (id, frame) = (std::str::from_utf8(id)?, Frame::of(text));
        let clear = if frame.is_form() { CLEAR } else { "" };
        sink.send(Message::text(format!("{{\"envelope_id\":\"{id}\"{clear}}}"))).await?;
        let trigger = std::str::from_utf8(trigger)?.to_owned();
        tokio::spawn(follow(Arc::clone(&shared), frame, trigger));
    }
    Ok(())
}

/// The measurement detects a failure by its time-out.
async fn follow(shared: Arc<Shared>, frame: Frame, trigger: String) {
    let Sizes { report_bytes, status_bytes, repair_bytes, card_bytes, edit_bytes } = shared.sizes;
    match frame {
        Command("report") => shared.open(&trigger, "floor", report_bytes).await,
        Command("repair") => shared.open(&trigger, "act_on_repair", repair_bytes).await,
        Command(_) => shared.open(&trigger, "floor", status_bytes).await,
        Act => shared.say("chat.postEphemeral", "#floor", 0).await,
        Report => {
            let (thanks, everything, area) = (
                shared.say("chat.postEphemeral", "#floor", 0),
                shared.say("chat.postMessage", "#oops", card_bytes),
                shared.say("chat.postMessage", "#floor", card_bytes),
            );
            tokio::join!(thanks, everything, area);
        }
        Claim => {
            let edits = ["#oops", "#floor"].map(|channel| shared.say("chat.update", channel, edit_bytes));
            join_all(edits).await;
            let replies = ["#oops", "#floor"].map(|channel| shared.say("chat.postMessage", channel, 0));
            join_all(replies).await;
        }
    }
}

impl Shared {
    async fn open(&self, trigger: &str, form: &str, bytes: usize) {
        let padding = self.padding.get(..bytes).unwrap_or_default();
        let view = format!("{{\"callback_id\":\"{form}\",\"x\":\"{padding}\"}}");
        let _ = self.post("views.open", format!("{{\"trigger_id\":\"{trigger}\",\"view\":{view}}}")).await;
    }

    /// Posts a message with the words that the checks of esb's messages expect.
    async fn say(&self, method: &str, channel: &str, bytes: usize) {
        let padding = self.padding.get(..bytes).unwrap_or_default();
        let text = format!("Thank you. Assigned. {padding}");
        let _ = self.post(method, format!("{{\"channel\":\"{channel}\",\"text\":\"{text}\"}}")).await;
    }

    async fn post(&self, method: &str, body: String) -> anyhow::Result<Bytes> {
        let request = Request::post(format!("{}{method}", self.api))
            .header("content-type", "application/json")
            .header("authorization", "Bearer xoxb-bench")
            .body(Full::new(body.into()))?;
        let response = self.client.request(request).await?;
        Ok(response.into_body().collect().await?.to_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::payloads::{self, act, claim, submission};
    use serde_json::json;

    #[test]
    fn frames_are_recognized() {
        let form = |name: &str| json!({"callback_id": name});
        for (frame, expected) in [
            (payloads::Command::Report("Saw".into()).frame(1, "http://a/"), Command("report")),
            (payloads::Command::Status.frame(2, "http://a/"), Command("status")),
            (payloads::Command::Repair("7".into()).frame(3, "http://a/"), Command("repair")),
            (submission(4, &form("floor"), 1, "It squeaks").to_string(), Report),
            (act(5, &form("act_on_repair"), payloads::Act::Claim).to_string(), Act),
            (claim(6, "7", "http://a/").to_string(), Claim),
        ] {
            assert_eq!(Frame::of(frame.as_bytes()), expected, "{frame}");
        }
    }
}
