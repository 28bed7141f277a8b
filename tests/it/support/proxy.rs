//! A TCP proxy on loopback that refuses, resets or stalls connections when a test says so. It does not
//! interpret the traffic.

use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_util::sync::{CancellationToken, DropGuard};

/// Not 127.0.0.1: a port that is closed for a while must not become the source port of another connection.
const HERE: &str = "127.0.0.2:0";
/// Interval between attempts to bind our previous port.
const AGAIN: Duration = Duration::from_millis(20);

/// How connections are treated; they are numbered from 1.
#[derive(Debug, Clone, Copy)]
struct Rules {
    /// New connections are accepted.
    open: bool,
    /// Bytes are forwarded.
    flowing: bool,
    /// Connections up to this one forward nothing.
    stuck: u64,
    /// Connections up to this one are reset.
    broken: u64,
    /// The number of connections so far.
    made: u64,
}

/// A running proxy; dropping it stops it.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    rules: watch::Sender<Rules>,
    _stop: DropGuard,
}

impl Proxy {
    /// A proxy for the server at `host:port`, accepting connections.
    pub async fn to(server: &str) -> Self {
        let listener = TcpListener::bind(HERE).await.unwrap();
        let address = listener.local_addr().unwrap();
        let rules = watch::Sender::new(Rules { open: true, flowing: true, stuck: 0, broken: 0, made: 0 });
        let stop = CancellationToken::new();
        let serving = serve(listener, address, server.to_owned(), rules.clone());
        let stopped = stop.clone();
        tokio::spawn(async move { stopped.run_until_cancelled(serving).await });
        Self { address, rules, _stop: stop.drop_guard() }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Resets every connection.
    pub fn reset(&self) {
        self.rules.send_modify(|rules| rules.broken = rules.made);
    }

    /// Refuses new connections and resets the existing ones.
    pub fn refuse(&self) {
        self.rules.send_modify(|rules| (rules.open, rules.broken) = (false, rules.made));
    }

    /// Forwards nothing and resets nothing, like an unplugged cable.
    pub fn stall(&self) {
        self.rules.send_modify(|rules| rules.flowing = false);
    }

    /// Existing connections forward nothing any more; new ones work.
    pub fn stall_existing(&self) {
        self.rules.send_modify(|rules| rules.stuck = rules.made);
    }

    /// Ends [`Proxy::refuse`] and [`Proxy::stall`].
    pub fn restore(&self) {
        self.rules.send_modify(|rules| (rules.open, rules.flowing) = (true, true));
    }
}

async fn serve(listener: TcpListener, address: SocketAddr, server: String, rules: watch::Sender<Rules>) {
    let mut changes = rules.subscribe();
    let mut listener = Some(listener);
    loop {
        let Some(listening) = &listener else {
            // The proxy was dropped.
            let Ok(_) = changes.wait_for(|rules| rules.open).await else { return };
            listener = TcpListener::bind(address).await.ok();
            if listener.is_none() {
                tokio::time::sleep(AGAIN).await;
            }
            continue;
        };
        let accepted = tokio::select! {
            accepted = listening.accept() => accepted,
            closed = changes.wait_for(|rules| !rules.open) => {
                if closed.is_err() {
                    return;
                }
                drop(closed);
                listener = None;
                continue;
            }
        };
        let Ok((client, _)) = accepted else { continue };
        let mut number = 0;
        rules.send_modify(|rules| {
            rules.made += 1;
            number = rules.made;
        });
        tokio::spawn(connection(client, server.clone(), number, rules.subscribe()));
    }
}

/// One connection, until either side closes it or it is reset.
async fn connection(client: TcpStream, server: String, number: u64, rules: watch::Receiver<Rules>) {
    let mut breaks = rules.clone();
    let through = async {
        let Ok(server) = TcpStream::connect(server).await else { return };
        // Every end of the connection is a reset.
        let _ = (client.set_zero_linger(), server.set_nodelay(true), client.set_nodelay(true));
        let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
        tokio::select! {
            () = pump(from_client, to_server, number, rules.clone()) => {}
            () = pump(from_server, to_client, number, rules) => {}
        }
    };
    tokio::select! {
        () = through => {}
        _ = breaks.wait_for(|rules| number <= rules.broken) => {}
    }
}

/// Copies bytes while they may flow, until either side closes.
async fn pump(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    number: u64,
    mut rules: watch::Receiver<Rules>,
) {
    let mut bytes = vec![0; 16 * 1024];
    while let Ok(read @ 1..) = from.read(&mut bytes).await {
        if rules.wait_for(|rules| rules.flowing && number > rules.stuck).await.is_err() {
            break;
        }
        if to.write_all(&bytes[..read]).await.is_err() {
            break;
        }
    }
    // A stalled connection does not show its end either.
    let _ = rules.wait_for(|rules| rules.flowing && number > rules.stuck).await;
}
