//! How often one client address may do something, or something may be done to one name: governor over monotonic time, with bounded memory.

use crate::clock::Clock;
use crate::domain::text::caseless;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};
use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Addresses and names remembered at most; all further ones share one allowance until old ones are forgotten.
const MAX_KEYS: usize = 10_000;

/// Whose allowance it is.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Key {
    Address(IpAddr),
    Name(String),
    /// All who are not remembered by themselves.
    Others,
}

/// An allowance per client address that refills evenly: a token bucket. Whoever used none of it for a
/// whole window has all of it at once and what refills meanwhile, so that the first window lets through up
/// to twice as many, and each later one as many as were asked for.
#[derive(Debug)]
pub struct Limit {
    clock: Clock,
    limiter: RateLimiter<Key, DashMapStateStore<Key>, Clock, NoOpMiddleware<Nanos>>,
    /// What was counted and given back.
    credits: Mutex<HashMap<Key, u32>>,
}

impl Limit {
    /// `times` at once, then one more after each `times`th part of `window`.
    ///
    /// Zero times count as one.
    pub fn new(clock: Clock, times: u32, window: Duration) -> Self {
        let times = NonZeroU32::new(times).unwrap_or(NonZeroU32::MIN);
        let quota = Quota::with_period(window / times.get())
            .unwrap_or_else(|| Quota::per_minute(times))
            .allow_burst(times);
        let limiter = RateLimiter::dashmap_with_clock(quota, clock.clone());
        Self { limiter, clock, credits: Mutex::default() }
    }

    /// Counts one more for `client`.
    ///
    /// # Errors
    /// How long to wait, when that is one too many.
    pub fn count(&self, client: IpAddr) -> Result<(), Duration> {
        self.count_key(Key::Address(bucket(client)))
    }

    /// Counts one more for `name`, case ignored.
    ///
    /// # Errors
    /// How long to wait, when that is one too many.
    pub fn count_name(&self, name: &str) -> Result<(), Duration> {
        self.count_key(Key::Name(caseless(name.trim())))
    }

    /// Gives back what was counted last for `client`: it came to nothing by a fault of ours, or was no guess.
    pub fn give_back(&self, client: IpAddr) {
        self.give_back_key(Key::Address(bucket(client)));
    }

    /// The same for `name`.
    pub fn give_back_name(&self, name: &str) {
        self.give_back_key(Key::Name(caseless(name.trim())));
    }

    fn give_back_key(&self, key: Key) {
        let mut credits = self.credits();
        if credits.len() < MAX_KEYS {
            *credits.entry(key).or_default() += 1;
        }
    }

    /// True when there was one to take.
    fn take_credit(&self, key: &Key) -> bool {
        let mut credits = self.credits();
        let Some(left) = credits.get_mut(key) else { return false };
        *left -= 1;
        if *left == 0 {
            credits.remove(key);
        }
        true
    }

    fn credits(&self) -> MutexGuard<'_, HashMap<Key, u32>> {
        self.credits.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn count_key(&self, mut key: Key) -> Result<(), Duration> {
        if self.take_credit(&key) {
            return Ok(());
        }
        if self.limiter.len() >= MAX_KEYS {
            self.limiter.retain_recent();
            if self.limiter.len() >= MAX_KEYS {
                key = Key::Others;
            }
        }
        self.limiter
            .check_key(&key)
            .map_err(|refusal| refusal.wait_time_from(governor::clock::Clock::now(&self.clock)))
    }
}

/// A name as one client uses it: nobody is kept out by what others do elsewhere.
pub fn name_at(client: IpAddr, name: &str) -> String {
    format!("{} {}", bucket(client), name.trim())
}

/// One allowance per IPv4 address and per IPv6 network of 64 bits, which is what one customer gets.
fn bucket(client: IpAddr) -> IpAddr {
    match client.to_canonical() {
        IpAddr::V6(v6) => Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64).into(),
        v4 @ IpAddr::V4(_) => v4,
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
    fn ten_pass_and_the_eleventh_learns_how_long_to_wait() {
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
    fn what_failed_by_our_fault_is_given_back() {
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
        assert!(limit.credits().is_empty());
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
    fn one_ipv6_customer_is_one_address() {
        let (limit, _) = limit();
        for n in 0..10 {
            assert_eq!(limit.count(address(&format!("2001:db8::{n:x}"))), Ok(()));
        }
        assert!(limit.count(address("2001:db8::ffff")).is_err());
        assert_eq!(limit.count(address("2001:db8:0:1::1")), Ok(()));
    }

    #[test]
    fn memory_is_bounded() {
        let (limit, clock) = limit();
        let (most, beyond) = (u32::try_from(MAX_KEYS).unwrap(), 20);
        for n in 0..most + beyond {
            let _ = limit.count(IpAddr::V4(n.into()));
        }
        assert!(limit.limiter.len() <= MAX_KEYS + 1);
        assert!(limit.count(IpAddr::V4((most + beyond).into())).is_err(), "strangers share one allowance");
        clock.advance(TimeDelta::minutes(11));
        assert_eq!(limit.count(IpAddr::V4((most + beyond).into())), Ok(()), "old addresses are forgotten");
        assert!(limit.limiter.len() < 10);
    }
}
