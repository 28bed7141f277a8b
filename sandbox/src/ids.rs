//! Identifiers in Slack's formats.
//!
//! Owns: their uniqueness and the order of timestamps. Must not: depend on what they identify. Called by: all parts
//! that create something.

use chrono::{DateTime, Utc};

/// Makes identifiers that are unique within a sandbox and, by a random part, between sandboxes: an app's dedup cache
/// must not confuse envelopes of two sandboxes.
#[derive(Debug)]
pub(crate) struct Ids {
    seed: u32,
    count: u64,
    last_micros: i64,
}

impl Ids {
    pub(crate) fn new() -> Self {
        Self { seed: rand::random(), count: 0, last_micros: 0 }
    }

    fn next(&mut self) -> u64 {
        self.count += 1;
        self.count
    }

    /// An id with Slack's prefix of one or two letters, such as `V…` or `Ev…`.
    pub(crate) fn id(&mut self, prefix: &str) -> String {
        let (seed, n) = (self.seed, self.next());
        format!("{prefix}{seed:08X}{n:04X}")
    }

    /// An envelope id, in the format of a UUID.
    pub(crate) fn envelope(&mut self) -> String {
        let (seed, n) = (self.seed, self.next());
        format!("{seed:08x}-0000-4000-8000-{n:012x}")
    }

    /// A trigger id: three parts separated by dots.
    pub(crate) fn trigger(&mut self) -> String {
        let (seed, n) = (self.seed, self.next());
        format!("{n}.{seed}.{:016x}", rand::random::<u64>())
    }

    /// A random secret.
    pub(crate) fn secret(&mut self) -> String {
        format!("{:016x}{:016x}", rand::random::<u64>(), rand::random::<u64>())
    }

    /// A message timestamp: seconds and six digits, greater than every earlier one even if the clock is stopped.
    pub(crate) fn ts(&mut self, now: DateTime<Utc>) -> String {
        self.last_micros = now.timestamp_micros().max(self.last_micros + 1);
        format!("{}.{:06}", self.last_micros / 1_000_000, self.last_micros % 1_000_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_rise_while_the_clock_stands_still() {
        let (mut ids, t) = (Ids::new(), Utc::now());
        let (a, b) = (ids.ts(t), ids.ts(t));
        assert!(a < b, "{a} {b}");
    }
}
