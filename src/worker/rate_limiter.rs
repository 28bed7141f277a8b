//! Rate limits for posts, edits and searches, below Slack's own limits. Checked before a lease is taken; nothing waits
//! here. Time is monotonic: setting the clock changes no limit.

use crate::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter as Governor};
use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Time between two messages to one channel: Slack's limit of `chat.postMessage`.
const PER_CHANNEL: Duration = Duration::from_secs(1);
/// Messages a minute in total. Slack allows "several hundred messages per minute" in a workspace without an exact
/// number. Eight a second allow one message a second for each of seven areas' channels and for the channel of all
/// reports. If that is too much for a workspace, Slack responds with 429 and each channel respects its Retry-After.
const POSTS: Quota =
    Quota::per_minute(NonZeroU32::new(480).unwrap()).allow_burst(NonZeroU32::new(20).unwrap());
/// Edits a minute: Slack's minimum for `chat.update`, with a burst.
const EDITS: Quota =
    Quota::per_minute(NonZeroU32::new(50).unwrap()).allow_burst(NonZeroU32::new(20).unwrap());
/// Searches a minute in channels and threads: Slack's minimum for `conversations.history` and for
/// `conversations.replies`. The two share one bucket, since the method is not known yet when a token is taken.
const SEARCHES: Quota = EDITS;

/// The token buckets. Channels have separate limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RateBucket {
    Posts,
    Edits,
    /// Searches for a message that may have arrived. The message itself takes a token of `Posts`, too.
    Searches,
}

/// Limits `chat.postMessage`, `chat.update`, `conversations.history` and `conversations.replies`, but not
/// `users.info`, which is never delayed (spec "Transport").
pub(super) struct RateLimiter {
    clock: Clock,
    posts: Bucket,
    edits: Bucket,
    searches: Bucket,
    /// When each channel may get its next message. Idle channels are absent.
    channels: Mutex<HashMap<String, Duration>>,
}

/// A token bucket with the time of its next token.
struct Bucket {
    tokens: Governor<NotKeyed, InMemoryState, Clock, NoOpMiddleware<Nanos>>,
    next: Mutex<Duration>,
}

impl Bucket {
    fn new(quota: Quota, clock: &Clock) -> Self {
        let tokens = Governor::direct_with_clock(quota, clock.clone());
        Self { tokens, next: Mutex::new(Duration::ZERO) }
    }

    fn next(&self) -> MutexGuard<'_, Duration> {
        self.next.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl RateLimiter {
    pub(super) fn new(clock: Clock) -> Self {
        Self {
            posts: Bucket::new(POSTS, &clock),
            edits: Bucket::new(EDITS, &clock),
            searches: Bucket::new(SEARCHES, &clock),
            channels: Mutex::default(),
            clock,
        }
    }

    /// Takes a token.
    ///
    /// # Errors
    /// The time of the next token.
    pub(super) fn take(&self, bucket: RateBucket) -> Result<(), Duration> {
        let now = self.clock.monotonic();
        let bucket = self.bucket(bucket);
        let mut next = bucket.next();
        if *next > now {
            return Err(*next);
        }
        bucket.tokens.check().map_err(|later| {
            let wait = later.wait_time_from(governor::clock::Clock::now(&self.clock));
            // A wait of zero would mean a busy loop.
            *next = now + wait.max(Duration::from_millis(1));
            *next
        })
    }

    /// False while the bucket is known to be empty or backs off.
    pub(super) fn may_have_token(&self, bucket: RateBucket) -> bool {
        *self.bucket(bucket).next() <= self.clock.monotonic()
    }

    /// The monotonic time of the limits.
    pub(super) fn now(&self) -> Duration {
        self.clock.monotonic()
    }

    /// When a channel may get its next message; `None`: now.
    pub(super) fn channel_next(&self, channel: &str) -> Option<Duration> {
        self.channels().get(channel).copied()
    }

    /// Records that a channel gets a message now.
    pub(super) fn posting_to(&self, channel: &str) {
        self.wait(channel, PER_CHANNEL);
    }

    /// Pauses a channel for Slack's Retry-After.
    pub(super) fn back_off_channel(&self, channel: &str, wait: Duration) {
        self.wait(channel, wait);
    }

    fn wait(&self, channel: &str, wait: Duration) {
        let until = self.clock.monotonic() + wait;
        let mut channels = self.channels();
        let next = channels.entry(channel.to_owned()).or_insert(until);
        *next = until.max(*next);
    }

    /// Pauses a bucket for Slack's Retry-After.
    pub(super) fn back_off(&self, bucket: RateBucket, wait: Duration) {
        let until = self.clock.monotonic() + wait;
        let mut next = self.bucket(bucket).next();
        *next = until.max(*next);
    }

    /// Removes channels that have been idle for a minute, which bounds their number.
    pub(super) fn forget_idle(&self) {
        let idle_since = self.clock.monotonic().saturating_sub(Duration::from_secs(60));
        self.channels().retain(|_, next| *next > idle_since);
    }

    const fn bucket(&self, bucket: RateBucket) -> &Bucket {
        match bucket {
            RateBucket::Posts => &self.posts,
            RateBucket::Edits => &self.edits,
            RateBucket::Searches => &self.searches,
        }
    }

    fn channels(&self) -> MutexGuard<'_, HashMap<String, Duration>> {
        self.channels.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{DateTime, TimeDelta};

    fn limiter() -> (RateLimiter, Clock) {
        let clock = Clock::manual(DateTime::UNIX_EPOCH + TimeDelta::days(20_000));
        (RateLimiter::new(clock.clone()), clock)
    }

    fn take_all(limiter: &RateLimiter, bucket: RateBucket) -> usize {
        (0..50).filter(|_| limiter.take(bucket).is_ok()).count()
    }

    #[test]
    fn channel_gets_one_message_a_second() {
        let (limiter, clock) = limiter();
        assert_eq!(limiter.channel_next("#wood"), None);
        limiter.posting_to("#wood");
        assert_eq!(limiter.channel_next("#wood"), Some(clock.monotonic() + PER_CHANNEL));
        assert_eq!(limiter.channel_next("#metal"), None);
        clock.advance(TimeDelta::seconds(62));
        limiter.forget_idle();
        assert_eq!(limiter.channel_next("#wood"), None);
    }

    #[test]
    fn buckets_are_apart_and_name_their_next_token() {
        let (limiter, clock) = limiter();
        for (bucket, refill) in
            [(RateBucket::Posts, 125), (RateBucket::Edits, 1_200), (RateBucket::Searches, 1_200)]
        {
            assert!(limiter.may_have_token(bucket));
            assert_eq!(take_all(&limiter, bucket), 20);
            let next = clock.monotonic() + Duration::from_millis(refill);
            assert_eq!(limiter.take(bucket), Err(next));
            assert!(!limiter.may_have_token(bucket));
            clock.advance(TimeDelta::milliseconds(i64::try_from(refill).unwrap()));
            assert_eq!(limiter.take(bucket), Ok(()));
        }
    }

    #[test]
    fn back_off_lasts_as_slack_asks() {
        let (limiter, clock) = limiter();
        let until = clock.monotonic() + Duration::from_secs(7);
        limiter.back_off(RateBucket::Edits, Duration::from_secs(7));
        limiter.back_off_channel("#wood", Duration::from_secs(7));
        assert_eq!(limiter.take(RateBucket::Edits), Err(until));
        assert_eq!(limiter.channel_next("#wood"), Some(until));
        assert_eq!(limiter.take(RateBucket::Posts), Ok(()));
        clock.advance(TimeDelta::seconds(7));
        assert_eq!(limiter.take(RateBucket::Edits), Ok(()));
    }

    #[test]
    fn setting_the_wall_clock_changes_no_pace() {
        let (limiter, clock) = limiter();
        assert_eq!(take_all(&limiter, RateBucket::Edits), 20);
        let next = limiter.take(RateBucket::Edits).unwrap_err();
        for step in [TimeDelta::days(1), TimeDelta::days(-400)] {
            clock.set_wall_clock(step);
            assert_eq!(limiter.take(RateBucket::Edits), Err(next));
        }
        clock.advance(TimeDelta::milliseconds(1_200));
        assert_eq!(limiter.take(RateBucket::Edits), Ok(()));
    }
}
