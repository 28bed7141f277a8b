//! Rate limits: token buckets per method and, for posting, per channel.
//!
//! Owns: [`RateLimits`] and the buckets. Must not: depend on a method's arguments. Called by: `server::call`. The
//! caller passes the time, so with a stopped test clock the limits stop, too.

use std::collections::HashMap;

use chrono::{DateTime, Utc};

/// Slack's rate limits; `RateLimits::off()` disables them.
#[derive(Clone, Debug)]
pub struct RateLimits {
    /// Messages per channel in a burst, before the limit of one a second applies. Slack says "short bursts" without a
    /// number; `None` disables the limit.
    pub post_burst: Option<u32>,
    /// Whether Slack's tiers limit calls per minute and method (20, 50, 100).
    pub tiers: bool,
}

impl Default for RateLimits {
    fn default() -> Self {
        Self { post_burst: Some(3), tiers: true }
    }
}

impl RateLimits {
    pub fn off() -> Self {
        Self { post_burst: None, tiers: false }
    }
}

/// A token bucket: `size` calls at once, refilled at `per_second`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bucket {
    pub(crate) size: f64,
    pub(crate) per_second: f64,
}

impl Bucket {
    /// Calls per minute, all of which may be one burst.
    pub(crate) fn per_minute(calls: u32) -> Self {
        Self { size: f64::from(calls), per_second: f64::from(calls) / 60.0 }
    }

    /// One a second after a burst.
    pub(crate) fn posting(burst: u32) -> Self {
        Self { size: f64::from(burst), per_second: 1.0 }
    }
}

#[derive(Debug, Default)]
pub(crate) struct Rates {
    levels: HashMap<String, (f64, DateTime<Utc>)>,
}

impl Rates {
    /// Takes one token, or returns the seconds until there is one.
    pub(crate) fn take(&mut self, key: &str, bucket: Bucket, now: DateTime<Utc>) -> Result<(), u64> {
        let (level, since) = self.levels.entry(key.to_owned()).or_insert((bucket.size, now));
        let elapsed = (now - *since).as_seconds_f64().max(0.0);
        *level = (*level + elapsed * bucket.per_second).min(bucket.size);
        *since = now;
        if *level >= 1.0 {
            *level -= 1.0;
            return Ok(());
        }
        // At least a second: Retry-After is in whole seconds, and 0 would cause an immediate retry.
        let wait = ((1.0 - *level) / bucket.per_second).ceil().max(1.0);
        Err(wait as u64)
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;

    #[test]
    fn burst_passes_then_one_a_second() {
        let (mut rates, t) = (Rates::default(), Utc::now());
        let bucket = Bucket::posting(3);
        for _ in 0..3 {
            assert_eq!(rates.take("wood", bucket, t), Ok(()));
        }
        assert_eq!(rates.take("wood", bucket, t), Err(1));
        assert_eq!(rates.take("metal", bucket, t), Ok(()), "another channel has a bucket of its own");
        assert_eq!(rates.take("wood", bucket, t + TimeDelta::seconds(1)), Ok(()));
        assert_eq!(rates.take("wood", bucket, t + TimeDelta::seconds(1)), Err(1));
    }

    #[test]
    fn tier_tells_how_long_to_wait() {
        let (mut rates, t) = (Rates::default(), Utc::now());
        let bucket = Bucket::per_minute(20);
        for _ in 0..20 {
            assert_eq!(rates.take("m", bucket, t), Ok(()));
        }
        assert_eq!(rates.take("m", bucket, t), Err(3));
    }
}
