//! Options for starting a sandbox.
//!
//! Owns: [`Options`] and its defaults. Must not: read the environment or the state of a running
//! sandbox. Called by: callers of [`crate::Sandbox::start`].

use std::{fmt, sync::Arc, time::Duration};

use chrono::{DateTime, Utc};

use crate::rates::RateLimits;

/// The sandbox's clock for Slack's rules: triggers, response URLs and rate limits.
pub type Clock = Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>;

/// A sandbox's behavior; by default all of Slack's limits apply.
#[derive(Clone)]
pub struct Options {
    /// Slack's clock. Tests pass the app's clock.
    pub clock: Clock,
    /// Port on 127.0.0.1; 0 lets the system choose a free one.
    pub port: u16,
    /// The host name that the app uses, for example with a proxy; `None` for the loopback address.
    pub host: Option<String>,
    /// Time limit for an acknowledgement, in real time. Slack: 3 s.
    pub ack_timeout: Duration,
    /// Waits, in real time, before each redelivery of an unacknowledged event, counted from the end of the previous
    /// acknowledgement's time limit. Empty by default, since tests with a manual clock redeliver explicitly; Slack's
    /// own are [`Options::REDELIVERY_OF_SLACK`].
    pub redelivery: Vec<Duration>,
    /// Ping interval, in real time. Slack: about 30 s.
    pub ping_every: Duration,
    pub rate_limits: RateLimits,
}

impl Options {
    /// Slack's redelivery: immediately, after a minute, after five.
    pub const REDELIVERY_OF_SLACK: [Duration; 3] =
        [Duration::ZERO, Duration::from_secs(60), Duration::from_secs(300)];
}

impl Default for Options {
    fn default() -> Self {
        Self {
            clock: Arc::new(Utc::now),
            port: 0,
            host: None,
            ack_timeout: Duration::from_secs(3),
            redelivery: Vec::new(),
            ping_every: Duration::from_secs(30),
            rate_limits: RateLimits::default(),
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("port", &self.port)
            .field("host", &self.host)
            .field("ack_timeout", &self.ack_timeout)
            .field("redelivery", &self.redelivery)
            .field("ping_every", &self.ping_every)
            .field("rate_limits", &self.rate_limits)
            .finish_non_exhaustive()
    }
}
