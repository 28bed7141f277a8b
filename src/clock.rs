//! The only source of time. Tests turn the hands of a manual clock; nothing else may ask the system.

use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use governor::nanos::Nanos;
use std::sync::{Arc, Mutex, PoisonError};

/// Tells the time; cheap to clone, all clones agree.
#[derive(Debug, Clone)]
pub struct Clock(Source);

#[derive(Debug, Clone)]
enum Source {
    System,
    OffBy(TimeDelta),
    Manual(Arc<Mutex<DateTime<Utc>>>),
}

impl Clock {
    /// The machine's own clock.
    pub const fn system() -> Self {
        Self(Source::System)
    }

    /// The clock of a machine that is off by so much, as seen from this one: for tests of machines that
    /// disagree.
    pub const fn off_by(much: TimeDelta) -> Self {
        Self(Source::OffBy(much))
    }

    /// True when the hands are moved by hand: then no other clock, such as the database's, counts.
    pub const fn is_manual(&self) -> bool {
        matches!(self.0, Source::Manual(_))
    }

    /// A clock that stands at `start` until it is moved.
    pub fn manual(start: DateTime<Utc>) -> Self {
        Self(Source::Manual(Arc::new(Mutex::new(start))))
    }

    /// The time in UTC, in whole microseconds: what every database can keep.
    pub fn now(&self) -> DateTime<Utc> {
        let now = match &self.0 {
            Source::System => Utc::now(),
            Source::OffBy(much) => Utc::now() + *much,
            Source::Manual(hands) => *hands.lock().unwrap_or_else(PoisonError::into_inner),
        };
        now.duration_trunc(TimeDelta::microseconds(1)).unwrap_or(now)
    }

    /// Moves a manual clock on; the system's clock is left alone.
    pub fn advance(&self, by: TimeDelta) {
        if let Source::Manual(hands) = &self.0 {
            let mut hands = hands.lock().unwrap_or_else(PoisonError::into_inner);
            *hands += by;
        }
    }
}

/// Rate limiters read this clock too: tests turn one pair of hands only.
impl governor::clock::Clock for Clock {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        let since_1970 = Self::now(self).timestamp_nanos_opt().unwrap_or_default();
        Nanos::new(u64::try_from(since_1970).unwrap_or_default())
    }
}
