//! How fast we post, edit and look for what we posted: at Slack's pace, so that it need not tell us. Asked before a lease is taken; a
//! refusal says how long to wait, and nobody waits here.

use crate::clock::Clock;
use crate::domain::delivery::DeliveryKind;
use chrono::{DateTime, TimeDelta, Utc};
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::keyed::HashMapStateStore;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};
use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

type Paced<K, S> = RateLimiter<K, S, Clock, NoOpMiddleware<Nanos>>;

/// A message a second and channel (a Slack limit).
const PER_CHANNEL: Quota = Quota::per_second(NonZeroU32::MIN);
/// Messages a minute in all: Slack says "several hundred" a workspace.
const IN_ALL: Quota =
    Quota::per_minute(NonZeroU32::new(300).unwrap()).allow_burst(NonZeroU32::new(20).unwrap());
/// Edits a minute: what Slack grants `chat.update` at least, with a burst.
const EDITS: Quota =
    Quota::per_minute(NonZeroU32::new(50).unwrap()).allow_burst(NonZeroU32::new(20).unwrap());

/// Looks a minute at what stands in a channel or a thread: what Slack grants `conversations.history` and
/// `conversations.replies` each at least. Which of the two it will be is not known yet when a turn is taken, so both
/// share this one.
const LOOKS: Quota = EDITS;

/// What takes turns.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Turn {
    /// Edits of messages, wherever these are.
    Edit,
    /// Messages to this channel.
    Post(String),
    /// Looks whether a message has arrived; the message takes a turn of its own besides.
    Look,
}

impl Turn {
    /// The turn of a delivery.
    pub(super) fn of(kind: DeliveryKind, target: &str) -> Self {
        match kind {
            DeliveryKind::Edit => Self::Edit,
            DeliveryKind::Message | DeliveryKind::Password => Self::Post(target.to_owned()),
        }
    }
}

/// Why something has to wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wait {
    /// Whoever waits for the same turn; others may go on.
    Turn(TimeDelta),
    /// Nobody may post now; edits may go on.
    AllPosts,
}

/// Paces `chat.postMessage`, `chat.update`, `conversations.history` and `conversations.replies`. Not `users.info`,
/// which is never delayed (spec "Transport").
pub(super) struct Limiter {
    clock: Clock,
    /// What Slack asked to leave alone, and until when.
    resting: Mutex<HashMap<Turn, DateTime<Utc>>>,
    channels: Paced<String, HashMapStateStore<String>>,
    all: Paced<NotKeyed, InMemoryState>,
    edits: Paced<NotKeyed, InMemoryState>,
    looks: Paced<NotKeyed, InMemoryState>,
}

impl Limiter {
    pub(super) fn new(clock: Clock) -> Self {
        Self {
            channels: RateLimiter::new(PER_CHANNEL, HashMapStateStore::default(), clock.clone()),
            all: RateLimiter::direct_with_clock(IN_ALL, clock.clone()),
            edits: RateLimiter::direct_with_clock(EDITS, clock.clone()),
            looks: RateLimiter::direct_with_clock(LOOKS, clock.clone()),
            clock,
            resting: Mutex::default(),
        }
    }

    /// Takes a turn, or says how long until there is one.
    pub(super) fn check(&self, turn: &Turn) -> Result<(), Wait> {
        if let Some(until) = self.resting().get(turn) {
            let wait = *until - self.clock.now();
            if wait > TimeDelta::zero() {
                return Err(Wait::Turn(wait));
            }
        }
        let now = governor::clock::Clock::now(&self.clock);
        let taken = match turn {
            Turn::Edit => self.edits.check(),
            Turn::Look => self.looks.check(),
            Turn::Post(channel) => {
                self.all.check().map_err(|_| Wait::AllPosts)?;
                self.channels.check_key(channel)
            }
        };
        taken.map_err(|later| Wait::Turn(wait(later.wait_time_from(now))))
    }

    /// Leaves something alone, since Slack asked for it.
    pub(super) fn rest(&self, turn: Turn, until: DateTime<Utc>) {
        self.resting().insert(turn, until);
    }

    fn resting(&self) -> MutexGuard<'_, HashMap<Turn, DateTime<Utc>>> {
        self.resting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets channels that were quiet, so that their number stays bounded by the busy ones.
    pub(super) fn tidy(&self) {
        self.channels.retain_recent();
        let now = self.clock.now();
        self.resting().retain(|_, until| *until > now);
    }
}

/// At least a millisecond: a refusal that asks for no wait would be asked again at once.
fn wait(time: Duration) -> TimeDelta {
    TimeDelta::from_std(time).unwrap_or(TimeDelta::seconds(1)).max(TimeDelta::milliseconds(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_a_second_and_channel() {
        let clock = Clock::manual(DateTime::UNIX_EPOCH + TimeDelta::days(20_000));
        let limiter = Limiter::new(clock.clone());
        let (wood, metal) = (Turn::Post("#wood".to_owned()), Turn::Post("#metal".to_owned()));
        assert_eq!(limiter.check(&wood), Ok(()));
        assert_eq!(limiter.check(&metal), Ok(()));
        assert_eq!(limiter.check(&wood), Err(Wait::Turn(TimeDelta::seconds(1))));
        clock.advance(TimeDelta::milliseconds(400));
        assert_eq!(limiter.check(&wood), Err(Wait::Turn(TimeDelta::milliseconds(600))));
        clock.advance(TimeDelta::milliseconds(600));
        assert_eq!(limiter.check(&wood), Ok(()));
    }

    #[test]
    fn all_channels_together_have_a_limit_and_quiet_ones_are_forgotten() {
        let clock = Clock::manual(DateTime::UNIX_EPOCH + TimeDelta::days(20_000));
        let limiter = Limiter::new(clock.clone());
        let granted = (0..50).filter(|n| limiter.check(&Turn::Post(format!("#c{n}"))).is_ok()).count();
        assert_eq!(granted, 20);
        assert_eq!(limiter.check(&Turn::Post("#one-more".to_owned())), Err(Wait::AllPosts));
        assert_eq!(limiter.check(&Turn::Edit), Ok(()), "edits have a pace of their own");
        clock.advance(TimeDelta::minutes(1));
        limiter.tidy();
        assert!(limiter.channels.is_empty());
    }

    #[test]
    fn edits_share_a_pace_whatever_their_channel_and_hold_no_message_up() {
        let clock = Clock::manual(DateTime::UNIX_EPOCH + TimeDelta::days(20_000));
        let limiter = Limiter::new(clock.clone());
        assert_eq!((0..50).filter(|_| limiter.check(&Turn::Edit).is_ok()).count(), 20);
        assert_eq!(limiter.check(&Turn::Edit), Err(Wait::Turn(TimeDelta::milliseconds(1200))));
        assert_eq!(limiter.check(&Turn::Post("#wood".to_owned())), Ok(()));
        clock.advance(TimeDelta::milliseconds(1200));
        assert_eq!(limiter.check(&Turn::Edit), Ok(()));
        limiter.rest(Turn::Edit, clock.now() + TimeDelta::seconds(9));
        assert_eq!(limiter.check(&Turn::Edit), Err(Wait::Turn(TimeDelta::seconds(9))));
        assert_eq!(limiter.check(&Turn::Post("#metal".to_owned())), Ok(()));
    }

    #[test]
    fn looks_have_a_pace_of_their_own() {
        let clock = Clock::manual(DateTime::UNIX_EPOCH + TimeDelta::days(20_000));
        let limiter = Limiter::new(clock.clone());
        assert_eq!((0..50).filter(|_| limiter.check(&Turn::Look).is_ok()).count(), 20);
        assert_eq!(limiter.check(&Turn::Look), Err(Wait::Turn(TimeDelta::milliseconds(1200))));
        assert_eq!(limiter.check(&Turn::Post("#wood".to_owned())), Ok(()));
        assert_eq!(limiter.check(&Turn::Edit), Ok(()));
    }

    #[test]
    fn a_channel_rests_as_long_as_slack_asks() {
        let clock = Clock::manual(DateTime::UNIX_EPOCH + TimeDelta::days(20_000));
        let limiter = Limiter::new(clock.clone());
        let wood = Turn::Post("#wood".to_owned());
        limiter.rest(wood.clone(), clock.now() + TimeDelta::seconds(7));
        assert_eq!(limiter.check(&wood), Err(Wait::Turn(TimeDelta::seconds(7))));
        clock.advance(TimeDelta::seconds(7));
        limiter.tidy();
        assert!(limiter.resting().is_empty());
        assert_eq!(limiter.check(&wood), Ok(()));
    }
}
