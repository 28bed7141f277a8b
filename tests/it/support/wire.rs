//! The Socket Mode client against the sandbox, with a scripted dispatcher.

pub use super::wait::{DEADLINE, until};
use chrono::{DateTime, Utc};
use esb::clients::slack_api::SlackApi;
use esb::clock::Clock;
use esb::config::{Config, Environment, SlackConfig};
use esb::metrics::Metrics;
use esb::slack::envelope::Envelope;
use esb::slack::intake::{Dispatch, Intake, Limits, Received, Reference};
use esb::slack::socket::{SocketMode, SocketTimings};
use esb_sandbox::{Channel, Options, Person, Sandbox, World};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// A workspace with one person and one channel.
pub fn sandbox() -> Sandbox {
    sandbox_with(Options::default())
}

pub fn sandbox_with(options: Options) -> Sandbox {
    let world = World::new()
        .person(Person::new("U01", "ana", "Ana Lopez").email("ana@example.org"))
        .channel(Channel::new("C01", "wood"));
    Sandbox::start(world, options).unwrap()
}

/// The configuration for a sandbox.
pub fn slack_config(sandbox: &Sandbox) -> SlackConfig {
    let environment: Environment = [
        ("SLACK_BOT_TOKEN", sandbox.bot_token().to_owned()),
        ("SLACK_APP_TOKEN", sandbox.app_token().to_owned()),
        ("SLACK_SOCKET_MODE_CONNECT", "true".to_owned()),
        ("SLACK_API_URL", sandbox.api_url()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into();
    Config::parse(&environment).unwrap().slack
}

/// Acts by the text of a command, the callback_id of a view, the value of a search or the type of an event:
/// `hold` waits for `release` before it answers, `busy` waits after its answer, `panic` panics, `panic_later`
/// panics after its answer, `silent` never answers, `withhold` does not acknowledge an event, `words` and
/// `large` answer with content. Anything else is answered immediately.
#[derive(Clone)]
pub struct Script {
    acted: watch::Sender<Vec<String>>,
    gate: Arc<Semaphore>,
}

impl Script {
    pub fn new() -> Self {
        Self { acted: watch::Sender::new(Vec::new()), gate: Arc::new(Semaphore::new(0)) }
    }

    /// Releases everything that waits, now and later.
    pub fn release(&self) {
        self.gate.add_permits(Semaphore::MAX_PERMITS / 2);
    }

    /// The handled envelopes so far.
    pub fn acted(&self) -> Vec<String> {
        self.acted.borrow().clone()
    }

    /// Waits until this many envelopes are handled.
    pub async fn wait_for(&self, count: usize) {
        let mut acted = self.acted.subscribe();
        tokio::time::timeout(DEADLINE, acted.wait_for(|acted| acted.len() >= count)).await.unwrap().unwrap();
    }

    async fn gate(&self) {
        let _ = self.gate.acquire().await.unwrap();
    }

    async fn act(self, Received { envelope, ack, .. }: Received) {
        let what = what(&envelope);
        self.acted.send_modify(|acted| acted.push(what.clone()));
        match what.as_str() {
            "hold" => {
                self.gate().await;
                ack.empty();
            }
            "busy" => {
                ack.empty();
                self.gate().await;
            }
            "panic" => panic!("told to"),
            "panic_later" => {
                ack.empty();
                panic!("told to");
            }
            "silent" => drop(ack),
            "withhold" => ack.withhold(),
            "words" => ack.with(json!({"text": "Done."})),
            "large" => ack.with(json!({"text": "x".repeat(1 << 20)})),
            _ => ack.empty(),
        }
    }
}

fn what(envelope: &Envelope) -> String {
    match envelope {
        Envelope::Command(it) => it.text.clone(),
        Envelope::ViewSubmission(it) => it.view.callback_id.clone(),
        Envelope::BlockSuggestion(it) => it.value.clone(),
        Envelope::Event(it) => it.kind().to_owned(),
        other => other.kind().to_owned(),
    }
}

impl Dispatch for Script {
    fn name(&self, envelope: &Envelope) -> &'static str {
        if matches!(envelope, Envelope::Command(_)) { "/esb-report" } else { "other" }
    }

    fn apology(&self, envelope: &Envelope, _: &Reference) -> Option<BoxFuture<'static, ()>> {
        let (acted, words) = (self.acted.clone(), format!("apologized for {}", what(envelope)));
        Some(async move { acted.send_modify(|acted| acted.push(words)) }.boxed())
    }

    fn dispatch(&self, received: Received) -> BoxFuture<'static, ()> {
        self.clone().act(received).boxed()
    }
}

/// A running Socket Mode client and its sandbox.
pub struct Rig {
    pub sandbox: Sandbox,
    pub metrics: Metrics,
    pub clock: Clock,
    pub script: Script,
    pub intake: Intake,
    pub shutdown: CancellationToken,
    pub running: JoinHandle<()>,
}

/// Options; the defaults are one connection, the program's limits, and short waits.
pub struct Setup {
    pub connections: usize,
    pub timings: SocketTimings,
    pub limits: Limits,
    pub sandbox: Sandbox,
}

impl Default for Setup {
    fn default() -> Self {
        let timings = SocketTimings {
            first_wait: Duration::from_millis(20),
            longest_wait: Duration::from_millis(100),
            refused_wait: Duration::from_millis(100),
            ..SocketTimings::default()
        };
        Self { connections: 1, timings, limits: Limits::default(), sandbox: sandbox() }
    }
}

impl Setup {
    /// Starts the client without waiting.
    pub fn launch(self) -> Rig {
        let metrics = Metrics::new();
        let clock = Clock::manual(DateTime::<Utc>::UNIX_EPOCH);
        let script = Script::new();
        let api = SlackApi::new(&slack_config(&self.sandbox), metrics.clone()).unwrap();
        let intake = Intake::new(Arc::new(script.clone()), clock.clone(), metrics.clone(), self.limits);
        let socket = SocketMode::new(api, intake.clone(), metrics.clone(), self.connections, self.timings);
        let shutdown = CancellationToken::new();
        let running = tokio::spawn(socket.run(shutdown.clone()));
        Rig { sandbox: self.sandbox, metrics, clock, script, intake, shutdown, running }
    }

    /// Starts the client and waits for its connections.
    pub async fn start(self) -> Rig {
        let connections = self.connections;
        let rig = self.launch();
        assert!(rig.sandbox.wire().wait_for_connections(connections, DEADLINE).await);
        rig
    }
}

impl Rig {
    /// With the defaults of [`Setup`].
    pub async fn start() -> Self {
        Setup::default().start().await
    }

    /// Sends a command with this text over the next connection.
    pub fn command(&self, id: &str, text: &str) {
        assert!(self.sandbox.wire().send_envelope(command(id, text)), "no connection");
    }

    /// Waits for the acknowledgement of an envelope and returns its payload.
    pub async fn acked(&self, id: &str) -> Option<Value> {
        self.sandbox.wire().wait_for_ack(id, DEADLINE).await.unwrap_or_else(|| panic!("{id}")).payload
    }

    /// Fails if a command is not answered.
    pub async fn serves(&self, id: &str) {
        self.command(id, "fine");
        assert_eq!(self.acked(id).await, None);
    }

    /// Waits until this many connections were opened since the start.
    pub async fn opened(&self, count: usize) {
        assert!(self.sandbox.wire().wait_for_opened(count, DEADLINE).await, "{count}");
    }

    /// Waits until a connection is closed; returns whether we closed it.
    pub async fn closed(&self, number: usize) -> bool {
        until(|| {
            let connection = self.sandbox.wire().connections()[number - 1].clone();
            (!connection.is_open()).then_some(connection.closed_by_app)
        })
        .await
    }

    /// Waits until the metric shows a connection, or none.
    pub async fn connected(&self, yes: bool) {
        until(|| (self.metrics.is_socket_connected() == yes).then_some(())).await;
    }

    /// Stops the client and waits for it.
    pub async fn stop(&mut self) {
        self.shutdown.cancel();
        tokio::time::timeout(DEADLINE, &mut self.running).await.unwrap().unwrap();
    }
}

/// A `/esb-report` by Ana.
pub fn command(id: &str, text: &str) -> Value {
    json!({"envelope_id": id, "type": "slash_commands", "accepts_response_payload": true, "payload": {
        "command": "/esb-report", "text": text, "user_id": "U01", "user_name": "ana", "channel_id": "C01",
        "team_id": "T0SANDBOX", "response_url": "https://hooks.slack.com/commands/secret",
        "trigger_id": format!("trigger-{id}")}})
}

/// A submission of a view with this callback_id.
pub fn submission(id: &str, callback_id: &str) -> Value {
    interaction(
        id,
        json!({"type": "view_submission", "view": {"id": "V1", "callback_id": callback_id,
        "blocks": [{"type": "section", "block_id": "known"}, {"type": "input", "block_id": "equipment"}],
        "state": {"values": {}}}}),
    )
}

/// A search for this text.
pub fn search(id: &str, typed: &str) -> Value {
    interaction(id, json!({"type": "block_suggestion", "action_id": "equipment", "value": typed}))
}

fn interaction(id: &str, mut payload: Value) -> Value {
    payload["team"] = json!({"id": "T0SANDBOX"});
    payload["user"] = json!({"id": "U01", "username": "ana"});
    json!({"envelope_id": id, "type": "interactive", "accepts_response_payload": true, "payload": payload})
}
