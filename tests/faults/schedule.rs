//! The schedule of faults, generated from the seed alone.

use esb_sandbox::Fault;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use std::ops::Range;
use std::time::Duration;

/// The processes and their faults.
pub struct Plan {
    /// Arguments of each process.
    pub cast: Vec<&'static str>,
    /// Sorted by time.
    pub events: Vec<Event>,
}

/// A fault and its time.
#[derive(Debug, Clone, Copy)]
pub struct Event {
    /// Since the start.
    pub at: Duration,
    pub what: Blow,
}

/// A fault. Its target is a number, taken modulo the number of targets.
#[derive(Debug, Clone, Copy)]
pub enum Blow {
    /// A process gets kill -9, probably while it waits for an answer, because Slack delays the next messages;
    /// it starts again later.
    Kill { whom: usize, slow: Option<Duration>, down: Duration },
    /// A process gets SIGTERM and starts again later.
    Stop { whom: usize, down: Duration },
    /// The database's port is closed and connections are reset. SQLite: another program writes.
    Refuse(Duration),
    /// Connections to the database are reset; new ones work. SQLite: nothing.
    Reset,
    /// Connections to the database stall, then continue or are reset. SQLite: another program writes.
    Stall { time: Duration, then_break: bool },
    /// Existing connections to the database stall for good; new ones work. SQLite: nothing.
    Strand,
    /// The next calls of a Slack method fail.
    Slack { method: &'static str, fault: Fault, times: usize },
    /// Slack announces a disconnect and cuts the connection later.
    Leave { which: usize, reason: &'static str, after: Duration },
    /// Slack closes a connection.
    Close { which: usize },
    /// A connection is cut.
    Cut { which: usize },
    /// A connection is half open for a while, then it is cut.
    Freeze { which: usize, time: Duration },
}

const CASTS: [&[&str]; 3] = [
    &["serve --without-worker", "serve --without-worker", "worker", "worker"],
    &["serve", "worker"],
    &["serve", "serve"],
];
/// Methods that a person waits for, so they do not fail for long.
const DOWN: Range<u64> = 0..2_000;

/// The schedule for a seed.
pub fn plan(seed: u64, length: Duration) -> Plan {
    let mut rng = StdRng::seed_from_u64(seed);
    let cast = CASTS[rng.random_range(0..CASTS.len())].to_vec();
    // Each kind of fault has its own random numbers, so that a longer run starts like a shorter one.
    let mut events = Vec::new();
    for (kind, pause, draw) in [
        (1, 2_000..6_000, process as fn(&mut StdRng) -> Blow),
        (2, 5_000..9_000, database),
        (3, 700..2_500, slack),
        (4, 2_000..5_000, connection),
    ] {
        let mut rng = StdRng::seed_from_u64(seed.wrapping_mul(31).wrapping_add(kind));
        let mut at = Duration::ZERO;
        loop {
            at += millis(&mut rng, pause.clone());
            if at >= length {
                break;
            }
            events.push(Event { at, what: draw(&mut rng) });
        }
    }
    events.sort_by_key(|event| event.at);
    Plan { cast, events }
}

fn millis(rng: &mut StdRng, range: Range<u64>) -> Duration {
    Duration::from_millis(rng.random_range(range))
}

fn process(rng: &mut StdRng) -> Blow {
    let (whom, down) = (rng.random_range(0..12), millis(rng, DOWN));
    if rng.random_bool(0.3) {
        return Blow::Stop { whom, down };
    }
    let slow = rng.random_bool(0.5).then(|| millis(rng, 500..2_000));
    Blow::Kill { whom, slow, down }
}

fn database(rng: &mut StdRng) -> Blow {
    let time = millis(rng, 200..5_000);
    match rng.random_range(0..6) {
        0 | 1 => Blow::Refuse(time),
        2 => Blow::Reset,
        3 => Blow::Strand,
        _ => Blow::Stall { time, then_break: rng.random() },
    }
}

fn slack(rng: &mut StdRng) -> Blow {
    let method = match rng.random_range(0..14) {
        0 => "views.open",
        1 => "views.update",
        2 => "users.info",
        3 => "response_url",
        4 => "apps.connections.open",
        5..8 => "chat.update",
        8 => "conversations.history",
        _ => "chat.postMessage",
    };
    let fault = match rng.random_range(0..16) {
        0..4 => Fault::Delay(millis(rng, 100..3_000)),
        // Longer than our timeout.
        4 => Fault::Delay(Duration::from_secs(17)),
        5..8 => Fault::RateLimited(rng.random_range(1..4)),
        8 => Fault::Http(500),
        9 => Fault::Http(503),
        10 => Fault::Error("internal_error"),
        11 => Fault::Silence,
        _ => Fault::CutAfterAccept,
    };
    Blow::Slack { method, fault, times: rng.random_range(1..4) }
}

fn connection(rng: &mut StdRng) -> Blow {
    let (which, time) = (rng.random_range(0..12), millis(rng, 500..4_000));
    match rng.random_range(0..5) {
        0 => Blow::Leave { which, reason: "warning", after: time },
        1 => Blow::Leave { which, reason: "refresh_requested", after: time },
        2 => Blow::Close { which },
        3 => Blow::Cut { which },
        _ => Blow::Freeze { which, time },
    }
}
