//! One connection: the task between a WebSocket and the hub.
//!
//! Owns: the WebSocket, `hello`, pings. Must not: interpret envelopes. Called by: `server`, after the HTTP upgrade.

use std::sync::Arc;

use futures_util::{SinkExt, StreamExt};
use serde_json::json;
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite},
    sync::mpsc::{UnboundedReceiver, unbounded_channel},
    time::{Instant, interval_at},
};
use tokio_tungstenite::{WebSocketStream, tungstenite::Message as Frame};

use crate::hub::Order;
use crate::state::{Shared, State};

/// Lifetime of a connection as announced by Slack, in seconds; about five hours.
const LASTS: u64 = 18_060;

/// How a connection ended.
enum End {
    /// The app sent a close frame, and the sandbox answered it.
    ClosedByApp,
    /// The connection broke, or the sandbox stops.
    Gone,
}

/// Serves one connection until it ends.
pub(crate) async fn serve<S>(shared: Arc<Shared>, mut socket: WebSocketStream<S>)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let (sender, orders) = unbounded_channel();
    let Some(number) = shared.with(|state| state.hub.connect(sender)) else {
        let frame =
            json!({"type": "disconnect", "reason": "too_many_websockets", "debug_info": {"host": "sandbox"}});
        // The connection ends here even if the refusal cannot be sent.
        _ = socket.send(Frame::text(frame.to_string())).await;
        _ = socket.close(None).await;
        return;
    };
    let end = tokio::select! {
        end = converse(&shared, &mut socket, number, orders) => end,
        () = shared.stop.cancelled() => End::Gone,
    };
    shared.with(|state| state.hub.ended(number, matches!(end, End::ClosedByApp)));
    if matches!(end, End::ClosedByApp) {
        linger(&shared, socket).await;
    }
}

/// Slack keeps TCP open after the closing handshake and leaves the closing to the app.
async fn linger<S: AsyncRead + Unpin>(shared: &Shared, socket: WebSocketStream<S>) {
    let mut stream = socket.into_inner();
    let mut rest = [0; 256];
    tokio::select! {
        () = async { while stream.read(&mut rest).await.is_ok_and(|n| n > 0) {} } => {}
        () = shared.stop.cancelled() => {}
    }
}

fn hello(state: &State) -> Frame {
    let hello = json!({
        "type": "hello",
        "num_connections": state.hub.open_count(),
        "connection_info": {"app_id": state.world.app_id},
        "debug_info": {"host": "sandbox", "build_number": 1, "approximate_connection_time": LASTS},
    });
    Frame::text(hello.to_string())
}

async fn converse<S>(
    shared: &Shared,
    socket: &mut WebSocketStream<S>,
    number: u64,
    mut orders: UnboundedReceiver<Order>,
) -> End
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let (greeting, every) = shared.with(|s| (s.hub.greets.then(|| hello(s)), s.options.ping_every));
    if let Some(greeting) = greeting
        && socket.send(greeting).await.is_err()
    {
        return End::Gone;
    }
    let mut pings = interval_at(Instant::now() + every, every);
    let mut closing = false;
    loop {
        let to_send = tokio::select! {
            order = orders.recv() => match order {
                Some(Order::Send(frame)) => frame,
                Some(Order::Freeze) => {
                    // Keeps TCP open without reading or writing until a cut.
                    while !matches!(orders.recv().await, None | Some(Order::Cut)) {}
                    return End::Gone;
                }
                Some(Order::Cut) | None => return End::Gone,
            },
            _ = pings.tick() => Frame::Ping("sandbox".into()),
            frame = socket.next() => {
                match frame {
                    Some(Ok(Frame::Close(_))) => closing = true,
                    Some(Ok(frame)) => shared.with(|state| receive(state, number, &frame)),
                    // After a close frame the stream ends with the handshake.
                    None if closing => return End::ClosedByApp,
                    Some(Err(_)) | None => return End::Gone,
                }
                continue;
            }
        };
        if socket.send(to_send).await.is_err() && !closing {
            return End::Gone;
        }
    }
}

fn receive(state: &mut State, number: u64, frame: &Frame) {
    match frame {
        Frame::Text(text) => state.hub.receive(number, text, &mut state.record),
        Frame::Ping(_) => {
            if let Some(connection) = state.hub.connection(number) {
                connection.pings += 1;
            }
        }
        Frame::Pong(_) => {
            if let Some(connection) = state.hub.connection(number) {
                connection.pongs += 1;
            }
        }
        _ => state.record.unexpected("a binary frame over Socket Mode"),
    }
}
