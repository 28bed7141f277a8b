//! An HTTP proxy on loopback that opens tunnels (CONNECT) for clients with its credentials. Every tunnel
//! leads to one server, independent of the requested name.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::{CancellationToken, DropGuard};

/// Maximum head of a request, in bytes.
const HEAD_MAX: usize = 8 * 1024;

/// A running proxy; dropping it stops it.
pub struct ConnectProxy {
    address: SocketAddr,
    asked: Arc<Mutex<Vec<String>>>,
    _stop: DropGuard,
}

impl ConnectProxy {
    /// A proxy whose tunnels lead to `server`; `credentials` is the required `Proxy-Authorization`.
    pub async fn to(server: String, credentials: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (asked, stop) = (Arc::<Mutex<Vec<String>>>::default(), CancellationToken::new());
        let (heard, credentials) = (Arc::clone(&asked), credentials.to_owned());
        let serving = async move {
            while let Ok((client, _)) = listener.accept().await {
                let (server, credentials, heard) = (server.clone(), credentials.clone(), Arc::clone(&heard));
                tokio::spawn(tunnel(client, server, credentials, heard));
            }
        };
        let stopped = stop.clone();
        tokio::spawn(async move { stopped.run_until_cancelled(serving).await });
        Self { address, asked, _stop: stop.drop_guard() }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Each requested `host:port`, including refused requests.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

async fn tunnel(mut client: TcpStream, server: String, credentials: String, asked: Arc<Mutex<Vec<String>>>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") && head.len() < HEAD_MAX {
        let Ok(byte) = client.read_u8().await else { return };
        head.push(byte);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let to = head.strip_prefix("CONNECT ").and_then(|rest| rest.split(' ').next());
    asked.lock().unwrap().push(to.unwrap_or("no CONNECT").to_owned());
    let shown = head.lines().filter_map(|line| line.split_once(": "));
    let is_known = shown
        .filter(|(name, _)| name.eq_ignore_ascii_case("proxy-authorization"))
        .any(|(_, value)| value == credentials);
    if to.is_none() || !is_known {
        let _ = client.write_all(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n").await;
        return;
    }
    let Ok(mut server) = TcpStream::connect(server).await else { return };
    if client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await.is_ok() {
        let _ = copy_bidirectional(&mut client, &mut server).await;
    }
}
