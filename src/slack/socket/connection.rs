//! One live connection: a reader that waits only for the socket, and a writer task with a bounded queue. Its `slot`
//! replaces it on request.

use super::Shared;
use super::open::WebSocket;
use crate::metrics::Metrics;
use crate::slack::envelope::{Delivery, DisconnectReason, Frame};
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, interval_at, sleep_until, timeout};
use tokio_tungstenite::tungstenite::{Error as WebSocketError, Message};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

/// Most acknowledgements that wait for the network: more than envelopes can be in progress.
const QUEUE: usize = 4_096;

/// Why a connection must be replaced, or has ended.
#[derive(Debug)]
pub(super) enum End {
    /// Slack announced it.
    Disconnect(DisconnectReason),
    /// Slack closed it.
    Closed,
    /// It broke, or received invalid WebSocket traffic, such as a message over the limit.
    Broken(WebSocketError),
    /// No frame arrived for too long.
    Silent,
    /// The queue of acknowledgements is full.
    Stuck,
    /// Another connection replaced it.
    Replaced,
    Shutdown,
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Disconnect(reason) => write!(f, "Slack asks for it: {}", reason.as_str()),
            Self::Closed => f.write_str("closed by Slack"),
            Self::Broken(error) => write!(f, "broken: {error}"),
            Self::Silent => f.write_str("silent: half open"),
            Self::Stuck => f.write_str("takes no acknowledgements"),
            Self::Replaced => f.write_str("replaced"),
            Self::Shutdown => f.write_str("shutdown"),
        }
    }
}

pub(super) struct Connection {
    shared: Arc<Shared>,
    stream: SplitStream<WebSocket>,
    outgoing: mpsc::Sender<Message>,
    stuck: CancellationToken,
    writer: AbortOnDropHandle<()>,
    /// Canceled by the slot when another connection has replaced this one.
    superseded: CancellationToken,
    /// Requests a successor from the slot; only the first reason is sent.
    leaving: Option<oneshot::Sender<End>>,
}

/// Counts a connection as open while it is read.
struct Opened(Metrics);

impl Opened {
    fn new(metrics: Metrics) -> Self {
        metrics.socket_opened();
        Self(metrics)
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        self.0.socket_closed();
    }
}

impl Connection {
    /// Takes over a WebSocket after its hello.
    pub(super) fn new(
        shared: Arc<Shared>,
        socket: WebSocket,
        superseded: CancellationToken,
        leaving: oneshot::Sender<End>,
    ) -> Self {
        let (sink, stream) = socket.split();
        let (outgoing, queue) = mpsc::channel(QUEUE);
        let stuck = CancellationToken::new();
        let writer = write(sink, queue, shared.timings.ping, shared.timings.write, stuck.clone());
        let writer = AbortOnDropHandle::new(tokio::spawn(writer));
        Self { shared, stream, outgoing, stuck, writer, superseded, leaving: Some(leaving) }
    }

    /// Reads until the connection ends.
    pub(super) async fn run(mut self) {
        let end = self.read().await;
        let in_order = matches!(end, End::Replaced | End::Shutdown | End::Closed);
        self.leave(end);
        if in_order {
            self.close().await;
        }
    }

    async fn read(&mut self) -> End {
        let _opened = Opened::new(self.shared.metrics.clone());
        let timings = self.shared.timings;
        let mut heard = Instant::now();
        let superseded = self.superseded.clone();
        let mut linger = std::pin::pin!(async move {
            superseded.cancelled().await;
            tokio::time::sleep(timings.linger).await;
        });
        let closing = self.shared.closing.clone();
        loop {
            let message = tokio::select! {
                message = self.stream.next() => message,
                () = sleep_until(heard + timings.silence) => return End::Silent,
                () = self.stuck.cancelled() => return End::Stuck,
                () = &mut linger => return End::Replaced,
                () = closing.cancelled() => return End::Shutdown,
            };
            heard = Instant::now();
            match message {
                Some(Ok(Message::Text(text))) => self.frame(&text),
                Some(Ok(Message::Close(_))) | None => return End::Closed,
                Some(Ok(Message::Binary(_))) => tracing::warn!("binary frame ignored"),
                // tungstenite answers pings by itself.
                Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {}
                Some(Err(error)) => return End::Broken(error),
            }
        }
    }

    fn frame(&mut self, text: &str) {
        match Frame::parse(text) {
            Ok(Frame::Delivery(delivery)) => self.delivery(*delivery),
            Ok(Frame::Disconnect(reason)) => self.leave(End::Disconnect(reason)),
            Ok(Frame::Hello(_)) => {}
            Err(error) => {
                let error: &dyn std::error::Error = &error;
                tracing::warn!(error, "frame without envelope id");
            }
        }
    }

    fn delivery(&self, Delivery { envelope_id, parsed }: Delivery) {
        let (outgoing, stuck) = (self.outgoing.clone(), self.stuck.clone());
        let echoed = envelope_id.clone();
        self.shared.intake.accept(Some(&envelope_id), parsed, move |payload| {
            let acknowledgement = Message::text(acknowledgement(echoed, payload).to_string());
            match outgoing.try_send(acknowledgement) {
                Ok(()) => {}
                Err(mpsc::error::TrySendError::Full(_)) => stuck.cancel(),
                Err(mpsc::error::TrySendError::Closed(_)) => {
                    tracing::warn!("acknowledgement dropped: connection closed");
                }
            }
        });
    }

    fn leave(&mut self, end: End) {
        if let Some(leaving) = self.leaving.take() {
            // A slot without a receiver is shutting down.
            let _ = leaving.send(end);
        }
    }

    /// Sends the queue and the close frame, then waits briefly for Slack's.
    async fn close(&mut self) {
        let limit = self.shared.timings.close;
        let _ = timeout(limit, async {
            if self.outgoing.send(Message::Close(None)).await.is_ok() {
                let _ = (&mut self.writer).await;
            }
            while let Some(Ok(_)) = self.stream.next().await {}
        })
        .await;
    }
}

fn acknowledgement(envelope_id: String, payload: Option<Value>) -> Value {
    match payload {
        Some(payload) => json!({ "envelope_id": envelope_id, "payload": payload }),
        None => json!({ "envelope_id": envelope_id }),
    }
}

/// Writes the queue, with a ping at intervals, until a close frame or an error.
async fn write(
    mut sink: SplitSink<WebSocket, Message>,
    mut queue: mpsc::Receiver<Message>,
    ping_every: Duration,
    limit: Duration,
    stuck: CancellationToken,
) {
    let mut ping = interval_at(Instant::now() + ping_every, ping_every);
    loop {
        let message = tokio::select! {
            message = queue.recv() => message.unwrap_or(Message::Close(None)),
            _ = ping.tick() => Message::Ping(bytes::Bytes::new()),
        };
        let is_last = message.is_close();
        let written = matches!(timeout(limit, sink.send(message)).await, Ok(Ok(())));
        if !written {
            stuck.cancel();
        }
        if is_last || !written {
            return;
        }
    }
}
