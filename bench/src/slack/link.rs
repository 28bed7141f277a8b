//! Socket Mode connections: sends hello and queued frames, and reports every frame. Started by `Slack`.

use super::{Arrival, SlackCall};
use futures_util::stream::SplitSink;
use futures_util::{SinkExt, StreamExt};
use std::time::Instant;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

const HELLO: &str = r#"{"type":"hello","num_connections":1,"connection_info":{"app_id":"A0BENCH"},"debug_info":{"host":"bench","build_number":1,"approximate_connection_time":18060}}"#;

pub(super) async fn serve(listener: TcpListener, tell: UnboundedSender<Arrival>) {
    while let Ok((stream, _)) = listener.accept().await {
        tokio::spawn(connection(stream, tell.clone()));
    }
}

/// Ends with its connection. The measurement notices a missing connection by its time-out.
async fn connection(stream: TcpStream, tell: UnboundedSender<Arrival>) {
    let _ = stream.set_nodelay(true);
    let Ok(mut socket) = tokio_tungstenite::accept_async(stream).await else { return };
    if socket.send(Message::text(HELLO)).await.is_err() {
        return;
    }
    let (sink, mut frames) = socket.split();
    let (link, queue) = unbounded_channel();
    tokio::spawn(write(sink, queue));
    let _ = tell.send(Arrival { at: Instant::now(), what: SlackCall::Connected(link) });
    while let Some(Ok(frame)) = frames.next().await {
        if let Message::Text(text) = frame {
            let _ = tell.send(Arrival { at: Instant::now(), what: SlackCall::Acknowledged(text) });
        }
    }
}

/// Writes all queued frames at once, so that many frames cost few system calls.
async fn write(
    mut sink: SplitSink<WebSocketStream<TcpStream>, Message>,
    mut queue: UnboundedReceiver<Message>,
) {
    while let Some(frame) = queue.recv().await {
        let mut next = Some(frame);
        while let Some(frame) = next {
            if sink.feed(frame).await.is_err() {
                return;
            }
            next = queue.try_recv().ok();
        }
        if sink.flush().await.is_err() {
            return;
        }
    }
}
