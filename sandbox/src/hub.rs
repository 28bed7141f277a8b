//! The state of Socket Mode.
//!
//! Owns: tickets, connections, envelopes, acknowledgements. Must not: access a socket; it sends orders to the task of
//! each connection. Called by: `act`, `wire`, `connection_task`.

use std::{
    collections::{HashMap, HashSet},
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tokio::sync::mpsc::UnboundedSender;
use tokio_tungstenite::tungstenite::Message as Frame;

use crate::{ids::Ids, record::Record};

/// Slack's limit of connections per app (docs.slack.dev, Socket Mode).
const MOST_CONNECTIONS: usize = 10;

/// Orders to the task of a connection.
#[derive(Debug)]
pub(crate) enum Order {
    Send(Frame),
    /// Drop the TCP connection without a close frame.
    Cut,
    /// Keep the TCP connection open, and never read or write again.
    Freeze,
}

/// A connection of the app, open or closed.
#[derive(Clone, Debug)]
pub struct Connection {
    /// Counts from 1 in the order in which connections were opened.
    pub number: u64,
    /// When it was opened, in real time.
    pub opened: Instant,
    /// When it ended, in real time; `None` while it is open.
    pub closed: Option<Instant>,
    /// Whether the app closed it with a close frame.
    pub closed_by_app: bool,
    /// Pings the app sent.
    pub pings: u64,
    /// Pongs the app sent.
    pub pongs: u64,
    /// Slack has asked the app to close this connection, and prefers others.
    leaving: bool,
    orders: UnboundedSender<Order>,
}

impl Connection {
    pub fn is_open(&self) -> bool {
        self.closed.is_none()
    }
}

/// A received acknowledgement.
#[derive(Clone, Debug)]
pub struct Ack {
    pub envelope_id: String,
    /// The connection's number.
    pub connection: u64,
    pub payload: Option<Value>,
    /// Real time since the envelope was last sent.
    pub latency: Duration,
    /// In real time.
    pub at: Instant,
}

#[derive(Debug)]
struct Envelope {
    frame: Value,
    sent_at: Instant,
    sent: usize,
    acked: usize,
}

/// The state of Socket Mode.
#[derive(Debug)]
pub(crate) struct Hub {
    tickets: HashSet<String>,
    connections: Vec<Connection>,
    turn: usize,
    envelopes: HashMap<String, Envelope>,
    acks: Vec<Ack>,
    pub(crate) greets: bool,
}

impl Default for Hub {
    fn default() -> Self {
        Self {
            tickets: HashSet::new(),
            connections: Vec::new(),
            turn: 0,
            envelopes: HashMap::new(),
            acks: Vec::new(),
            greets: true,
        }
    }
}

impl Hub {
    /// Allows one connection with this ticket.
    pub(crate) fn admit(&mut self, ticket: String) {
        self.tickets.insert(ticket);
    }

    /// Uses up a ticket; false if it is unknown or used.
    pub(crate) fn take_ticket(&mut self, ticket: &str) -> bool {
        self.tickets.remove(ticket)
    }

    /// Adds a connection and returns its number; `None` if there are too many.
    pub(crate) fn connect(&mut self, orders: UnboundedSender<Order>) -> Option<u64> {
        if self.open_count() >= MOST_CONNECTIONS {
            return None;
        }
        let number = self.connections.len() as u64 + 1;
        self.connections.push(Connection {
            number,
            opened: Instant::now(),
            closed: None,
            closed_by_app: false,
            pings: 0,
            pongs: 0,
            leaving: false,
            orders,
        });
        Some(number)
    }

    pub(crate) fn connections(&self) -> &[Connection] {
        &self.connections
    }

    pub(crate) fn open_count(&self) -> usize {
        self.connections.iter().filter(|c| c.is_open()).count()
    }

    pub(crate) fn connection(&mut self, number: u64) -> Option<&mut Connection> {
        self.connections.iter_mut().find(|c| c.number == number)
    }

    pub(crate) fn ended(&mut self, number: u64, by_app: bool) {
        if let Some(connection) = self.connection(number).filter(|c| c.is_open()) {
            connection.closed = Some(Instant::now());
            connection.closed_by_app = by_app;
        }
    }

    /// The next connection in turn; Slack may use any. A leaving connection is used only if there is no other.
    pub(crate) fn next_connection(&mut self) -> Option<u64> {
        let mut open: Vec<&Connection> = self.connections.iter().filter(|c| c.is_open()).collect();
        if open.iter().any(|c| !c.leaving) {
            open.retain(|c| !c.leaving);
        }
        if open.is_empty() {
            return None;
        }
        self.turn += 1;
        open.get(self.turn % open.len()).map(|c| c.number)
    }

    /// Sends an order to an open connection; false if there is none of that number.
    pub(crate) fn order(&mut self, number: u64, order: Order) -> bool {
        self.connection(number).filter(|c| c.is_open()).is_some_and(|c| c.orders.send(order).is_ok())
    }

    /// Stops sending envelopes over a connection while others are open.
    pub(crate) fn leave(&mut self, number: u64) {
        if let Some(connection) = self.connection(number) {
            connection.leaving = true;
        }
    }

    /// Sends a new envelope over the next connection, and returns its id and whether it was sent.
    pub(crate) fn send(
        &mut self,
        ids: &mut Ids,
        kind: &str,
        payload: Value,
        accepts_payload: bool,
    ) -> (String, bool) {
        let id = ids.envelope();
        let frame = json!({
            "envelope_id": id,
            "type": kind,
            "accepts_response_payload": accepts_payload,
            "payload": payload,
        });
        let sent = self.send_frame(&id, frame);
        (id, sent)
    }

    /// Sends a complete envelope, for the first time or again.
    pub(crate) fn send_frame(&mut self, id: &str, frame: Value) -> bool {
        let text = frame.to_string();
        let now = Instant::now();
        let new = || Envelope { frame: Value::Null, sent_at: now, sent: 0, acked: 0 };
        let next = self.next_connection();
        let envelope = self.envelopes.entry(id.to_owned()).or_insert_with(new);
        (envelope.frame, envelope.sent_at) = (frame, now);
        let Some(number) = next else { return false };
        envelope.sent += 1;
        self.order(number, Order::Send(Frame::text(text)))
    }

    /// The frame of a sent envelope.
    pub(crate) fn frame(&self, id: &str) -> Option<&Value> {
        self.envelopes.get(id).map(|e| &e.frame)
    }

    /// Handles a frame from the app; records frames that no app should send.
    pub(crate) fn receive(&mut self, connection: u64, text: &str, record: &mut Record) {
        let Ok(message) = serde_json::from_str::<Value>(text) else {
            return record.unexpected(format!("not JSON over Socket Mode: {text}"));
        };
        let id = message["envelope_id"].as_str().unwrap_or_default().to_owned();
        let Some(envelope) = self.envelopes.get_mut(&id) else {
            return record.unexpected(format!("acknowledgement of an unknown envelope: {text}"));
        };
        envelope.acked += 1;
        if envelope.acked > envelope.sent {
            record.unexpected(format!("envelope {id} acknowledged more often than sent"));
        }
        let payload = message.get("payload").filter(|p| !p.is_null()).cloned();
        if payload.is_some() && envelope.frame["accepts_response_payload"] != true {
            record.unexpected(format!("envelope {id} takes no payload with its acknowledgement: {text}"));
        }
        let submitted = &envelope.frame["payload"];
        if submitted["type"] == "view_submission" {
            for id in payload.iter().flat_map(|payload| unknown_inputs(&submitted["view"], payload)) {
                record.complain(format!(
                    "acknowledgement of a submission: errors: no input block has the id {id}"
                ));
            }
        }
        let at = Instant::now();
        let latency = at - envelope.sent_at;
        self.acks.push(Ack { envelope_id: id, connection, payload, latency, at });
    }

    pub(crate) fn acks(&self) -> &[Ack] {
        &self.acks
    }

    /// The first acknowledgement of an envelope.
    pub(crate) fn ack_of(&self, id: &str) -> Option<&Ack> {
        self.acks.iter().find(|a| a.envelope_id == id)
    }
}

/// Inputs with errors in an acknowledgement that the submitted view does not have.
pub(crate) fn unknown_inputs(submitted: &Value, acknowledgement: &Value) -> Vec<String> {
    let blocks = submitted["blocks"].as_array().map_or(&[][..], Vec::as_slice);
    let has_input = |id: &str| blocks.iter().any(|block| block["type"] == "input" && block["block_id"] == id);
    let errors =
        acknowledgement["errors"].as_object().filter(|_| acknowledgement["response_action"] == "errors");
    errors.into_iter().flat_map(|errors| errors.keys()).filter(|id| !has_input(id)).cloned().collect()
}
