//! `healthcheck`: asks the running program for `/health/live`, or checks the age of its worker's heartbeat file.
//! Containers call it, so it needs no shell.

use crate::config::Config;
use anyhow::Context;
use bytes::Bytes;
use clap::Args;
use http::{Request, StatusCode};
use http_body_util::Empty;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

/// A healthy program answers in milliseconds.
const LIMIT: Duration = Duration::from_secs(5);

/// Age at which the heartbeat of a worker is stale. The worker renews it about every second.
const HEARTBEAT_MAX: Duration = Duration::from_secs(180);

#[derive(Debug, Args)]
pub(super) struct Healthcheck {
    /// Check the worker's heartbeat file instead
    #[arg(long)]
    worker: bool,
}

impl Healthcheck {
    pub(super) async fn run(self, config: &Config) -> anyhow::Result<()> {
        if self.worker { check_heartbeat(&config.worker_heartbeat) } else { check_live(config).await }
    }
}

fn check_heartbeat(file: &Path) -> anyhow::Result<()> {
    let metadata = fs::metadata(file).with_context(|| format!("no heartbeat at {}", file.display()))?;
    // A time in the future is that of a clock that was set back.
    let age = metadata.modified()?.elapsed().unwrap_or_default();
    let (name, seconds) = (file.display(), age.as_secs());
    anyhow::ensure!(age <= HEARTBEAT_MAX, "the heartbeat at {name} is {seconds} s old: the worker is stuck");
    Ok(())
}

async fn check_live(config: &Config) -> anyhow::Result<()> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::SystemTime;

    #[test]
    fn heartbeat_is_stale_after_three_minutes() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let aged = |seconds| {
            let time = SystemTime::now() - Duration::from_secs(seconds);
            file.as_file().set_modified(time).unwrap();
            check_heartbeat(file.path()).map_err(|error| error.to_string())
        };
        assert_eq!(aged(0), Ok(()));
        assert_eq!(aged(170), Ok(()));
        assert!(aged(185).unwrap_err().ends_with("the worker is stuck"));
        assert!(check_heartbeat(Path::new("/nowhere/heartbeat")).is_err());
    }
}
