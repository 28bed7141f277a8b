//! Decides what is sent next: edits, then direct messages, then the channel that has been idle for longest, each
//! within its rate limit. So a burst in one channel delays no other channel and no password.

use super::circuit_breaker::{CircuitBreaker, Permit, Subject};
use super::rate_limiter::{RateBucket, RateLimiter};
use crate::domain::channel::is_person;
use crate::domain::delivery::{DeliveryKind, DeliveryState};
use crate::store::RETRY_REQUESTED;
use crate::store::delivery_queue::Head;
use std::collections::HashMap;
use std::time::Duration;

/// Messages to one channel that may be in flight at once, when Slack is slow.
const PER_CHANNEL: usize = 4;

/// The deliveries that may be sent, in order, without those that must wait.
#[derive(Debug, Default)]
pub(super) struct Turns {
    /// May be sent while tokens last.
    pub(super) ready: Vec<Head>,
    /// When the first of the others may be sent, in monotonic time.
    pub(super) next: Option<Duration>,
    /// A delivery waits for a rate limit of this process.
    pub(super) is_paced: bool,
}

impl Turns {
    /// Sorts `heads`; `in_flight` counts the messages that are being sent to each target.
    pub(super) fn of(
        heads: Vec<Head>,
        now: Duration,
        (limiter, breaker): (&RateLimiter, &CircuitBreaker),
        in_flight: &HashMap<String, usize>,
    ) -> Self {
        let (mut turns, mut is_probing) = (Self::default(), false);
        for head in heads {
            let is_edit = head.kind == DeliveryKind::Edit;
            let (mut waits, mut is_paced) = (Vec::new(), false);
            match breaker.permit(subject(&head), is_requested(&head)) {
                Permit::Send => {}
                Permit::Probe => is_probing = true,
                Permit::Wait(until) => waits.push(until),
            }
            if !is_edit {
                let pace = limiter.channel_next(&head.target).filter(|next| *next > now);
                is_paced = pace.is_some() && waits.is_empty();
                waits.extend(pace);
                // The end of one of them wakes the worker.
                if in_flight.get(&head.target).is_some_and(|count| *count >= PER_CHANNEL) {
                    continue;
                }
            }
            match waits.into_iter().max() {
                None => turns.ready.push(head),
                Some(until) => {
                    turns.is_paced |= is_paced;
                    turns.wait_until(until);
                }
            }
        }
        turns.ready.sort_by_cached_key(|head| {
            let is_edit = head.kind == DeliveryKind::Edit;
            // A delivery that failed before may be the cause of the failure, so another one is the probe.
            let failures = if is_probing { head.failures } else { 0 };
            (
                failures,
                is_edit == is_probing,
                !is_person(&head.target),
                limiter.channel_next(&head.target),
                head.id,
            )
        });
        turns
    }

    pub(super) fn wait_until(&mut self, until: Duration) {
        self.next = Some(self.next.map_or(until, |next| next.min(until)));
    }
}

/// Takes the tokens that a delivery needs.
///
/// # Errors
/// The time at which to retry.
pub(super) fn admit(head: &Head, limiter: &RateLimiter, breaker: &CircuitBreaker) -> Result<(), Duration> {
    let is_probe = match breaker.permit(subject(head), is_requested(head)) {
        Permit::Send => false,
        Permit::Probe => true,
        Permit::Wait(until) => return Err(until),
    };
    let is_edit = head.kind == DeliveryKind::Edit;
    // Slack may have requested a pause since the heads were sorted.
    if let Some(next) = limiter.channel_next(&head.target).filter(|next| !is_edit && *next > limiter.now()) {
        return Err(next);
    }
    if head.is_in_doubt() {
        limiter.take(RateBucket::Searches)?;
    }
    if is_edit {
        limiter.take(RateBucket::Edits)?;
    } else {
        limiter.take(RateBucket::Posts)?;
        limiter.posting_to(&head.target);
    }
    if is_probe {
        breaker.probing(subject(head));
    }
    Ok(())
}

pub(super) fn subject(head: &Head) -> Subject<'_> {
    Subject { id: head.id, place: head.place(), is_edit: head.kind == DeliveryKind::Edit }
}

fn is_requested(head: &Head) -> bool {
    head.state == DeliveryState::Failed && head.due_at == RETRY_REQUESTED
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;
    use crate::domain::delivery::Cause;
    use crate::domain::ids::DeliveryId;
    use chrono::{DateTime, TimeDelta};

    struct Case {
        clock: Clock,
        limiter: RateLimiter,
        breaker: CircuitBreaker,
    }

    fn case() -> Case {
        let clock = Clock::manual(DateTime::UNIX_EPOCH + TimeDelta::days(20_000));
        let (limiter, breaker) = (RateLimiter::new(clock.clone()), CircuitBreaker::new(clock.clone()));
        breaker.succeeded(subject(&head(1, "#any", DeliveryKind::Message)));
        Case { clock, limiter, breaker }
    }

    fn head(id: i64, target: &str, kind: DeliveryKind) -> Head {
        Head {
            id: DeliveryId(id),
            target: target.to_owned(),
            kind,
            state: DeliveryState::Pending,
            failures: 0,
            due_at: DateTime::UNIX_EPOCH,
            in_doubt_since: None,
            lease: None,
            leased_until: None,
            card_channel: None,
        }
    }

    fn messages(targets: &[&str]) -> Vec<Head> {
        let message = |(id, target): (i64, &&str)| head(id, target, DeliveryKind::Message);
        (1..).zip(targets).map(message).collect()
    }

    impl Case {
        fn turns(&self, heads: Vec<Head>) -> Turns {
            Turns::of(heads, self.clock.monotonic(), (&self.limiter, &self.breaker), &HashMap::new())
        }

        fn order(&self, heads: Vec<Head>) -> Vec<String> {
            self.turns(heads).ready.into_iter().map(|head| head.target).collect()
        }
    }

    #[test]
    fn edits_then_people_then_quiet_channels() {
        let case = case();
        case.limiter.posting_to("#busy");
        case.clock.advance(TimeDelta::seconds(2));
        case.limiter.posting_to("#busier");
        case.clock.advance(TimeDelta::seconds(2));
        let mut heads = messages(&["#busier", "#busy", "#quiet", "U0ANA"]);
        heads.push(head(9, "#busier", DeliveryKind::Edit));
        assert_eq!(case.order(heads), ["#busier", "U0ANA", "#quiet", "#busy", "#busier"]);
    }

    #[test]
    fn waiting_channel_is_skipped_until_its_time() {
        let case = case();
        case.limiter.posting_to("#wood");
        let turns = case.turns(messages(&["#wood", "#metal"]));
        assert_eq!(turns.ready.len(), 1);
        assert_eq!(turns.next, Some(case.clock.monotonic() + Duration::from_secs(1)));
        case.breaker.failed(subject(&head(1, "#metal", DeliveryKind::Message)), Some(Cause::Channel));
        assert_eq!(case.order(messages(&["#wood", "#metal"])), Vec::<String>::new());
    }

    #[test]
    fn archived_old_channel_stops_no_new_one() {
        let case = case();
        let mut reply = head(1, "#wood", DeliveryKind::Message);
        reply.card_channel = Some("C0OLD".into());
        case.breaker.failed(subject(&reply), Some(Cause::Channel));
        let heads = vec![reply, head(2, "#wood", DeliveryKind::Message)];
        let ready = case.turns(heads).ready;
        assert_eq!(ready.iter().map(|head| head.id.0).collect::<Vec<_>>(), [2]);
    }

    #[test]
    fn back_off_since_its_turn_is_obeyed() {
        let case = case();
        let [wood] = messages(&["#wood"]).try_into().unwrap();
        case.limiter.back_off_channel("#wood", Duration::from_secs(30));
        let until = case.clock.monotonic() + Duration::from_secs(30);
        assert_eq!(admit(&wood, &case.limiter, &case.breaker), Err(until));
        case.limiter.posting_to("#wood");
        assert_eq!(case.limiter.channel_next("#wood"), Some(until), "a later wait stays");
    }

    #[test]
    fn slow_channel_has_few_messages_in_flight() {
        let case = case();
        let in_flight = HashMap::from([("#wood".to_owned(), PER_CHANNEL), ("#metal".to_owned(), 1)]);
        let (now, parts) = (case.clock.monotonic(), (&case.limiter, &case.breaker));
        let turns = Turns::of(messages(&["#wood", "#metal"]), now, parts, &in_flight);
        assert_eq!(turns.ready.iter().map(|head| head.target.as_str()).collect::<Vec<_>>(), ["#metal"]);
    }

    #[test]
    fn only_one_probe_is_admitted() {
        let case = case();
        let breaker = CircuitBreaker::new(case.clock.clone());
        let [one, other] = messages(&["#wood", "#metal"]).try_into().unwrap();
        assert_eq!(admit(&one, &case.limiter, &breaker), Ok(()));
        assert!(admit(&other, &case.limiter, &breaker).is_err());
    }

    #[test]
    fn probe_prefers_least_failures_and_no_edit() {
        let case = Case { breaker: CircuitBreaker::new(case().clock), ..case() };
        let mut heads = messages(&["#wood", "#metal"]);
        heads[0].failures = 1;
        heads.push(head(9, "#edit", DeliveryKind::Edit));
        assert_eq!(case.order(heads), ["#metal", "#edit", "#wood"]);
    }

    #[test]
    fn quiet_channels_share_all_tokens_before_busy_ones() {
        let case = case();
        let targets: Vec<String> = (0..40).map(|n| format!("#c{n}")).collect();
        let targets: Vec<&str> = targets.iter().map(String::as_str).collect();
        let heads = case.turns(messages(&targets)).ready;
        let admitted = heads.iter().filter(|head| admit(head, &case.limiter, &case.breaker).is_ok()).count();
        assert_eq!(admitted, 20, "the burst");
        case.clock.advance(TimeDelta::seconds(1));
        let next = &case.turns(messages(&targets)).ready[0];
        assert_eq!(next.target, "#c20", "one that has had none");
    }
}
