//! Timeouts and delays of Socket Mode. Tests shorten them; the program uses the defaults.

use std::time::Duration;

#[derive(Debug, Clone, Copy)]
pub struct SocketTimings {
    /// From a connection's start to its hello.
    pub hello: Duration,
    /// Without any frame from Slack, which pings every 30 s, a connection counts as half open.
    pub silence: Duration,
    /// Between our own pings.
    pub ping: Duration,
    /// For the network to accept one frame.
    pub write: Duration,
    /// How long a replaced connection is still read; Slack warns 10 s before it closes one.
    pub linger: Duration,
    /// For the close handshake; Slack does not close TCP after it.
    pub close: Duration,
    /// The age from which a connection counts as stable.
    pub stable: Duration,
    /// The first delay after a failed attempt; it doubles from there.
    pub first_wait: Duration,
    /// The longest delay between two attempts.
    pub longest_wait: Duration,
    /// Between two attempts with a token that Slack rejects.
    pub refused_wait: Duration,
    /// For envelopes in progress at shutdown.
    pub drain: Duration,
}

impl Default for SocketTimings {
    fn default() -> Self {
        Self {
            hello: Duration::from_secs(10),
            silence: Duration::from_secs(60),
            ping: Duration::from_secs(20),
            write: Duration::from_secs(10),
            linger: Duration::from_secs(15),
            close: Duration::from_secs(1),
            stable: Duration::from_secs(30),
            first_wait: Duration::from_secs(1),
            longest_wait: Duration::from_secs(30),
            refused_wait: Duration::from_secs(180),
            drain: Duration::from_secs(10),
        }
    }
}
