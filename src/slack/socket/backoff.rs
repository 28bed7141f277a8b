//! Back-off between connection attempts. Pure except for the jitter.

use super::timings::SocketTimings;
use rand::RngExt;
use std::time::Duration;

/// Immediately after a loss, then longer and longer; reset only after a stable connection, so that there is no
/// storm if Slack closes right after its hello.
#[derive(Debug)]
pub(super) struct Backoff {
    timings: SocketTimings,
    /// Attempts since the last stable connection.
    tries: u32,
}

impl Backoff {
    pub(super) const fn new(timings: SocketTimings) -> Self {
        Self { timings, tries: 0 }
    }

    /// A connection ended that lasted this long.
    pub(super) fn ended_after(&mut self, lived: Duration) {
        if lived >= self.timings.stable {
            self.tries = 0;
        }
    }

    /// The next attempt must not be immediate.
    pub(super) fn slow_down(&mut self) {
        self.tries = self.tries.max(1);
    }

    /// The delay before the next attempt: between half and all of the schedule's.
    pub(super) fn next_wait(&mut self) -> Duration {
        let wait = self.scheduled();
        self.tries = self.tries.saturating_add(1);
        wait.mul_f64(rand::rng().random_range(0.5..=1.0))
    }

    fn scheduled(&self) -> Duration {
        match self.tries {
            0 => Duration::ZERO,
            tries => {
                let factor = 2_u32.saturating_pow(tries - 1);
                self.timings.first_wait.saturating_mul(factor).min(self.timings.longest_wait)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backoff_doubles_to_thirty_seconds_and_resets() {
        let mut backoff = Backoff::new(SocketTimings::default());
        let mut seconds = Vec::new();
        for _ in 0..8 {
            seconds.push(backoff.scheduled().as_secs());
            let (most, wait) = (backoff.scheduled(), backoff.next_wait());
            assert!(wait <= most && wait >= most / 2, "{wait:?} of {most:?}");
        }
        assert_eq!(seconds, [0, 1, 2, 4, 8, 16, 30, 30]);
        backoff.ended_after(Duration::from_secs(29));
        assert_eq!(backoff.scheduled().as_secs(), 30);
        backoff.ended_after(Duration::from_secs(30));
        assert_eq!(backoff.scheduled().as_secs(), 0);
        backoff.slow_down();
        assert_eq!(backoff.scheduled().as_secs(), 1);
        backoff.tries = u32::MAX;
        assert_eq!(backoff.next_wait().max(Duration::from_secs(30)).as_secs(), 30);
    }
}
