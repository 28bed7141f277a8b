//! Counts the bytes that visitors upload against their allowance: per address in memory; for all visitors together by
//! the last day's files in the database plus uploads in flight. Called by `upload`.

use crate::clock::Clock;
use crate::domain::file::VisitorAllowance;
use crate::web::limits::client_network::ClientNetwork;
use hashlink::LruCache;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Most clients remembered. Beyond it the least recently used are dropped; the allowance of all visitors together still
/// applies.
const MAX_CLIENTS: usize = 10_000;

/// The visitors' remaining allowance; cheap to clone.
#[derive(Debug, Clone)]
pub struct VisitorBytes(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    clock: Clock,
    allowance: VisitorAllowance,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    clients: LruCache<ClientNetwork, Level>,
    /// Bytes without a row in the database.
    in_flight: u64,
    /// Bytes that got a row in the database since the start.
    kept: u64,
}

/// The bytes that an address uploaded. The level decays evenly, by one allowance a day.
#[derive(Debug, Clone, Copy)]
struct Level {
    bytes: u64,
    at: Duration,
}

impl VisitorBytes {
    pub fn new(clock: Clock, allowance: VisitorAllowance) -> Self {
        let state = State { clients: LruCache::new(MAX_CLIENTS), in_flight: 0, kept: 0 };
        Self(Arc::new(Inner { clock, allowance, state: Mutex::new(state) }))
    }

    /// Bytes stored since the start; read it before querying the database.
    pub fn kept(&self) -> u64 {
        self.state().kept
    }

    /// Begins to count the photos of one form from that address. `stored` is what the database has of the last day, of
    /// all visitors; bytes stored after `kept_before` may be missing in it.
    pub fn open(&self, address: IpAddr, stored: u64, kept_before: u64) -> Reservation {
        let client = ClientNetwork::of(address);
        Reservation { counter: self.clone(), client, stored, kept_before, bytes: 0 }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An address's level after decay.
    fn faded(&self, level: Level, now: Duration) -> u64 {
        let day = u128::from(VisitorAllowance::DAY.num_milliseconds().unsigned_abs());
        let elapsed = now.saturating_sub(level.at).as_millis();
        let faded = u128::from(self.0.allowance.address_bytes) * elapsed / day;
        level.bytes.saturating_sub(u64::try_from(faded).unwrap_or(u64::MAX))
    }

    /// Counts more bytes, if they fit.
    fn take(&self, client: ClientNetwork, (stored, kept_before): (u64, u64), bytes: u64) -> bool {
        let (now, allowance) = (self.0.clock.monotonic(), self.0.allowance);
        let mut state = self.state();
        let level = state.clients.get(&client).map_or(0, |level| self.faded(*level, now));
        let (level, total) = (level.saturating_add(bytes), state.in_flight.saturating_add(bytes));
        // A form may take an hour: others have been stored since.
        let stored = stored.saturating_add(state.kept.saturating_sub(kept_before));
        if level > allowance.address_bytes || stored.saturating_add(total) > allowance.total_bytes {
            return false;
        }
        state.in_flight = total;
        state.clients.insert(client, Level { bytes: level, at: now });
        true
    }
}

/// The bytes of one form, released when this is dropped.
#[derive(Debug)]
pub struct Reservation {
    counter: VisitorBytes,
    client: ClientNetwork,
    stored: u64,
    kept_before: u64,
    bytes: u64,
}

impl Reservation {
    /// False if not one byte more fits.
    pub fn has_room(&mut self) -> bool {
        let fits = self.take(1);
        if fits {
            self.give_back(1);
        }
        fits
    }

    /// Counts bytes, if they fit.
    pub fn take(&mut self, bytes: u64) -> bool {
        let fits = self.counter.take(self.client, (self.stored, self.kept_before), bytes);
        self.bytes += if fits { bytes } else { 0 };
        fits
    }

    /// The files have a row now, so their bytes stay counted.
    pub fn keep(mut self) {
        let mut state = self.counter.state();
        state.in_flight = state.in_flight.saturating_sub(self.bytes);
        state.kept = state.kept.saturating_add(self.bytes);
        drop(state);
        self.bytes = 0;
    }

    fn give_back(&mut self, bytes: u64) {
        let mut state = self.counter.state();
        state.in_flight = state.in_flight.saturating_sub(bytes);
        if let Some(level) = state.clients.get_mut(&self.client) {
            level.bytes = level.bytes.saturating_sub(bytes);
        }
        drop(state);
        self.bytes -= bytes;
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.give_back(self.bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{DateTime, TimeDelta};

    fn counter() -> (VisitorBytes, Clock) {
        let clock = Clock::manual(DateTime::from_timestamp(1_800_000_000, 0).unwrap());
        let allowance = VisitorAllowance { address_bytes: 240, total_bytes: 600 };
        (VisitorBytes::new(clock.clone(), allowance), clock)
    }

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn open(counter: &VisitorBytes, from: &str, stored: u64) -> Reservation {
        counter.open(address(from), stored, counter.kept())
    }

    #[track_caller]
    fn leaves(counter: &VisitorBytes, from: &str, stored: u64, bytes: u64) {
        let mut form = open(counter, from, stored);
        assert!(form.has_room() && form.take(bytes));
        form.keep();
    }

    #[test]
    fn address_has_allowance_that_refills_in_a_day() {
        let (counter, clock) = counter();
        leaves(&counter, "198.51.100.1", 0, 200);
        leaves(&counter, "198.51.100.1", 0, 40);
        let room = |from| open(&counter, from, 0).has_room();
        assert!(!room("198.51.100.1") && room("198.51.100.2"));
        clock.set_wall_clock(TimeDelta::days(2));
        assert!(!room("198.51.100.1"), "setting the clock refills nothing");
        clock.advance(TimeDelta::hours(1));
        assert!(!open(&counter, "198.51.100.1", 0).take(11));
        leaves(&counter, "198.51.100.1", 0, 10);
        clock.advance(TimeDelta::days(1));
        leaves(&counter, "198.51.100.1", 0, 240);
    }

    #[test]
    fn forms_that_fail_give_bytes_back() {
        let (counter, _) = counter();
        let mut failing = open(&counter, "198.51.100.1", 0);
        assert!(failing.take(240));
        assert!(!open(&counter, "198.51.100.1", 0).has_room());
        drop(failing);
        leaves(&counter, "198.51.100.1", 0, 240);
        assert_eq!(counter.state().in_flight, 0);
    }

    #[test]
    fn all_share_stored_and_incoming_bytes() {
        let (counter, _) = counter();
        let mut others = open(&counter, "198.51.100.1", 350);
        assert!(others.take(200));
        let mut form = open(&counter, "198.51.100.2", 350);
        assert!(!form.take(51) && form.take(50) && !form.has_room());
        others.keep();
        assert!(!open(&counter, "198.51.100.3", 600).has_room(), "they are stored now");
    }

    #[test]
    fn slow_form_counts_files_stored_by_others() {
        let (counter, _) = counter();
        let mut slow = open(&counter, "198.51.100.1", 0);
        for from in ["198.51.100.2", "198.51.100.3"] {
            leaves(&counter, from, 0, 240);
        }
        assert!(slow.take(120) && !slow.take(1), "600 bytes in all");
    }

    #[test]
    fn ipv6_network_is_one_address() {
        let (counter, _) = counter();
        leaves(&counter, "2001:db8::1", 0, 240);
        assert!(!open(&counter, "2001:db8::2", 0).has_room());
        assert!(open(&counter, "2001:db8:0:1::2", 0).has_room());
    }

    #[test]
    fn oldest_clients_are_forgotten() {
        let (counter, _) = counter();
        leaves(&counter, "2001:db8::1", 0, 240);
        for n in 0..u32::try_from(MAX_CLIENTS).unwrap() {
            leaves(&counter, &IpAddr::V4(n.into()).to_string(), 0, 1);
        }
        assert_eq!(counter.state().clients.len(), MAX_CLIENTS);
        let room = |from, stored| open(&counter, from, stored).has_room();
        assert!(room("2001:db8::1", 0) && !room("2001:db8::1", 600), "all together have an end");
    }
}
