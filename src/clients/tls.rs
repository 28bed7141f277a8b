//! The connector of all clients, for plain HTTP and for TLS (rustls, ring), directly or through the configured proxy.

use super::proxy::OutboundConnector;
use crate::config::Proxy;
use hyper_rustls::{ConfigBuilderExt, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use rustls::{ClientConfig, RootCertStore};
use std::sync::Arc;
use std::time::Duration;

/// How long one address may take to accept a TCP connection.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);

pub(super) type Connector = HttpsConnector<OutboundConnector>;

/// A connector that trusts the system's certificate authorities. Without any it only logs a warning: a Slack on
/// loopback needs none, and other connections fail with a TLS error.
pub(super) fn connector(proxy: Option<&Proxy>) -> Result<Connector, rustls::Error> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder =
        || ClientConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions();
    let trusting = match builder()?.with_native_roots() {
        Ok(trusting) => trusting,
        Err(error) => {
            let error: &dyn std::error::Error = &error;
            tracing::warn!(error, "no CA certificates found: https will not work");
            builder()?.with_root_certificates(RootCertStore::empty())
        }
    };
    let mut http = HttpConnector::new();
    http.enforce_http(false);
    http.set_nodelay(true);
    http.set_connect_timeout(Some(CONNECT_LIMIT));
    Ok(HttpsConnectorBuilder::new()
        .with_tls_config(trusting.with_no_client_auth())
        .https_or_http()
        .enable_http1()
        .wrap_connector(OutboundConnector::new(http, proxy)))
}
