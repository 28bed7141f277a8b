//! Socket Mode: keeps `SLACK_CONNECTIONS` WebSocket connections to Slack and hands what they bring to
//! [`Intake`]. It never acts upon an envelope itself, and a connection's reader waits for nothing but
//! its socket. Started by `App`.
//!
//! ```text
//!            ┌────────── back-off ◀──── lost ────┐
//!  slot:   open ── hello ──▶ live ───────────────┤
//!            ▲                 └─ disconnect ─┐  │
//!            └── the old one lingers until ◀──┘  │  shutdown: drain, close
//!                the new one has said hello
//! ```

mod backoff;
mod connection;
mod open;
mod slot;
mod timings;

pub use timings::SocketTimings;

use crate::clients::slack_api::SlackApi;
use crate::metrics::Metrics;
use crate::slack::intake::Intake;
use slot::Slot;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

pub struct SocketMode {
    shared: Arc<Shared>,
    connections: usize,
}

/// Shared by all connections.
struct Shared {
    api: SlackApi,
    intake: Intake,
    metrics: Metrics,
    timings: SocketTimings,
    /// True after the log reported that Slack refuses us; false again after a hello.
    refusal_logged: AtomicBool,
    /// Canceled to close the connections: nothing is left to acknowledge.
    closing: CancellationToken,
}

impl SocketMode {
    /// Will open `connections` connections; does not connect yet.
    pub fn new(
        api: SlackApi,
        intake: Intake,
        metrics: Metrics,
        connections: usize,
        timings: SocketTimings,
    ) -> Self {
        let refusal_logged = AtomicBool::new(false);
        let closing = CancellationToken::new();
        Self {
            shared: Arc::new(Shared { api, intake, metrics, timings, refusal_logged, closing }),
            connections,
        }
    }

    /// Runs until `shutdown`; then finishes and acknowledges envelopes in progress, and closes.
    pub async fn run(self, shutdown: CancellationToken) {
        let mut slots = JoinSet::new();
        for number in 0..self.connections {
            slots.spawn(Slot::new(Arc::clone(&self.shared), number).run(shutdown.clone()));
        }
        shutdown.cancelled().await;
        // The connections are still read: new envelopes are answered with "try again".
        self.shared.intake.drain(self.shared.timings.drain).await;
        self.shared.closing.cancel();
        while slots.join_next().await.is_some() {}
    }
}
