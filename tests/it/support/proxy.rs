//! A way to a server that a test can spoil: a TCP proxy on loopback that refuses, resets, or lets nothing
//! through. It understands nothing of what goes over it.

use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_util::sync::{CancellationToken, DropGuard};

/// Not 127.0.0.1: a port that is closed for a while must not become somebody's outgoing one.
const HERE: &str = "127.0.0.2:0";
/// How soon the port is tried again that we had ourselves.
const AGAIN: Duration = Duration::from_millis(20);

/// What happens to connections; they are numbered from 1.
#[derive(Debug, Clone, Copy)]
struct Rules {
    /// New ones are taken.
    open: bool,
    /// Bytes go through.
    flowing: bool,
    /// The last that lets nothing through, whatever the others do.
    stuck: u64,
    /// The last that was broken.
    broken: u64,
    /// How many were made.
    made: u64,
}

/// A running proxy; gone with the value.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    rules: watch::Sender<Rules>,
    _stop: DropGuard,
}

impl Proxy {
    /// A proxy for the server at that host and port, open.
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

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Breaks every connection without a word.
    pub fn reset(&self) {
        self.rules.send_modify(|rules| rules.broken = rules.made);
    }

    /// Refuses new connections and breaks those that are there.
    pub fn refuse(&self) {
        self.rules.send_modify(|rules| (rules.open, rules.broken) = (false, rules.made));
    }

    /// Lets nothing through and breaks nothing: a cable that was pulled.
    pub fn stall(&self) {
        self.rules.send_modify(|rules| rules.flowing = false);
    }

    /// Lets nothing through the connections that are there, ever; new ones work.
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
            // Nobody sends any more: the proxy is gone.
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

/// One connection, until either side ends it or it is broken.
async fn connection(client: TcpStream, server: String, number: u64, rules: watch::Receiver<Rules>) {
    let mut breaks = rules.clone();
    let through = async {
        let Ok(server) = TcpStream::connect(server).await else { return };
        // So that whatever ends it resets it.
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

/// Carries bytes while they may flow; ends with either end.
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
    // An end is no more seen through a pulled cable than anything else.
    let _ = rules.wait_for(|rules| rules.flowing && number > rules.stuck).await;
}
