//! `healthcheck`: asks the running program for `/health/live`. Containers call it, so it needs no shell.

use crate::config::Config;
use anyhow::Context;
use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::Empty;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

/// A healthy program answers in milliseconds.
const LIMIT: Duration = Duration::from_secs(5);

pub(super) async fn run(config: &Config) -> anyhow::Result<()> {
    let address = reachable(config.listen);
    let request = Request::get(format!("http://{address}/health/live")).body(Empty::<Bytes>::new())?;
    let client = Client::builder(TokioExecutor::new()).build_http();
    let answer = tokio::time::timeout(LIMIT, client.request(request)).await;
    let answer =
        answer.context("no answer in 5 s")?.with_context(|| format!("nothing answers at {address}"))?;
    anyhow::ensure!(answer.status() == StatusCode::OK, "{address} answers {}", answer.status());
    Ok(())
}

/// An address at which a program that listens on all addresses can be reached.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, listen.port())
}
