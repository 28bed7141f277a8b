//! Keeps one connection open, and opens its successor before it closes the old one.

use super::Shared;
use super::backoff::Backoff;
use super::connection::{Connection, End};
use super::open::{OpenError, WebSocket, open};
use crate::slack::envelope::DisconnectReason;
use rand::RngExt;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

/// Keeps one connection open while the program runs.
pub(super) struct Slot {
    shared: Arc<Shared>,
    number: usize,
    backoff: Backoff,
    /// The live connection and its lingering predecessors.
    connections: JoinSet<()>,
    /// Signals the latest connection that it has a successor.
    superseded: CancellationToken,
}

impl Slot {
    pub(super) fn new(shared: Arc<Shared>, number: usize) -> Self {
        let backoff = Backoff::new(shared.timings);
        let (connections, superseded) = (JoinSet::new(), CancellationToken::new());
        Self { shared, number, backoff, connections, superseded }
    }

    /// Ends only at shutdown, once its connections are closed.
    pub(super) async fn run(mut self, shutdown: CancellationToken) {
        let keeping = async {
            let mut wait = Duration::ZERO;
            loop {
                sleep(wait).await;
                wait = match open(&self.shared).await {
                    Ok((socket, hello)) => {
                        self.shared.refusal_logged.store(false, Ordering::SeqCst);
                        tracing::info!(
                            slot = self.number,
                            connections = hello.connections,
                            "Socket Mode connected"
                        );
                        let (leaving, left) = oneshot::channel();
                        self.replace(socket, leaving);
                        self.live(left).await
                    }
                    Err(error) => self.complain(&error),
                };
            }
        };
        tokio::select! {
            () = keeping => {}
            () = shutdown.cancelled() => {}
        }
        while self.connections.join_next().await.is_some() {}
    }

    fn replace(&mut self, socket: WebSocket, leaving: oneshot::Sender<End>) {
        let superseded = CancellationToken::new();
        let connection = Connection::new(Arc::clone(&self.shared), socket, superseded.clone(), leaving);
        std::mem::replace(&mut self.superseded, superseded).cancel();
        self.connections.spawn(connection.run());
        while self.connections.try_join_next().is_some() {}
    }

    /// Waits until the connection requests a successor; returns the delay before opening that.
    async fn live(&mut self, left: oneshot::Receiver<End>) -> Duration {
        let since = Instant::now();
        // A connection that ends without a reason has panicked: treat it as broken.
        let end = left.await.unwrap_or(End::Closed);
        let lived = since.elapsed();
        let lived_s = lived.as_secs();
        tracing::info!(slot = self.number, reason = %end, lived_s, "Socket Mode connection is replaced");
        self.backoff.ended_after(lived);
        if let End::Disconnect(reason) = end {
            self.apply_reply(reason);
        }
        self.backoff.next_wait()
    }

    /// Two reasons to disconnect need the operator, so there is no hurry.
    fn apply_reply(&mut self, reason: DisconnectReason) {
        let cure = match reason {
            DisconnectReason::LinkDisabled => "switch Socket Mode on in the Slack app's settings",
            DisconnectReason::TooManyWebsockets => {
                "this Slack app has over 10 connections: stop other copies of this program"
            }
            _ => return,
        };
        tracing::warn!(slot = self.number, reason = reason.as_str(), "Slack closed the connection: {cure}");
        self.backoff.slow_down();
    }

    /// Logs the error; returns the delay before the next attempt.
    fn complain(&mut self, error: &OpenError) -> Duration {
        let refused = error.is_refusal();
        let wait = match error.retry_after() {
            // Adds jitter to the requested delay, so that not all slots reconnect at once.
            Some(retry_after) => retry_after.mul_f64(rand::rng().random_range(1.0..=1.1)),
            None if refused => self.shared.timings.refused_wait,
            None => self.backoff.next_wait(),
        };
        let next_try_s = wait.as_secs_f64().ceil();
        let error: &dyn std::error::Error = error;
        if !refused {
            tracing::warn!(slot = self.number, error, next_try_s, "Socket Mode connection failed");
        } else if !self.shared.refusal_logged.swap(true, Ordering::SeqCst) {
            tracing::error!(next_try_s, "Failed to set up Slack Socket Mode: {error}");
        }
        wait
    }
}
