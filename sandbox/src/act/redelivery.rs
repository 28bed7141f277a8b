//! Redelivery of events that the app does not acknowledge.
//!
//! Owns: the timers of [`crate::Options::redelivery`], and the fate of each event. Must not: build events. Called by:
//! `event`; tests query an event's fate.

use std::time::Duration;

use super::Delivered;
use crate::sandbox::Sandbox;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventFate {
    /// Not yet acknowledged; it will be sent again.
    Open,
    /// The app acknowledged one of the deliveries in time.
    Acknowledged,
    /// All deliveries were sent, and none was acknowledged in time.
    GivenUp,
}

/// An event that was sent.
#[derive(Clone, Copy, Debug)]
pub struct EventRecord {
    /// Number of deliveries.
    pub sent: u32,
    pub fate: EventFate,
}

impl Sandbox {
    pub fn event_record(&self, event_id: &str) -> Option<EventRecord> {
        self.shared.peek(|state| state.events.get(event_id).copied())
    }

    /// Waits, at most `limit` of real time, until an event is acknowledged or given up.
    pub async fn wait_for_fate(&self, event_id: &str, limit: Duration) -> Option<EventRecord> {
        let is_over = |record: &EventRecord| record.fate != EventFate::Open;
        self.shared.until(limit, |state| state.events.get(event_id).copied().filter(is_over)).await
    }

    /// Records the result of the first delivery, and redelivers the event while it is unacknowledged. The sandbox lives
    /// at least as long as it has events to send.
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
