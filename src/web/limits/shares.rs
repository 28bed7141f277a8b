//! Resources shared by all clients (places, bytes), limited in total and per client (see [`ClientNetwork`]). A client's
//! part is released when its [`Share`] is dropped. Used by `server` (requests in flight), `body` and `upload` (bytes,
//! places) and `pages::events` (listeners).

use super::client_network::{ClientNetwork, SITE_FACTOR};
use crate::clock::{Clock, Throttle};
use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::timeout;

/// A resource with a limit in total and per client.
#[derive(Debug)]
pub struct Shares {
    what: &'static str,
    all: usize,
    of_client: usize,
    of_site: usize,
    usage: Mutex<Usage>,
    freed: Notify,
    log_throttle: Throttle,
}

#[derive(Debug, Default)]
struct Usage {
    all: usize,
    /// Usage by client and by site; entries of zero are removed.
    by: HashMap<ClientNetwork, usize>,
}

/// Which limit is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Exhausted {
    #[error("the client has used up its share")]
    Client,
    #[error("all is taken")]
    All,
}

/// The part of one request or connection.
pub struct Share {
    shares: Arc<Shares>,
    client: IpAddr,
    amount: AtomicUsize,
}

impl Shares {
    /// `all` units of `what`, at most `of_client` of them per client. An IPv6 site has [`SITE_FACTOR`] times as much,
    /// but at most half of all.
    pub fn new(clock: Clock, what: &'static str, all: usize, of_client: usize) -> Arc<Self> {
        let of_site = (of_client * SITE_FACTOR as usize).min(all / 2).max(of_client);
        let log_throttle = Throttle::new(clock);
        Arc::new(Self {
            what,
            all,
            of_client,
            of_site,
            usage: Mutex::default(),
            freed: Notify::new(),
            log_throttle,
        })
    }

    /// An empty share for `client`; [`Share::grow`] takes units.
    pub fn open(self: &Arc<Self>, client: IpAddr) -> Share {
        Share { shares: Arc::clone(self), client, amount: AtomicUsize::new(0) }
    }

    /// Takes one unit for `client`.
    ///
    /// # Errors
    /// None is left (logged).
    pub fn take(self: &Arc<Self>, client: IpAddr) -> Result<Share, Exhausted> {
        let share = self.open(client);
        share.grow(1)?;
        Ok(share)
    }

    /// Takes one unit for `client`, waiting for it if necessary.
    ///
    /// # Errors
    /// None was left `within` that time (logged).
    pub async fn wait(self: &Arc<Self>, client: IpAddr, within: Duration) -> Result<Share, Exhausted> {
        let share = self.open(client);
        let taking = async {
            loop {
                let freed = self.freed.notified();
                if self.add(client, 1).is_ok() {
                    break;
                }
                freed.await;
            }
        };
        if timeout(within, taking).await.is_err() {
            share.grow(1)?;
        } else {
            share.amount.store(1, Ordering::Relaxed);
        }
        Ok(share)
    }

    fn add(&self, client: IpAddr, amount: usize) -> Result<(), Exhausted> {
        if amount == 0 {
            return Ok(());
        }
        let mut usage = self.usage();
        if self.all - usage.all < amount {
            return Err(Exhausted::All);
        }
        let counted = [
            (Some(ClientNetwork::of(client)), self.of_client),
            (ClientNetwork::site_of(client), self.of_site),
        ];
        let counted = || counted.iter().filter_map(|(network, most)| Some(((*network)?, *most)));
        for (network, most) in counted() {
            if most - usage.by.get(&network).copied().unwrap_or_default() < amount {
                return Err(Exhausted::Client);
            }
        }
        for (network, _) in counted() {
            *usage.by.entry(network).or_default() += amount;
        }
        usage.all += amount;
        Ok(())
    }

    fn give_back(&self, client: IpAddr, amount: usize) {
        if amount == 0 {
            return;
        }
        let mut usage = self.usage();
        usage.all -= amount;
        for network in [Some(ClientNetwork::of(client)), ClientNetwork::site_of(client)].into_iter().flatten()
        {
            if let Some(of_network) = usage.by.get_mut(&network) {
                *of_network -= amount;
                if *of_network == 0 {
                    usage.by.remove(&network);
                }
            }
        }
        drop(usage);
        self.freed.notify_waiters();
    }

    fn usage(&self) -> MutexGuard<'_, Usage> {
        self.usage.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn log_refusal(&self, client: IpAddr, exhausted: Exhausted) {
        let Some(skipped) = self.log_throttle.pass() else { return };
        let (what, client, of_client, all) = (self.what, ClientNetwork::of(client), self.of_client, self.all);
        match exhausted {
            Exhausted::Client => tracing::warn!(
                what, %client, of_client, all, skipped, "address used up its share: requests refused"
            ),
            Exhausted::All => {
                tracing::warn!(what, %client, of_client, all, skipped, "all places taken: requests refused");
            }
        }
    }
}

impl Share {
    /// Takes more units.
    ///
    /// # Errors
    /// Fewer are left (logged).
    pub fn grow(&self, more: usize) -> Result<(), Exhausted> {
        self.shares
            .add(self.client, more)
            .inspect_err(|exhausted| self.shares.log_refusal(self.client, *exhausted))?;
        self.amount.fetch_add(more, Ordering::Relaxed);
        Ok(())
    }

    /// Releases units, at most what the share has.
    pub fn shrink(&self, less: usize) {
        let had = self
            .amount
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |had| Some(had.saturating_sub(less)));
        self.shares.give_back(self.client, had.unwrap_or_default().min(less));
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.shares.give_back(self.client, *self.amount.get_mut());
    }
}

impl fmt::Debug for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Share")
            .field("what", &self.shares.what)
            .field("amount", &self.amount)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shares(all: usize, of_client: usize) -> Arc<Shares> {
        Shares::new(Clock::system(), "places of a test", all, of_client)
    }

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn one_client_cannot_take_everything() {
        let shares = shares(5, 2);
        let (ana, bo, cy) = (address("198.51.100.1"), address("198.51.100.2"), address("198.51.100.3"));
        let of_ana = [shares.take(ana).unwrap(), shares.take(ana).unwrap()];
        assert_eq!(shares.take(ana).unwrap_err(), Exhausted::Client);
        let _of_others = [shares.take(bo).unwrap(), shares.take(bo).unwrap(), shares.take(cy).unwrap()];
        assert_eq!(shares.take(cy).unwrap_err(), Exhausted::All);
        drop(of_ana);
        let of_cy = shares.take(cy).unwrap();
        assert_eq!(shares.usage().all, 4);
        drop(of_cy);
    }

    #[test]
    fn ipv6_counts_by_line_and_by_site() {
        let shares = shares(100, 3);
        let taken: Vec<Share> =
            (0..100).filter_map(|n| shares.take(address(&format!("2001:db8:1:{n:x}::{n:x}"))).ok()).collect();
        assert_eq!(taken.len(), 12, "four times what one line has");
        let same_line = || shares.take(address("2001:db8:2:7::1"));
        let held = [same_line(), same_line(), same_line()];
        assert!(held.iter().all(Result::is_ok));
        assert_eq!(shares.take(address("2001:db8:2:7:ffff::1")).unwrap_err(), Exhausted::Client);
        assert!(shares.take(address("2001:db8:2:8::1")).is_ok());
    }

    #[test]
    fn bytes_grow_and_shrink() {
        let shares = shares(100, 60);
        let share = shares.open(address("198.51.100.1"));
        share.grow(50).unwrap();
        assert_eq!(share.grow(11), Err(Exhausted::Client));
        share.shrink(20);
        share.grow(30).unwrap();
        share.shrink(1_000);
        assert_eq!(shares.usage().all, 0);
        drop(share);
        assert!(shares.usage().by.is_empty());
    }

    #[tokio::test]
    async fn waiting_ends_with_a_place_or_in_time() {
        let shares = shares(1, 1);
        let (ana, bo) = (address("198.51.100.1"), address("198.51.100.2"));
        let first = shares.take(ana).unwrap();
        assert_eq!(shares.wait(bo, Duration::ZERO).await.unwrap_err(), Exhausted::All);
        let waiting = tokio::spawn({
            let shares = Arc::clone(&shares);
            async move { shares.wait(bo, Duration::from_secs(60)).await }
        });
        tokio::task::yield_now().await;
        drop(first);
        let second = waiting.await.unwrap().unwrap();
        assert_eq!(shares.usage().all, 1);
        drop(second);
        assert_eq!(shares.usage().all, 0);
    }

    proptest! {
        #[test]
        fn everything_is_given_back(steps in prop::collection::vec((0..4u8, 0..40usize, any::<bool>()), 0..60)) {
            let shares = shares(100, 50);
            let held: Vec<Share> =
                (0..4u8).map(|n| shares.open(address(&format!("2001:db8:{}:{n}::1", n % 2)))).collect();
            for (who, amount, grows) in steps {
                let share = &held[usize::from(who)];
                if grows { let _ = share.grow(amount); } else { share.shrink(amount); }
                let sum: usize = held.iter().map(|share| share.amount.load(Ordering::Relaxed)).sum();
                prop_assert_eq!(shares.usage().all, sum);
                prop_assert!(sum <= 100 && held.iter().all(|share| share.amount.load(Ordering::Relaxed) <= 50));
            }
            drop(held);
            prop_assert!(shares.usage().all == 0 && shares.usage().by.is_empty());
        }
    }
}
