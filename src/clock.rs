//! The only source of time: the wall clock, which people can set, and a monotonic clock. Tests use a manual clock; no
//! other code reads the system time.

use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use governor::nanos::Nanos;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Zero of the monotonic clock: an hour before its first use in this process, so that subtracting some minutes from
/// "now" never underflows.
static START: LazyLock<Instant> = LazyLock::new(Instant::now);
const BEFORE_START: Duration = Duration::from_secs(3600);

const THROTTLE: Duration = Duration::from_secs(60);

/// Cheap to clone; all clones share a manual clock.
#[derive(Debug, Clone)]
pub struct Clock(Source);

#[derive(Debug, Clone)]
enum Source {
    System,
    OffBy(TimeDelta),
    Manual(Arc<Mutex<Hands>>),
}

/// The state of a manual clock.
#[derive(Debug)]
struct Hands {
    wall: DateTime<Utc>,
    monotonic: Duration,
}

impl Clock {
    pub const fn system() -> Self {
        Self(Source::System)
    }

    /// A clock that differs from this one by `much`: for tests of machines whose clocks disagree.
    pub const fn off_by(much: TimeDelta) -> Self {
        Self(Source::OffBy(much))
    }

    /// True for a manual clock, which then also replaces the database's clock.
    pub const fn is_manual(&self) -> bool {
        matches!(self.0, Source::Manual(_))
    }

    /// A clock that stays at `start` until it is advanced.
    pub fn manual(start: DateTime<Utc>) -> Self {
        let hands = Hands { wall: start, monotonic: BEFORE_START };
        Self(Source::Manual(Arc::new(Mutex::new(hands))))
    }

    /// UTC in whole microseconds, which every database can store.
    pub fn now(&self) -> DateTime<Utc> {
        let now = match &self.0 {
            Source::System => Utc::now(),
            Source::OffBy(much) => Utc::now() + *much,
            Source::Manual(hands) => hands.lock().unwrap_or_else(PoisonError::into_inner).wall,
        };
        now.duration_trunc(TimeDelta::microseconds(1)).unwrap_or(now)
    }

    /// Time since a moment before this process started. Setting the wall clock does not affect it, so it measures rates
    /// and waits within one process.
    pub fn monotonic(&self) -> Duration {
        match &self.0 {
            Source::System | Source::OffBy(_) => START.elapsed() + BEFORE_START,
            Source::Manual(hands) => hands.lock().unwrap_or_else(PoisonError::into_inner).monotonic,
        }
    }

    /// Advances a manual clock; no effect on the system clock.
    pub fn advance(&self, by: TimeDelta) {
        if let Source::Manual(hands) = &self.0 {
            let mut hands = hands.lock().unwrap_or_else(PoisonError::into_inner);
            hands.wall += by;
            hands.monotonic += by.to_std().unwrap_or_default();
        }
    }

    /// Sets the wall clock of a manual clock, as an operator or a time service does, without advancing the monotonic
    /// clock.
    pub fn set_wall_clock(&self, by: TimeDelta) {
        if let Source::Manual(hands) = &self.0 {
            hands.lock().unwrap_or_else(PoisonError::into_inner).wall += by;
        }
    }
}

/// Allows something at most once a minute, such as a log line that any client can cause.
#[derive(Debug)]
pub struct Throttle {
    clock: Clock,
    state: Mutex<ThrottleState>,
}

#[derive(Debug, Default)]
struct ThrottleState {
    next: Duration,
    skipped: u64,
}

impl Throttle {
    pub fn new(clock: Clock) -> Self {
        Self { clock, state: Mutex::default() }
    }

    /// The number of skips since it last passed; `None` to skip now.
    pub fn pass(&self) -> Option<u64> {
        let now = self.clock.monotonic();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if now < state.next {
            state.skipped += 1;
            return None;
        }
        state.next = now + THROTTLE;
        Some(std::mem::take(&mut state.skipped))
    }
}

/// Rate limiters use monotonic time, so setting the wall clock does not affect them.
impl governor::clock::Clock for Clock {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        Nanos::new(u64::try_from(self.monotonic().as_nanos()).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn setting_the_wall_clock_moves_no_monotonic_time() {
        let clock = Clock::manual(DateTime::UNIX_EPOCH + TimeDelta::days(20_000));
        let (wall, monotonic) = (clock.now(), clock.monotonic());
        clock.set_wall_clock(-TimeDelta::days(1));
        assert_eq!((clock.now(), clock.monotonic()), (wall - TimeDelta::days(1), monotonic));
        clock.advance(TimeDelta::seconds(3));
        assert_eq!(clock.monotonic(), monotonic + Duration::from_secs(3));
    }

    #[test]
    fn system_monotonic_time_only_moves_on() {
        let clock = Clock::system();
        let before = clock.monotonic();
        assert!(before >= BEFORE_START && clock.monotonic() >= before);
    }

    #[test]
    fn throttle_passes_once_and_counts_the_rest() {
        let clock = Clock::manual(DateTime::UNIX_EPOCH + TimeDelta::days(20_000));
        let throttle = Throttle::new(clock.clone());
        assert_eq!([throttle.pass(), throttle.pass(), throttle.pass()], [Some(0), None, None]);
        for step in [TimeDelta::days(1), TimeDelta::days(-2)] {
            clock.set_wall_clock(step);
            assert_eq!(throttle.pass(), None);
        }
        clock.advance(TimeDelta::seconds(60));
        assert_eq!([throttle.pass(), throttle.pass()], [Some(4), None]);
    }
}
