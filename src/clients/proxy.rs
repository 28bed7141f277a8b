//! Connects directly, or through a tunnel (CONNECT) of the proxy in `HTTPS_PROXY`. Called by `tls`.

use crate::config::Proxy;
use futures_util::future::BoxFuture;
use futures_util::{FutureExt, TryFutureExt};
use http::Uri;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use hyper_util::rt::TokioIo;
use secrecy::ExposeSecret;
use std::net::IpAddr;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::net::TcpStream;
use tower::Service;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Opens TCP to a host, through the proxy if one is configured and the host is not excluded. Tunnels carry every
/// scheme: the proxy sees only host and port.
#[derive(Debug, Clone)]
pub(super) struct OutboundConnector {
    direct: HttpConnector,
    proxy: Option<Arc<Matcher>>,
}

/// The proxy rejects the tunnel, or does not answer.
#[derive(Debug, thiserror::Error)]
#[error("the proxy {address} (HTTPS_PROXY) opens no tunnel")]
struct ProxyError {
    address: String,
    #[source]
    cause: BoxError,
}

impl OutboundConnector {
    pub(super) fn new(direct: HttpConnector, proxy: Option<&Proxy>) -> Self {
        let rules = |proxy: &Proxy| {
            let rules = Matcher::builder().all(proxy.url.expose_secret().to_owned());
            Arc::new(rules.no(proxy.direct.clone()).build())
        };
        Self { direct, proxy: proxy.map(rules) }
    }

    /// The proxy for an address; `None` for a direct connection.
    fn proxy_for(&self, to: &Uri) -> Option<Intercept> {
        if is_here(to.host()?) {
            return None;
        }
        self.proxy.as_ref()?.intercept(to)
    }
}

/// True for a loopback address, which no proxy can reach.
fn is_here(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
    let is_loopback = |address: IpAddr| address.to_canonical().is_loopback();
    host == "localhost" || host.ends_with(".localhost") || host.parse().is_ok_and(is_loopback)
}

/// Adds the port: the tunnel defaults to 443.
fn with_port(to: Uri) -> Uri {
    if to.port().is_some() || to.scheme_str() != Some("http") {
        return to;
    }
    let authority = format!("{}:80", to.host().unwrap_or_default());
    Uri::builder().scheme("http").authority(authority).path_and_query("/").build().unwrap_or(to)
}

impl Service<Uri> for OutboundConnector {
    type Response = TokioIo<TcpStream>;
    type Error = BoxError;
    type Future = BoxFuture<'static, Result<Self::Response, BoxError>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.direct.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, to: Uri) -> Self::Future {
        let Some(proxy) = self.proxy_for(&to) else {
            return self.direct.call(to).map_err(Into::into).boxed();
        };
        let tunnel = Tunnel::new(proxy.uri().clone(), self.direct.clone());
        let mut tunnel = match proxy.basic_auth() {
            Some(credentials) => tunnel.with_auth(credentials.clone()),
            None => tunnel,
        };
        let address = proxy.uri().authority().map(ToString::to_string).unwrap_or_default();
        tunnel.call(with_port(to)).map_err(|error| ProxyError { address, cause: error.into() }.into()).boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Environment};

    fn connector(no_proxy: &str) -> OutboundConnector {
        let pairs = [("HTTPS_PROXY", "http://esb:hunter2@proxy.lan:3128"), ("NO_PROXY", no_proxy)];
        let environment: Environment = pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let proxy = Config::parse(&environment).unwrap().slack.proxy;
        OutboundConnector::new(HttpConnector::new(), proxy.as_ref())
    }

    #[test]
    fn no_proxy_hosts_bypass_the_proxy() {
        for (no_proxy, to, directly) in [
            ("", "https://slack.com/api/", false),
            ("", "http://slack.com/api/", false),
            ("", "https://127.0.0.1/", true),
            ("", "http://[::1]:80/", true),
            ("", "http://[::ffff:127.0.0.1]:80/", true),
            ("", "http://LOCALHOST:9000/", true),
            ("*", "https://slack.com/", true),
            ("slack.com", "https://slack.com/", true),
            ("slack.com", "https://files.Slack.com/", true),
            (".slack.com", "https://files.slack.com/", true),
            ("*.slack.com", "https://files.slack.com/", true),
            ("slack.com", "https://notslack.com/", false),
            ("lan 10.0.0.0/8", "http://minio.lan:9000/", true),
            ("lan,10.0.0.0/8", "http://10.2.3.4:9000/", true),
            ("lan,10.0.0.0/8", "http://11.2.3.4:9000/", false),
            ("fd00::/8", "http://[fd00::7]:9000/", true),
        ] {
            let proxy = connector(no_proxy).proxy_for(&to.parse().unwrap());
            assert_eq!(proxy.is_none(), directly, "{to} with NO_PROXY={no_proxy}");
        }
    }

    #[test]
    fn credentials_reach_proxy_but_are_never_displayed() {
        let connector = connector("");
        let proxy = connector.proxy_for(&"https://slack.com/".parse().unwrap()).unwrap();
        assert_eq!(proxy.uri().to_string(), "http://proxy.lan:3128/");
        assert_eq!(proxy.basic_auth().unwrap(), "Basic ZXNiOmh1bnRlcjI=");
        assert!(!format!("{connector:?} {proxy:?}").contains("hunter2"));
    }

    #[test]
    fn tunnels_of_http_end_at_port_80() {
        for (to, port) in
            [("http://s3.lan/x", Some(80)), ("http://s3.lan:9000/", Some(9000)), ("https://s3.lan/", None)]
        {
            assert_eq!(with_port(to.parse().unwrap()).port_u16(), port, "{to}");
        }
    }
}
