//! Rate limits per client or per name: governor over monotonic time, with bounded memory. [`ClientNetwork`] defines one
//! client.

use super::client_network::{ClientNetwork, SITE_FACTOR};
use crate::clock::Clock;
use crate::domain::text::caseless;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::StateStore;
use governor::{Quota, RateLimiter};
use hashlink::LruCache;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Most clients, sites and names remembered, of each. Beyond it the least recently used are dropped. 10,000 of them
/// take about 1 MB.
const MAX_KEYS: usize = 10_000;

/// What a rate limit counts.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Key {
    Client(ClientNetwork),
    Name(String),
}

/// A token bucket per client address. A full bucket gives its whole burst at once and refills during the window, so the
/// first window allows up to twice the limit, and each later one at most the limit. An IPv6 site has [`SITE_FACTOR`]
/// times as much.
#[derive(Debug)]
pub struct Limit {
    clients: Buckets,
    sites: Buckets,
}

impl Limit {
    /// Allows `times` at once, then one more after each `times`th part of `window`. Zero is treated as one.
    pub fn new(clock: Clock, times: u32, window: Duration) -> Self {
        let of_site = times.max(1).saturating_mul(SITE_FACTOR);
        Self {
            clients: Buckets::new(clock.clone(), times, window),
            sites: Buckets::new(clock, of_site, window),
        }
    }

    /// Counts one request of `client`.
    ///
    /// # Errors
    /// How long to wait, if the limit is reached.
    pub fn count(&self, client: IpAddr) -> Result<(), Duration> {
        // The client first, so that one client over its limit uses up nothing of its site's.
        let key = Key::Client(ClientNetwork::of(client));
        self.clients.count(key.clone())?;
        let Some(site) = ClientNetwork::site_of(client) else { return Ok(()) };
        self.sites.count(Key::Client(site)).inspect_err(|_| self.clients.give_back(&key))
    }

    /// Counts one request for `name`, case-insensitive.
    ///
    /// # Errors
    /// How long to wait, if the limit is reached.
    pub fn count_name(&self, name: &str) -> Result<(), Duration> {
        self.clients.count(Key::Name(caseless(name.trim())))
    }

    /// Refunds the last count for `client`: it failed because of us, or was no guess.
    pub fn give_back(&self, client: IpAddr) {
        self.clients.give_back(&Key::Client(ClientNetwork::of(client)));
        if let Some(site) = ClientNetwork::site_of(client) {
            self.sites.give_back(&Key::Client(site));
        }
    }

    pub fn give_back_name(&self, name: &str) {
        self.clients.give_back(&Key::Name(caseless(name.trim())));
    }
}

/// A key for a name at one client: counts of other clients do not affect it.
pub fn name_at(client: IpAddr, name: &str) -> String {
    format!("{} {}", ClientNetwork::of(client), name.trim())
}

#[derive(Debug)]
struct Buckets {
    limiter: RateLimiter<Key, RecentBuckets, Clock, NoOpMiddleware<Nanos>>,
    recent: RecentBuckets,
    clock: Clock,
    /// Time until one more is allowed.
    period: Duration,
}

impl Buckets {
    fn new(clock: Clock, times: u32, window: Duration) -> Self {
        let times = NonZeroU32::new(times).unwrap_or(NonZeroU32::MIN);
        let period = window / times.get();
        let quota = Quota::with_period(period).unwrap_or_else(|| Quota::per_minute(times)).allow_burst(times);
        let recent = RecentBuckets::default();
        Self { limiter: RateLimiter::new(quota, recent.clone(), clock.clone()), recent, clock, period }
    }

    fn count(&self, key: Key) -> Result<(), Duration> {
        self.limiter
            .check_key(&key)
            .map_err(|refusal| refusal.wait_time_from(governor::clock::Clock::now(&self.clock)))
    }

    /// Refunds one token.
    fn give_back(&self, key: &Key) {
        if let Some(full_at) = self.recent.lock().get_mut(key) {
            *full_at = full_at.saturating_sub(self.period.into());
        }
    }
}

/// The state of each key (when its bucket is full), most recent keys only. An attacker with more keys than fit evicts
/// others, who are then allowed sooner, never later.
#[derive(Debug, Clone)]
struct RecentBuckets(Arc<Mutex<LruCache<Key, Nanos>>>);

impl Default for RecentBuckets {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(LruCache::new(MAX_KEYS))))
    }
}

impl RecentBuckets {
    fn lock(&self) -> MutexGuard<'_, LruCache<Key, Nanos>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl StateStore for RecentBuckets {
    type Key = Key;

    fn measure_and_replace<T, F, E>(&self, key: &Key, decide: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let mut recent = self.lock();
        let (outcome, full_at) = decide(recent.get(key).copied())?;
        recent.insert(key.clone(), full_at);
        Ok(outcome)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{DateTime, TimeDelta};

    fn limit() -> (Limit, Clock) {
        let clock = Clock::manual(DateTime::from_timestamp(1_800_000_000, 0).unwrap());
        (Limit::new(clock.clone(), 10, Duration::from_secs(600)), clock)
    }

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn eleventh_request_learns_how_long_to_wait() {
        let (limit, clock) = limit();
        for _ in 0..10 {
            assert_eq!(limit.count(address("198.51.100.1")), Ok(()));
        }
        assert_eq!(limit.count(address("198.51.100.1")), Err(Duration::from_secs(60)));
        assert_eq!(limit.count(address("198.51.100.2")), Ok(()), "others are not in it");
        clock.advance(TimeDelta::seconds(59));
        assert_eq!(limit.count(address("198.51.100.1")), Err(Duration::from_secs(1)));
        clock.advance(TimeDelta::seconds(1));
        assert_eq!(limit.count(address("198.51.100.1")), Ok(()));
    }

    #[test]
    fn failed_requests_are_given_back() {
        let (limit, _) = limit();
        for _ in 0..10 {
            assert_eq!(limit.count(address("198.51.100.1")), Ok(()));
        }
        for _ in 0..2 {
            limit.give_back(address("198.51.100.1"));
        }
        assert!(limit.count(address("198.51.100.2")).is_ok(), "others are not in it");
        for expected in [true, true, false] {
            assert_eq!(limit.count(address("198.51.100.1")).is_ok(), expected);
        }
    }

    #[test]
    fn setting_the_wall_clock_changes_no_wait() {
        let (limit, clock) = limit();
        for _ in 0..10 {
            assert_eq!(limit.count(address("198.51.100.1")), Ok(()));
        }
        for step in [TimeDelta::days(1), TimeDelta::days(-2)] {
            clock.set_wall_clock(step);
            assert_eq!(limit.count(address("198.51.100.1")), Err(Duration::from_secs(60)));
        }
        clock.advance(TimeDelta::seconds(60));
        assert_eq!(limit.count(address("198.51.100.1")), Ok(()));
    }

    #[test]
    fn names_have_allowances_of_their_own() {
        let (limit, _) = limit();
        for name in ["Sam", "sam", " SAM "].into_iter().cycle().take(10) {
            assert_eq!(limit.count_name(name), Ok(()));
        }
        assert!(limit.count_name("sAm").is_err());
        assert_eq!(limit.count_name("tess"), Ok(()));
    }

    #[test]
    fn name_has_an_allowance_at_each_address() {
        let (limit, _) = limit();
        for name in ["Sam", " sAM"].into_iter().cycle().take(10) {
            assert_eq!(limit.count_name(&name_at(address("2001:db8::1"), name)), Ok(()));
        }
        assert!(limit.count_name(&name_at(address("2001:db8::2"), "sam")).is_err());
        assert_eq!(limit.count_name(&name_at(address("2001:db8:0:1::1"), "sam")), Ok(()));
        assert_eq!(limit.count_name(&name_at(address("2001:db8::1"), "tess")), Ok(()));
    }

    #[test]
    fn one_ipv6_line_is_one_client() {
        let (limit, _) = limit();
        for n in 0..10 {
            assert_eq!(limit.count(address(&format!("2001:db8::{n:x}"))), Ok(()));
        }
        assert!(limit.count(address("2001:db8::ffff")).is_err());
        assert_eq!(limit.count(address("2001:db8:0:1::1")), Ok(()));
    }

    #[test]
    fn one_ipv6_site_has_four_times_as_much() {
        let (limit, clock) = limit();
        let site = |n: u32| address(&format!("2001:db8:7:{n:x}::1"));
        let passed = (0..10_200).filter(|n| limit.count(site(*n)).is_ok()).count();
        assert_eq!(passed, 40);
        assert_eq!(limit.count(site(50_000)), Err(Duration::from_secs(15)));
        assert_eq!(limit.count(address("2001:db8:8::1")), Ok(()), "another site");
        assert_eq!(limit.count(address("198.51.100.1")), Ok(()));
        clock.advance(TimeDelta::seconds(15));
        assert_eq!(limit.count(site(50_001)), Ok(()));
        limit.give_back(site(50_001));
        assert_eq!(limit.count(site(50_002)), Ok(()));
        assert!(limit.count(site(50_003)).is_err());
    }

    #[test]
    fn refused_ipv6_client_uses_nothing_of_its_site() {
        let (limit, _) = limit();
        for _ in 0..1_000 {
            let _ = limit.count(address("2001:db8:7:1::1"));
        }
        for _ in 0..10 {
            assert_eq!(limit.count(address("2001:db8:7:2::1")), Ok(()));
        }
    }

    #[test]
    fn many_addresses_are_forgotten_not_lumped_together() {
        let (limit, _) = limit();
        let most = u32::try_from(MAX_KEYS).unwrap();
        for n in 0..2 * most {
            assert_eq!(limit.count(IpAddr::V4(n.into())), Ok(()), "{n}");
        }
        assert_eq!(limit.clients.recent.lock().len(), MAX_KEYS);
        let last = IpAddr::V4((2 * most - 1).into());
        let passed = (0..20).filter(|_| limit.count(last).is_ok()).count();
        assert_eq!(passed, 9, "the most recent ones are remembered");
        for n in 0..2 * most {
            let _ = limit.count_name(&format!("name {n}"));
        }
        assert_eq!(limit.clients.recent.lock().len(), MAX_KEYS);
    }
}
