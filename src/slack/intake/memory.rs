//! Remembers for a while what was taken in, so that the same thing arriving twice acts once.

use crate::clock::Clock;
use chrono::{DateTime, TimeDelta, Utc};
use std::collections::hash_map::RandomState;
use std::collections::{HashSet, VecDeque};
use std::hash::BuildHasher;
use std::sync::{Mutex, PoisonError};

/// How long a thing is remembered; Slack's last repetition comes after 5 minutes.
const AGE: TimeDelta = TimeDelta::minutes(15);
/// How many are remembered at most; then the oldest goes early.
const MOST: usize = 100_000;

/// An id of Slack's with its kind.
#[derive(Debug, Clone, Copy)]
pub(super) struct Key<'a> {
    kind: &'static str,
    id: &'a str,
}

impl<'a> Key<'a> {
    pub(super) const fn new(kind: &'static str, id: &'a str) -> Self {
        Self { kind, id }
    }
}

/// A bounded memory of ids. It keeps 64-bit hashes, so that long ids cost no more than short ones; the
/// hasher's keys are random, so that nobody can choose ids that collide.
pub(super) struct Memory {
    clock: Clock,
    hasher: RandomState,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    ids: HashSet<u64>,
    in_order: VecDeque<(DateTime<Utc>, u64)>,
}

impl Memory {
    pub(super) fn new(clock: Clock) -> Self {
        Self { clock, hasher: RandomState::new(), seen: Mutex::default() }
    }

    /// True when any of the keys was seen before; remembers them all.
    pub(super) fn knows(&self, keys: &[Key<'_>]) -> bool {
        let now = self.clock.now();
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.forget_before(now - AGE);
        let mut known = false;
        for key in keys {
            let id = self.hasher.hash_one((key.kind, key.id));
            if seen.ids.insert(id) {
                seen.in_order.push_back((now, id));
            } else {
                known = true;
            }
        }
        known
    }
}

impl Seen {
    fn forget_before(&mut self, limit: DateTime<Utc>) {
        while self.in_order.len() > MOST || self.in_order.front().is_some_and(|(at, _)| *at < limit) {
            if let Some((_, id)) = self.in_order.pop_front() {
                self.ids.remove(&id);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(id: &str) -> Key<'_> {
        Key::new("event", id)
    }

    #[test]
    fn a_thing_is_known_for_fifteen_minutes() {
        let clock = Clock::manual(DateTime::UNIX_EPOCH);
        let memory = Memory::new(clock.clone());
        assert!(!memory.knows(&[key("a"), key("b")]));
        clock.advance(TimeDelta::minutes(14));
        assert!(memory.knows(&[key("b"), key("c")]), "one known key is enough");
        assert!(memory.knows(&[key("c")]), "and the others are learnt");
        assert!(!memory.knows(&[Key::new("trigger", "a")]), "kinds are apart");
        clock.advance(TimeDelta::minutes(2));
        assert!(!memory.knows(&[key("a")]));
    }

    #[test]
    fn it_is_bounded() {
        let memory = Memory::new(Clock::manual(DateTime::UNIX_EPOCH));
        for n in 0..MOST + 100 {
            assert!(!memory.knows(&[key(&n.to_string())]));
        }
        let seen = memory.seen.lock().unwrap();
        assert!(seen.ids.len() <= MOST + 1 && seen.in_order.len() <= MOST + 1);
    }
}
