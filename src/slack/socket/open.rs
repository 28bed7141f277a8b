//! Opens one connection: requests a URL, connects, does the handshake, waits for hello.

use super::Shared;
use crate::clients::slack_api::{SlackApiError, SlackStream};
use crate::slack::envelope::{DisconnectReason, Frame, Hello};
use futures_util::StreamExt;
use secrecy::{ExposeSecret, SecretString};
use std::time::Duration;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error as WebSocketError, Message};

/// Most bytes of a message: ten times the longest that Slack's limits allow. A longer one closes its connection, so
/// that it cannot exhaust our memory.
const LONGEST_MESSAGE: usize = 4 * 1024 * 1024;

pub(super) type WebSocket = WebSocketStream<SlackStream>;

/// Why a connection could not be opened.
#[derive(Debug, thiserror::Error)]
pub(super) enum OpenError {
    #[error(transparent)]
    Api(#[from] SlackApiError),
    #[error("the WebSocket handshake failed")]
    Handshake(#[source] WebSocketError),
    #[error("the connection ended before its hello")]
    Ended(#[source] Option<WebSocketError>),
    #[error("Slack disconnected before its hello: {}", .0.as_str())]
    Disconnected(DisconnectReason),
    #[error("no hello in time")]
    NoHello,
}

impl OpenError {
    /// Slack's Retry-After.
    pub(super) const fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Api(SlackApiError::RateLimited { retry_after }) => Some(*retry_after),
            _ => None,
        }
    }

    /// True when only the operator can fix it: a wrong token, a missing scope. An error during a Slack outage is
    /// not a refusal.
    pub(super) fn is_refusal(&self) -> bool {
        match self {
            Self::Api(SlackApiError::Auth { .. }) => true,
            Self::Api(SlackApiError::Refused { code }) => {
                !matches!(code.as_str(), "internal_error" | "fatal_error" | "service_unavailable")
            }
            _ => false,
        }
    }
}

/// A connection after its hello.
pub(super) async fn open(shared: &Shared) -> Result<(WebSocket, Hello), OpenError> {
    let url = shared.api.open_connection().await?;
    timeout(shared.timings.hello, async {
        let mut socket = connect(shared, &url).await?;
        let hello = hello(&mut socket).await?;
        Ok((socket, hello))
    })
    .await
    .unwrap_or(Err(OpenError::NoHello))
}

async fn connect(shared: &Shared, url: &SecretString) -> Result<WebSocket, OpenError> {
    let stream = shared.api.dial(url).await?;
    let limits = WebSocketConfig::default()
        .read_buffer_size(16 * 1024)
        .max_message_size(Some(LONGEST_MESSAGE))
        .max_frame_size(Some(LONGEST_MESSAGE))
        .max_write_buffer_size(LONGEST_MESSAGE);
    let opening = tokio_tungstenite::client_async_with_config(url.expose_secret(), stream, Some(limits));
    let (socket, _) = opening.await.map_err(OpenError::Handshake)?;
    Ok(socket)
}

async fn hello(socket: &mut WebSocket) -> Result<Hello, OpenError> {
    while let Some(message) = socket.next().await {
        let Message::Text(text) = message.map_err(|error| OpenError::Ended(Some(error)))? else { continue };
        match Frame::parse(&text) {
            Ok(Frame::Hello(hello)) => return Ok(hello),
            Ok(Frame::Disconnect(reason)) => return Err(OpenError::Disconnected(reason)),
            Ok(Frame::Delivery(_)) | Err(_) => return Err(OpenError::NoHello),
        }
    }
    Err(OpenError::Ended(None))
}
