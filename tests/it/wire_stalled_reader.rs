//! Socket Mode with a Slack that sends but never reads, which the sandbox cannot simulate.

use crate::support::wire::{DEADLINE, Script, Setup, command, slack_config};
use esb::clients::slack_api::SlackApi;
use esb::clock::Clock;
use esb::metrics::Metrics;
use esb::slack::intake::{Intake, Limits};
use esb::slack::socket::{SocketMode, SocketTimings};
use futures_util::SinkExt;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_util::sync::CancellationToken;

/// More than the network's buffers hold, when each is answered by a megabyte.
const ENVELOPES: usize = 40;

/// Accepts WebSockets and greets; tells everybody who asks over HTTP to come here.
struct Deaf {
    listener: TcpListener,
    url: String,
}

impl Deaf {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("127.0.0.1:{}", listener.local_addr().unwrap().port());
        Self { listener, url }
    }

    /// The next WebSocket, after its call of apps.connections.open.
    async fn greeted(&self) -> WebSocketStream<TcpStream> {
        let (mut http, _) = self.listener.accept().await.unwrap();
        let mut request = [0; 4096];
        assert!(http.read(&mut request).await.unwrap() > 0);
        let body = format!(r#"{{"ok":true,"url":"ws://{}/"}}"#, self.url);
        let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length";
        http.write_all(format!("{head}: {}\r\n\r\n{body}", body.len()).as_bytes()).await.unwrap();
        let (stream, _) = self.listener.accept().await.unwrap();
        let mut socket = tokio_tungstenite::accept_async(stream).await.unwrap();
        socket.send(Message::text(r#"{"type":"hello"}"#)).await.unwrap();
        socket
    }
}

#[tokio::test]
async fn stalled_writer_connection_is_replaced() {
    let deaf = Deaf::start().await;
    let setup = Setup::default();
    let mut config = slack_config(&setup.sandbox);
    config.api_url = format!("http://{}/api/", deaf.url);
    let (metrics, script) = (Metrics::new(), Script::new());
    let api = SlackApi::new(&config, metrics.clone()).unwrap();
    let intake = Intake::new(Arc::new(script.clone()), Clock::system(), metrics.clone(), Limits::default());
    let timings = SocketTimings { write: Duration::from_secs(1), ..setup.timings };
    let shutdown = CancellationToken::new();
    let running = tokio::spawn(SocketMode::new(api, intake, metrics, 1, timings).run(shutdown.clone()));

    let mut first = deaf.greeted().await;
    for n in 0..ENVELOPES {
        first.send(Message::text(command(&format!("e{n}"), "large").to_string())).await.unwrap();
    }
    script.wait_for(ENVELOPES).await;
    let second = tokio::time::timeout(DEADLINE, deaf.greeted()).await.unwrap();
    shutdown.cancel();
    tokio::time::timeout(DEADLINE, running).await.unwrap().unwrap();
    drop((first, second));
    assert_eq!(script.acted().len(), ENVELOPES);
}
