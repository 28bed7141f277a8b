//! Upgrades HTTP to a WebSocket.
//!
//! Owns: the handshake and its ticket. Must not: implement Socket Mode (that is `connection_task`).
//! Called by: `server`.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode, header};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{handshake::derive_accept_key, protocol::Role},
};

use super::{Reply, plain};
use crate::{connection_task, state::Shared};

/// Answers an upgrade request, and serves the WebSocket once HTTP has released the connection.
pub(super) fn reply(shared: Arc<Shared>, request: &mut Request<Incoming>) -> Reply {
    let query = request.uri().query().unwrap_or_default();
    let ticket =
        form_urlencoded::parse(query.as_bytes()).find(|(k, _)| k == "ticket").map(|(_, v)| v.into_owned());
    let admitted = ticket.is_some_and(|ticket| shared.with(|state| state.hub.take_ticket(&ticket)));
    if !admitted {
        shared
            .with(|state| state.record.unexpected("a WebSocket without a ticket, or with one that was used"));
        return plain(StatusCode::FORBIDDEN, "invalid ticket");
    }
    let Some(accept) = request
        .headers()
        .get(header::SEC_WEBSOCKET_KEY)
        .and_then(|key| HeaderValue::from_str(&derive_accept_key(key.as_bytes())).ok())
    else {
        return plain(StatusCode::BAD_REQUEST, "not a WebSocket handshake");
    };
    let upgrade = hyper::upgrade::on(request);
    tokio::spawn(async move {
        match upgrade.await {
            Ok(io) => {
                let socket = WebSocketStream::from_raw_socket(TokioIo::new(io), Role::Server, None).await;
                connection_task::serve(shared, socket).await;
            }
            Err(error) => tracing::debug!(%error, "handshake aborted"),
        }
    });
    let mut reply = Response::new(Full::new(Bytes::new()));
    *reply.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    reply.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    reply.headers_mut().insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    reply.headers_mut().insert(header::SEC_WEBSOCKET_ACCEPT, accept);
    reply
}
