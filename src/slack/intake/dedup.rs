//! Deduplicates envelopes: stores recent ids and their progress, so that a repetition is ignored and a failed event
//! may be retried.

use crate::clock::Clock;
use std::collections::hash_map::RandomState;
use std::collections::{HashMap, VecDeque};
use std::hash::BuildHasher;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long an id is stored; Slack's last retry arrives after 5 minutes.
const AGE: Duration = Duration::from_secs(15 * 60);
/// Most ids; beyond it, the oldest is removed early.
const MAX_ENTRIES: usize = 100_000;

/// One of Slack's ids with its kind.
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

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Progress {
    /// It failed, and may be retried.
    Failed,
    Running,
    Done,
}

/// The hashed ids of one envelope.
#[derive(Debug, Clone)]
pub(super) struct Ids(Vec<u64>);

/// A bounded set of ids. It stores 64-bit hashes, so that long ids use no more memory than short ones; the hasher's
/// keys are random, so that nobody can choose ids that collide.
pub(super) struct Memory {
    clock: Clock,
    hasher: RandomState,
    seen: Mutex<SeenKeys>,
}

/// Each id has one entry in the map and one in the queue.
#[derive(Default)]
struct SeenKeys {
    progress: HashMap<u64, Progress>,
    in_order: VecDeque<(Duration, u64)>,
}

impl Memory {
    pub(super) fn new(clock: Clock) -> Self {
        Self { clock, hasher: RandomState::new(), seen: Mutex::default() }
    }

    pub(super) fn ids(&self, keys: &[Key<'_>]) -> Ids {
        Ids(keys.iter().map(|key| self.hasher.hash_one((key.kind, key.id))).collect())
    }

    /// Inserts an envelope that is new or failed before, with `progress`, and returns `None`. Returns the progress
    /// if any of its ids is in progress or done: then it must not be processed.
    pub(super) fn check_and_insert(&self, ids: &Ids, progress: Progress) -> Option<Progress> {
        let now = self.clock.monotonic();
        let mut seen = self.lock();
        seen.forget_before(now.saturating_sub(AGE));
        let known = ids.0.iter().filter_map(|id| seen.progress.get(id)).max().copied();
        match known.filter(|known| *known > Progress::Failed) {
            // A new id of it would never be marked as done or failed.
            Some(Progress::Running) => {}
            Some(known) => seen.set(ids, known, now),
            None => seen.set(ids, progress, now),
        }
        known.filter(|known| *known > Progress::Failed)
    }

    /// Updates the progress of an envelope.
    pub(super) fn update(&self, ids: &Ids, progress: Progress) {
        let now = self.clock.monotonic();
        self.lock().set(ids, progress, now);
    }

    fn lock(&self) -> MutexGuard<'_, SeenKeys> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SeenKeys {
    fn set(&mut self, ids: &Ids, progress: Progress, now: Duration) {
        for id in &ids.0 {
            if self.progress.insert(*id, progress).is_none() {
                self.in_order.push_back((now, *id));
            }
        }
    }

    fn forget_before(&mut self, limit: Duration) {
        while self.in_order.len() > MAX_ENTRIES || self.in_order.front().is_some_and(|(at, _)| *at < limit) {
            if let Some((_, id)) = self.in_order.pop_front() {
                self.progress.remove(&id);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{DateTime, TimeDelta};

    fn ids(memory: &Memory, ids: &[&str]) -> Ids {
        memory.ids(&ids.iter().map(|id| Key::new("event", id)).collect::<Vec<_>>())
    }

    #[test]
    fn handled_key_is_remembered_for_fifteen_minutes() {
        let clock = Clock::manual(DateTime::UNIX_EPOCH);
        let memory = Memory::new(clock.clone());
        let knows = |keys: &[&str]| memory.check_and_insert(&ids(&memory, keys), Progress::Done).is_some();
        assert!(!knows(&["a", "b"]));
        clock.advance(TimeDelta::minutes(14));
        assert!(knows(&["b", "c"]), "one known key is enough");
        assert!(knows(&["c"]), "and the others are learnt");
        let trigger = memory.ids(&[Key::new("trigger", "a")]);
        assert_eq!(memory.check_and_insert(&trigger, Progress::Done), None, "kinds are apart");
        clock.advance(TimeDelta::minutes(2));
        assert!(!knows(&["a"]));
    }

    #[test]
    fn failed_keys_may_be_handled_again() {
        let memory = Memory::new(Clock::manual(DateTime::UNIX_EPOCH));
        let begin = |keys: &[&str]| memory.check_and_insert(&ids(&memory, keys), Progress::Running);
        assert_eq!(begin(&["envelope 1", "event"]), None);
        assert_eq!(begin(&["envelope 2", "event"]), Some(Progress::Running), "not twice at once");
        memory.update(&ids(&memory, &["envelope 1", "event"]), Progress::Failed);
        assert_eq!(begin(&["envelope 1", "event"]), None, "Slack may use the same envelope again");
        memory.update(&ids(&memory, &["envelope 1", "event"]), Progress::Failed);
        assert_eq!(begin(&["envelope 2", "event"]), None);
        memory.update(&ids(&memory, &["envelope 2", "event"]), Progress::Done);
        assert_eq!(begin(&["envelope 3", "event"]), Some(Progress::Done));
        assert_eq!(begin(&["envelope 3"]), Some(Progress::Done));
    }

    #[test]
    fn dedup_memory_is_bounded() {
        let memory = Memory::new(Clock::manual(DateTime::UNIX_EPOCH));
        for n in 0..MAX_ENTRIES + 100 {
            let one = ids(&memory, &[&n.to_string()]);
            assert_eq!(memory.check_and_insert(&one, Progress::Running), None);
            memory.update(&one, Progress::Failed);
        }
        let seen = memory.seen.lock().unwrap();
        assert!(seen.progress.len() <= MAX_ENTRIES + 1 && seen.in_order.len() <= MAX_ENTRIES + 1);
    }
}
