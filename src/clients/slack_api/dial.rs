//! Opens the byte stream of a Socket Mode connection: TCP for `ws:`, TLS for `wss:`. `slack::socket` has the protocol.

use super::error::{Outage, SlackApiError};
use crate::clients::tls::Connector;
use http::Uri;
use http::uri::Scheme;
use hyper_rustls::MaybeHttpsStream;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tower::ServiceExt;

pub type SlackStream = TokioIo<MaybeHttpsStream<TokioIo<TcpStream>>>;

pub(super) async fn dial(connector: Connector, url: &str) -> Result<SlackStream, SlackApiError> {
    let uri = address(url).ok_or(SlackApiError::Unavailable(Outage::Undecodable))?;
    let stream =
        connector.oneshot(uri).await.map_err(|error| SlackApiError::Unavailable(Outage::Network(error)))?;
    Ok(TokioIo::new(stream))
}

/// The same host and port under the connector's scheme. The rest of the URL is a secret and is not needed.
fn address(url: &str) -> Option<Uri> {
    let uri: Uri = url.parse().ok()?;
    let scheme = match uri.scheme_str()? {
        "ws" => Scheme::HTTP,
        "wss" => Scheme::HTTPS,
        _ => return None,
    };
    Uri::builder().scheme(scheme).authority(uri.authority()?.clone()).path_and_query("/").build().ok()
}
