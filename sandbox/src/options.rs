//! What a caller may tune when starting a sandbox.
//!
//! Owns: [`Options`] and its defaults. Must not: read the environment or the state of a running
//! sandbox. Called by: callers of [`crate::Sandbox::start`].

use std::{fmt, sync::Arc, time::Duration};

use chrono::{DateTime, Utc};

use crate::rates::RateLimits;

/// Where the sandbox reads the time that Slack's rules run on: triggers, response URLs and rate limits.
pub type Clock = Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>;

/// How a sandbox behaves; the default is a Slack that keeps all of its limits.
#[derive(Clone)]
pub struct Options {
    /// The time by Slack's clock. A test gives the clock that the app runs on, too.
    pub clock: Clock,
    /// Port on 127.0.0.1; 0 lets the system choose a free one.
    pub port: u16,
    /// The host name that the app uses, for example of a proxy; `None` for the address on loopback.
    pub host: Option<String>,
    /// How long an envelope may stay unacknowledged, in real time. Slack: 3 s.
    pub ack_timeout: Duration,
    /// The waits, in real time, before an event that was not acknowledged is sent again by itself: each counts from
    /// the end of the wait for the acknowledgement before. None unless a caller says so, since a test that holds the
    /// clock sends again by hand; Slack's own are [`Options::REDELIVERY_OF_SLACK`].
    pub redelivery: Vec<Duration>,
    /// How often a connection is pinged, in real time. Slack: about 30 s.
    pub ping_every: Duration,
    /// How fast the app may call.
    pub rate_limits: RateLimits,
}

impl Options {
    /// When Slack sends an unacknowledged event again: at once, after a minute, after five.
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
