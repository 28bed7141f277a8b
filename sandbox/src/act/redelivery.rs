//! Sending events again that the app does not acknowledge.
//!
//! Owns: the timers of [`crate::Options::redelivery`], and what became of each event. Must not: build events.
//! Called by: `event`; tests ask what became of one.

use std::time::Duration;

use super::Delivered;
use crate::sandbox::Sandbox;

/// What became of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventFate {
    /// It is not acknowledged yet and will be sent again.
    Open,
    /// The app acknowledged it in time, one of the times that it was sent.
    Acknowledged,
    /// It was sent as often as it is, and never acknowledged in time.
    GivenUp,
}

/// An event that was sent.
#[derive(Clone, Copy, Debug)]
pub struct EventRecord {
    /// How often it was sent.
    pub sent: u32,
    /// What became of it.
    pub fate: EventFate,
}

impl Sandbox {
    /// What became of an event so far.
    pub fn event_record(&self, event_id: &str) -> Option<EventRecord> {
        self.shared.peek(|state| state.events.get(event_id).copied())
    }

    /// Waits, at most `limit` of real time, until an event is acknowledged or given up.
    pub async fn wait_for_fate(&self, event_id: &str, limit: Duration) -> Option<EventRecord> {
        let is_over = |record: &EventRecord| record.fate != EventFate::Open;
        self.shared.until(limit, |state| state.events.get(event_id).copied().filter(is_over)).await
    }

    /// Notes what came of the first time, and sends the event again by and by where that was nothing. The sandbox
    /// lives at least as long as it has events to send.
    pub(super) fn follow(&self, first: &Delivered) {
        let waits = self.shared.peek(|state| state.options.redelivery.clone());
        self.note(first, 1, waits.is_empty());
        if first.outcome.is_acknowledged() || waits.is_empty() {
            return;
        }
        let (sandbox, first) = (self.clone(), first.clone());
        tokio::spawn(async move {
            let last = waits.len();
            for (attempt, wait) in (1..).zip(waits) {
                tokio::time::sleep(wait).await;
                let Ok(again) = sandbox.redeliver(&first, attempt, "timeout").await else { return };
                sandbox.note(&again, attempt + 1, attempt as usize == last);
                if again.outcome.is_acknowledged() {
                    return;
                }
            }
        });
    }

    fn note(&self, delivered: &Delivered, sent: u32, is_last: bool) {
        let fate = match (delivered.outcome.is_acknowledged(), is_last) {
            (true, _) => EventFate::Acknowledged,
            (false, true) => EventFate::GivenUp,
            (false, false) => EventFate::Open,
        };
        let record = EventRecord { sent, fate };
        self.shared.with(|state| state.events.insert(delivered.event_id.clone(), record));
    }
}
