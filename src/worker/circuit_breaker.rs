//! Circuit breakers for the causes that many deliveries share: Slack as a whole, the token, a channel. While a circuit
//! is open, one delivery a minute probes it and all others wait. The first success closes it. Edits have a circuit of
//! their own, since Slack may refuse edits and accept messages. State is per process: a restart begins with a probe.
//! Time is monotonic.
//!
//! ```text
//! closed ──failed──► open ──after a minute──► one probe ──failed──► open
//!    ▲                                            │
//!    └────────────────────succeeded───────────────┘
//! ```

use crate::clock::Clock;
use crate::domain::delivery::{Cause, PROBE_EVERY};
use crate::domain::ids::DeliveryId;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Most channels with an open circuit.
const CHANNELS_MAX: usize = 10_000;

/// Whether a delivery may be tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Permit {
    Send,
    /// It may be tried, as the probe of an open circuit.
    Probe,
    /// Not before this monotonic time.
    Wait(Duration),
}

/// What a failure changes.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct CircuitChange {
    /// The causes that have ended: if Slack refuses a channel or a message, it is up and accepts the token.
    pub(super) over: Vec<Cause>,
    /// The cause whose circuit opened.
    pub(super) opened: Option<Cause>,
}

/// The circuits of one process.
pub(super) struct CircuitBreaker {
    clock: Clock,
    state: Mutex<State>,
}

struct State {
    /// Slack and the token, which every call needs. It starts open: the first delivery is a probe.
    slack: Circuit,
    /// Slack's `chat.update`.
    edits: Circuit,
    /// The channels with an open circuit, and when each is probed next.
    channels: HashMap<String, Duration>,
}

/// The properties of a delivery that choose its circuits.
#[derive(Debug, Clone, Copy)]
pub(super) struct Subject<'a> {
    pub(super) id: DeliveryId,
    /// Its channel or person.
    pub(super) place: &'a str,
    pub(super) is_edit: bool,
}

#[derive(Debug, Default)]
struct Circuit {
    /// `None`: closed.
    probe_at: Option<Duration>,
    /// The first failure since the latest success. A single delivery never opens the circuit, however often it fails.
    failed: Option<DeliveryId>,
    /// The causes that keep the circuit open.
    causes: Vec<Cause>,
}

impl CircuitBreaker {
    pub(super) fn new(clock: Clock) -> Self {
        let slack = Circuit { probe_at: Some(Duration::ZERO), ..Circuit::default() };
        let state = State { slack, edits: Circuit::default(), channels: HashMap::new() };
        Self { clock, state: Mutex::new(state) }
    }

    /// Whether a delivery may be sent. A retry that a person `requested` does not wait for its channel's probe.
    pub(super) fn permit(&self, subject: Subject<'_>, requested: bool) -> Permit {
        let (now, state) = (self.clock.monotonic(), self.state());
        let of_channel = state.channels.get(subject.place).copied().filter(|_| !requested);
        let of_edits = state.edits.probe_at.filter(|_| subject.is_edit);
        match [state.slack.probe_at, of_edits, of_channel].into_iter().flatten().max() {
            None => Permit::Send,
            Some(probe_at) if probe_at <= now => Permit::Probe,
            Some(probe_at) => Permit::Wait(probe_at),
        }
    }

    /// False while the circuit of edits is open.
    pub(super) fn may_edit(&self) -> bool {
        let (now, state) = (self.clock.monotonic(), self.state());
        state.edits.probe_at.is_none_or(|probe_at| probe_at <= now)
    }

    /// Records a probe. The next one follows after a minute, unless its outcome comes first.
    pub(super) fn probing(&self, subject: Subject<'_>) {
        let next = self.clock.monotonic() + every();
        self.probe_times(subject, |probe_at| *probe_at = next);
    }

    /// Records that a delivery ended before a call to Slack: the next one may probe.
    pub(super) fn undecided(&self, subject: Subject<'_>) {
        let now = self.clock.monotonic();
        self.probe_times(subject, |probe_at| *probe_at = now.min(*probe_at));
    }

    fn probe_times(&self, subject: Subject<'_>, set: impl Fn(&mut Duration)) {
        let mut state = self.state();
        let State { slack, edits, channels } = &mut *state;
        let of_edits = edits.probe_at.as_mut().filter(|_| subject.is_edit);
        let of_channel = channels.get_mut(subject.place);
        [slack.probe_at.as_mut(), of_edits, of_channel].into_iter().flatten().for_each(set);
    }

    /// Records a success. Returns the causes that have ended.
    pub(super) fn succeeded(&self, subject: Subject<'_>) -> Vec<Cause> {
        let mut state = self.state();
        let mut over = state.slack.close();
        if subject.is_edit {
            over.extend(state.edits.close());
        }
        over.extend(state.channels.remove(subject.place).map(|_| Cause::Channel));
        over
    }

    /// Closes the circuit of a channel that accepted a message by another of its names. Returns whether it was open.
    pub(super) fn close_channel(&self, channel: &str) -> bool {
        self.state().channels.remove(channel).is_some()
    }

    /// Records a failure after a call to Slack.
    pub(super) fn failed(&self, subject: Subject<'_>, cause: Option<Cause>) -> CircuitChange {
        let (now, Subject { id, place, is_edit }) = (self.clock.monotonic(), subject);
        let mut state = self.state();
        let opened = match cause {
            Some(Cause::Token) => {
                let is_new = state.slack.failed(id, Cause::Token, now);
                return CircuitChange { over: Vec::new(), opened: is_new.then_some(Cause::Token) };
            }
            Some(Cause::Slack) => {
                let of_edits = is_edit && state.slack.probe_at.is_none();
                let circuit = if of_edits { &mut state.edits } else { &mut state.slack };
                let is_new = circuit.failed(id, Cause::Slack, now);
                return CircuitChange { over: Vec::new(), opened: is_new.then_some(Cause::Slack) };
            }
            Some(Cause::Channel) if state.channels.len() < CHANNELS_MAX => {
                let is_new = state.channels.insert(place.to_owned(), now + every()).is_none();
                is_new.then_some(Cause::Channel)
            }
            _ => None,
        };
        CircuitChange { over: state.slack.close(), opened }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Circuit {
    fn close(&mut self) -> Vec<Cause> {
        (self.probe_at, self.failed) = (None, None);
        std::mem::take(&mut self.causes)
    }

    /// A rejected token opens the circuit immediately. A failure of Slack opens it after two different deliveries: a single
    /// one may be the cause itself. Returns true if the cause is new.
    fn failed(&mut self, id: DeliveryId, cause: Cause, now: Duration) -> bool {
        let first = *self.failed.get_or_insert(id);
        if cause != Cause::Token && first == id && self.causes.is_empty() {
            if let Some(probe_at) = &mut self.probe_at {
                *probe_at = now;
            }
            return false;
        }
        self.probe_at = Some(now + every());
        let is_new = !self.causes.contains(&cause);
        if is_new {
            self.causes.push(cause);
        }
        is_new
    }
}

fn every() -> Duration {
    PROBE_EVERY.to_std().unwrap_or(Duration::from_secs(60))
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::{DateTime, TimeDelta};

    const ONE: DeliveryId = DeliveryId(1);
    const TWO: DeliveryId = DeliveryId(2);

    fn breaker() -> (CircuitBreaker, Clock) {
        let clock = Clock::manual(DateTime::UNIX_EPOCH + TimeDelta::days(20_000));
        (CircuitBreaker::new(clock.clone()), clock)
    }

    fn closed() -> (CircuitBreaker, Clock) {
        let (breaker, clock) = breaker();
        assert_eq!(breaker.succeeded(wood(ONE)), []);
        (breaker, clock)
    }

    const fn wood(id: DeliveryId) -> Subject<'static> {
        Subject { id, place: "#wood", is_edit: false }
    }

    const fn metal(id: DeliveryId) -> Subject<'static> {
        Subject { id, place: "#metal", is_edit: false }
    }

    const fn edit(id: DeliveryId) -> Subject<'static> {
        Subject { id, place: "#wood", is_edit: true }
    }

    #[test]
    fn first_delivery_of_a_process_is_a_probe() {
        let (breaker, clock) = breaker();
        assert_eq!(breaker.permit(wood(ONE), false), Permit::Probe);
        breaker.probing(wood(ONE));
        assert_eq!(breaker.permit(metal(TWO), false), Permit::Wait(clock.monotonic() + every()));
        breaker.succeeded(wood(ONE));
        assert_eq!(breaker.permit(metal(TWO), false), Permit::Send);
    }

    #[test]
    fn outage_costs_one_probe_a_minute() {
        let (breaker, clock) = closed();
        breaker.failed(wood(ONE), Some(Cause::Slack));
        assert_eq!(breaker.permit(wood(ONE), false), Permit::Send, "one alone may be at fault itself");
        let noted = breaker.failed(metal(TWO), Some(Cause::Slack));
        assert_eq!(noted, CircuitChange { over: Vec::new(), opened: Some(Cause::Slack) });
        for _ in 0..5 {
            let waits = Permit::Wait(clock.monotonic() + every());
            assert_eq!([breaker.permit(metal(TWO), true), breaker.permit(edit(TWO), true)], [waits, waits]);
            clock.advance(PROBE_EVERY);
            assert_eq!(breaker.permit(wood(ONE), false), Permit::Probe);
            breaker.probing(wood(ONE));
            assert_eq!(breaker.failed(wood(ONE), Some(Cause::Slack)), CircuitChange::default(), "said once");
        }
        assert_eq!(breaker.succeeded(wood(ONE)), [Cause::Slack]);
        assert_eq!(breaker.permit(metal(TWO), false), Permit::Send);
    }

    #[test]
    fn one_bad_message_never_stops_the_others() {
        let (breaker, _) = closed();
        for _ in 0..10 {
            assert_eq!(breaker.failed(wood(ONE), Some(Cause::Slack)), CircuitChange::default());
            assert_eq!(breaker.permit(wood(TWO), false), Permit::Send);
        }
        let (breaker, _) = self::breaker();
        breaker.probing(wood(ONE));
        breaker.failed(wood(ONE), Some(Cause::Slack));
        assert_eq!(breaker.permit(metal(TWO), false), Permit::Probe, "another one finds out at once");
    }

    #[test]
    fn refused_edits_hold_up_no_message() {
        let (breaker, clock) = closed();
        for id in [ONE, TWO] {
            breaker.failed(edit(id), Some(Cause::Slack));
        }
        assert_eq!(breaker.permit(edit(ONE), false), Permit::Wait(clock.monotonic() + every()));
        assert_eq!(breaker.permit(wood(ONE), false), Permit::Send);
        assert_eq!(breaker.succeeded(wood(ONE)), []);
        clock.advance(PROBE_EVERY);
        assert_eq!(breaker.permit(edit(ONE), false), Permit::Probe);
        assert_eq!(breaker.succeeded(edit(ONE)), [Cause::Slack]);
    }

    #[test]
    fn refused_token_stops_everything_at_once() {
        let (breaker, clock) = closed();
        let noted = breaker.failed(edit(ONE), Some(Cause::Token));
        assert_eq!(noted.opened, Some(Cause::Token));
        assert_eq!(breaker.permit(metal(TWO), true), Permit::Wait(clock.monotonic() + every()));
        assert_eq!(breaker.failed(wood(TWO), Some(Cause::Channel)).over, [Cause::Token]);
        assert_eq!(breaker.permit(metal(TWO), false), Permit::Send);
    }

    #[test]
    fn channel_stops_alone_unless_a_retry_is_requested() {
        let (breaker, clock) = closed();
        breaker.failed(wood(ONE), Some(Cause::Channel));
        assert_eq!(breaker.permit(wood(TWO), false), Permit::Wait(clock.monotonic() + every()));
        assert_eq!(breaker.permit(wood(TWO), true), Permit::Send);
        assert_eq!(breaker.permit(metal(TWO), false), Permit::Send);
        clock.advance(PROBE_EVERY);
        assert_eq!(breaker.permit(wood(TWO), false), Permit::Probe);
        assert_eq!(breaker.succeeded(wood(TWO)), [Cause::Channel]);
        assert_eq!(breaker.permit(wood(ONE), false), Permit::Send);
    }

    #[test]
    fn undecided_probe_makes_room_for_the_next() {
        let (breaker, _) = breaker();
        breaker.probing(wood(ONE));
        breaker.undecided(wood(ONE));
        assert_eq!(breaker.permit(wood(TWO), false), Permit::Probe);
    }
}
