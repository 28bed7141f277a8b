//! A Slack on loopback that costs as little as it can, since it shares the machine with what is
//! measured: it checks nothing, and tells its owner of everything that arrives, with the time. What
//! arrived is looked at when no clock runs any more.

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
pub use web_api::Conduct;

/// How long anything may take to arrive: longer than Slack waits.
const PATIENCE: Duration = Duration::from_secs(20);

/// Something that arrived, and when.
#[derive(Debug)]
pub struct Arrival {
    /// When.
    pub at: Instant,
    /// What.
    pub what: What,
}

/// What an app does to Slack.
#[derive(Debug)]
pub enum What {
    /// It holds another connection; what is sent to it goes here.
    Connected(UnboundedSender<Message>),
    /// It answers an envelope.
    Acknowledged(Utf8Bytes),
    /// It opens a modal.
    Opened(Bytes),
    /// It posts a message.
    Posted(Bytes),
    /// It posts a message while this Slack takes none.
    Refused,
    /// It looks whether a message has arrived; this Slack finds none.
    Searched,
    /// It changes a message.
    Edited(Bytes),
    /// It answers a person privately.
    Told(Bytes),
    /// It called something that this Slack does not have.
    Unknown(String),
}

/// The Slack of one app.
pub struct Slack {
    address: String,
    arrivals: UnboundedReceiver<Arrival>,
    /// How it answers messages: at once and well, until this is changed.
    pub conduct: Arc<Conduct>,
    links: Vec<UnboundedSender<Message>>,
    /// Number of the last envelope.
    last: u64,
}

impl Slack {
    /// Listens on loopback, on ports of its own.
    ///
    /// # Errors
    /// The operating system's.
    pub async fn start() -> anyhow::Result<Self> {
        let web_api = TcpListener::bind(("127.0.0.1", 0)).await?;
        let sockets = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = format!("http://{}/", web_api.local_addr()?);
        let socket_url = format!("ws://{}/link", sockets.local_addr()?);
        let (tell, arrivals) = unbounded_channel();
        let conduct = Arc::new(Conduct::default());
        tokio::spawn(web_api::serve(web_api, socket_url, tell.clone(), Arc::clone(&conduct)));
        tokio::spawn(link::serve(sockets, tell));
        Ok(Self { address, arrivals, conduct, links: Vec::new(), last: 0 })
    }

    /// Where its Web API is.
    pub fn api_url(&self) -> String {
        format!("{}api/", self.address)
    }

    /// Waits for so many connections; those of before are forgotten.
    ///
    /// # Errors
    /// When they do not come.
    pub async fn connected(&mut self, connections: usize) -> anyhow::Result<()> {
        self.links.clear();
        while self.links.len() < connections {
            if let What::Connected(link) = self.next().await.context("no Socket Mode connection")?.what {
                self.links.push(link);
            }
        }
        Ok(())
    }

    /// The next thing that arrives.
    ///
    /// # Errors
    /// When nothing arrives for a long time, or something was called that is not there.
    pub async fn next(&mut self) -> anyhow::Result<Arrival> {
        self.next_within(PATIENCE).await?.context("nothing arrived for 20 s")
    }

    /// The next thing that arrives, if it arrives within `wait`.
    ///
    /// # Errors
    /// When something was called that is not there.
    pub async fn next_within(&mut self, wait: Duration) -> anyhow::Result<Option<Arrival>> {
        let arrival = tokio::time::timeout(wait, self.arrivals.recv()).await.ok().flatten();
        if let Some(Arrival { what: What::Unknown(path), .. }) = &arrival {
            anyhow::bail!("{path} was called, which this Slack does not have");
        }
        Ok(arrival)
    }

    /// Sends a command over the next connection: its number.
    ///
    /// # Errors
    /// When that connection is gone.
    pub fn command(&mut self, command: &Command) -> anyhow::Result<u64> {
        self.last += 1;
        let frame = command.frame(self.last, &self.address);
        self.send(frame)
    }

    /// Submits the report form: the envelope's number.
    ///
    /// # Errors
    /// When the connection is gone.
    pub fn submit(&mut self, view: &Value, machine: i64, description: &str) -> anyhow::Result<u64> {
        self.last += 1;
        self.send(submission(self.last, view, machine, description).to_string())
    }

    /// Submits the form that acts on a repair: the envelope's number.
    ///
    /// # Errors
    /// When the connection is gone.
    pub fn act(&mut self, view: &Value, what: Act) -> anyhow::Result<u64> {
        self.last += 1;
        self.send(act(self.last, view, what).to_string())
    }

    /// Presses "Claim" on the card of a repair: the envelope's number.
    ///
    /// # Errors
    /// When the connection is gone.
    pub fn claim(&mut self, repair: &str) -> anyhow::Result<u64> {
        self.last += 1;
        self.send(claim(self.last, repair, &self.address).to_string())
    }

    /// Asks for open repairs that fit what is typed: the envelope's number.
    ///
    /// # Errors
    /// When the connection is gone.
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
