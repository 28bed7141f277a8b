//! Low-level Socket Mode, for tests of a client.
//!
//! Owns: what tests may do with connections and observe of them. Must not: build payloads (that is `act`). Called by:
//! tests, through [`Sandbox::wire`].

use std::time::Duration;

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::{
    Message as Frame,
    protocol::{CloseFrame, frame::coding::CloseCode},
};

use crate::{
    hub::{Ack, Connection, Order},
    sandbox::Sandbox,
    state::State,
};

/// The connections of a sandbox, each identified by its number, which counts from 1 in the order of opening; orders to
/// a closed one have no effect.
#[derive(Debug)]
pub struct Wire<'a>(&'a Sandbox);

impl Sandbox {
    pub fn wire(&self) -> Wire<'_> {
        Wire(self)
    }
}

impl Wire<'_> {
    fn with<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        self.0.shared.with(work)
    }

    /// How many connections are open.
    pub fn open_connections(&self) -> usize {
        self.0.shared.peek(|state| state.hub.open_count())
    }

    /// All connections, open and closed, in the order of opening.
    pub fn connections(&self) -> Vec<Connection> {
        self.0.shared.peek(|state| state.hub.connections().to_vec())
    }

    /// All received acknowledgements, including late ones.
    pub fn acks(&self) -> Vec<Ack> {
        self.0.shared.peek(|state| state.hub.acks().to_vec())
    }

    /// Waits until exactly `open` connections are open; returns false after the timeout.
    pub async fn wait_for_connections(&self, open: usize, limit: Duration) -> bool {
        let look = |state: &mut State| (state.hub.open_count() == open).then_some(());
        self.0.shared.until(limit, look).await.is_some()
    }

    /// Waits until `opened` connections have been opened since the start, closed ones included.
    pub async fn wait_for_opened(&self, opened: usize, limit: Duration) -> bool {
        let look = |state: &mut State| (state.hub.connections().len() >= opened).then_some(());
        self.0.shared.until(limit, look).await.is_some()
    }

    /// Waits for the acknowledgement of an envelope.
    pub async fn wait_for_ack(&self, envelope_id: &str, limit: Duration) -> Option<Ack> {
        self.0.shared.until(limit, |state| state.hub.ack_of(envelope_id).cloned()).await
    }

    /// Waits for that number of acknowledgements of an envelope, one for each time it was sent.
    pub async fn wait_for_acks(&self, envelope_id: &str, count: usize, limit: Duration) -> bool {
        let look = |state: &mut State| {
            let of_it = state.hub.acks().iter().filter(|ack| ack.envelope_id == envelope_id).count();
            (of_it >= count).then_some(())
        };
        self.0.shared.until(limit, look).await.is_some()
    }

    /// Sends a complete envelope over the next connection and matches its acknowledgement by its `envelope_id`; false
    /// if there is no connection.
    pub fn send_envelope(&self, envelope: Value) -> bool {
        let id = envelope["envelope_id"].as_str().unwrap_or_default().to_owned();
        self.with(|state| state.hub.send_frame(&id, envelope))
    }

    /// Sends an envelope again unchanged, over the next connection; false if it is unknown or was not sent.
    pub fn send_again(&self, envelope_id: &str) -> bool {
        self.with(|state| {
            let frame = state.hub.frame(envelope_id).cloned();
            frame.is_some_and(|frame| state.hub.send_frame(envelope_id, frame))
        })
    }

    /// Sends any text over the next connection.
    pub fn send_text(&self, text: &str) -> bool {
        self.send_next(Frame::text(text))
    }

    /// Sends bytes over the next connection, which Slack never does.
    pub fn send_binary(&self, bytes: Vec<u8>) -> bool {
        self.send_next(Frame::binary(bytes))
    }

    fn send_next(&self, frame: Frame) -> bool {
        self.with(|state| {
            let next = state.hub.next_connection();
            next.is_some_and(|number| state.hub.order(number, Order::Send(frame)))
        })
    }

    /// Asks the app to close a connection: `warning` (Slack's notice of about 10 s), `refresh_requested`,
    /// `link_disabled`, `too_many_websockets`. Except after a warning, other connections are preferred from then on.
    /// The connection stays open until `cut` or `close`.
    pub fn disconnect(&self, connection: u64, reason: &str) -> bool {
        let frame = json!({"type": "disconnect", "reason": reason, "debug_info": {"host": "sandbox"}});
        self.with(|state| {
            if reason != "warning" {
                state.hub.leave(connection);
            }
            state.hub.order(connection, Order::Send(Frame::text(frame.to_string())))
        })
    }

    /// Begins the closing handshake of a connection.
    pub fn close(&self, connection: u64) -> bool {
        let frame = CloseFrame { code: CloseCode::Normal, reason: "".into() };
        self.with(|state| state.hub.order(connection, Order::Send(Frame::Close(Some(frame)))))
    }

    /// Drops the TCP connection without a close frame.
    pub fn cut(&self, connection: u64) -> bool {
        self.with(|state| state.hub.order(connection, Order::Cut))
    }

    /// Makes a connection half-open: its TCP stays, and nothing on it is answered, not even pings. The sandbox still
    /// sends envelopes over it, as Slack would, and they are lost.
    pub fn freeze(&self, connection: u64) -> bool {
        self.with(|state| state.hub.order(connection, Order::Freeze))
    }

    /// Whether `hello` is sent on new connections; true by default.
    pub fn set_hello(&self, greets: bool) {
        self.with(|state| state.hub.greets = greets);
    }
}
