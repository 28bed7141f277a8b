//! A cheap Slack on loopback, since it shares the machine with the program under test. It checks nothing and reports
//! every call with its time. Calls are checked after the clock has stopped.

mod link;
mod web_api;

use crate::payloads::{Act, Command, act, claim, submission, suggestion};
use anyhow::Context;
use bytes::Bytes;
use serde_json::Value;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};
pub use web_api::Behavior;

/// Time-out of a call: longer than Slack's own.
const PATIENCE: Duration = Duration::from_secs(20);

/// A call and its time.
#[derive(Debug)]
pub struct Arrival {
    pub at: Instant,
    pub what: SlackCall,
}

/// A call from the app to Slack.
#[derive(Debug)]
pub enum SlackCall {
    /// A new Socket Mode connection, with the sender for its frames.
    Connected(UnboundedSender<Message>),
    /// The acknowledgement of an envelope.
    Acknowledged(Utf8Bytes),
    /// `views.open`.
    Opened(Bytes),
    /// `chat.postMessage`.
    Posted(Bytes),
    /// `chat.postMessage` while this Slack refuses messages.
    Refused,
    /// A search for a message; this Slack finds none.
    Searched,
    /// `chat.update`.
    Edited(Bytes),
    /// `chat.postEphemeral` or a response URL.
    PrivateAnswer(Bytes),
    /// A call that this Slack does not support.
    Unknown(String),
}

/// The Slack of one app.
pub struct Slack {
    address: String,
    arrivals: UnboundedReceiver<Arrival>,
    /// How messages are answered; by default immediately and with success.
    pub behavior: Arc<Behavior>,
    links: Vec<UnboundedSender<Message>>,
    /// Number of the last envelope.
    last: u64,
}

impl Slack {
    /// Listens on free loopback ports.
    pub async fn start() -> anyhow::Result<Self> {
        let web_api = TcpListener::bind(("127.0.0.1", 0)).await?;
        let sockets = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = format!("http://{}/", web_api.local_addr()?);
        let socket_url = format!("ws://{}/link", sockets.local_addr()?);
        let (tell, arrivals) = unbounded_channel();
        let behavior = Arc::new(Behavior::default());
        tokio::spawn(web_api::serve(web_api, socket_url, tell.clone(), Arc::clone(&behavior)));
        tokio::spawn(link::serve(sockets, tell));
        Ok(Self { address, arrivals, behavior, links: Vec::new(), last: 0 })
    }

    /// The base URL of its Web API.
    pub fn api_url(&self) -> String {
        format!("{}api/", self.address)
    }

    /// Waits for this number of new connections and forgets earlier ones.
    pub async fn connected(&mut self, connections: usize) -> anyhow::Result<()> {
        self.links.clear();
        while self.links.len() < connections {
            if let SlackCall::Connected(link) = self.next().await.context("no Socket Mode connection")?.what {
                self.links.push(link);
            }
        }
        Ok(())
    }

    /// Waits for the next call.
    pub async fn next(&mut self) -> anyhow::Result<Arrival> {
        self.next_within(PATIENCE).await?.context("nothing arrived for 20 s")
    }

    /// The next call within `wait`.
    pub async fn next_within(&mut self, wait: Duration) -> anyhow::Result<Option<Arrival>> {
        let arrival = tokio::time::timeout(wait, self.arrivals.recv()).await.ok().flatten();
        if let Some(Arrival { what: SlackCall::Unknown(path), .. }) = &arrival {
            anyhow::bail!("{path} was called, which this Slack does not have");
        }
        Ok(arrival)
    }

    /// Sends a command over the next connection. Returns its number.
    pub fn command(&mut self, command: &Command) -> anyhow::Result<u64> {
        self.last += 1;
        let frame = command.frame(self.last, &self.address);
        self.send(frame)
    }

    /// Submits the report form. Returns the envelope's number.
    pub fn submit(&mut self, view: &Value, machine: i64, description: &str) -> anyhow::Result<u64> {
        self.last += 1;
        self.send(submission(self.last, view, machine, description).to_string())
    }

    /// Submits the form that acts on a repair. Returns the envelope's number.
    pub fn act(&mut self, view: &Value, what: Act) -> anyhow::Result<u64> {
        self.last += 1;
        self.send(act(self.last, view, what).to_string())
    }

    /// Presses "Claim" on the card of a repair. Returns the envelope's number.
    pub fn claim(&mut self, repair: &str) -> anyhow::Result<u64> {
        self.last += 1;
        self.send(claim(self.last, repair, &self.address).to_string())
    }

    /// Requests open repairs that match the typed text. Returns the envelope's number.
    pub fn suggest(&mut self, typed: &str) -> anyhow::Result<u64> {
        self.last += 1;
        self.send(suggestion(self.last, typed).to_string())
    }

    fn send(&self, frame: String) -> anyhow::Result<u64> {
        let turn = usize::try_from(self.last)? % self.links.len().max(1);
        let link = self.links.get(turn).context("nobody is connected")?;
        link.send(Message::text(frame)).ok().context("the connection is gone")?;
        Ok(self.last)
    }
}
