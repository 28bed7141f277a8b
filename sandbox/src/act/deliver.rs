//! Sending an envelope and waiting for its acknowledgement.
//!
//! Owns: the wait of 3 s. Must not: build payloads. Called by: every act.

use serde_json::Value;

use super::{Cannot, Outcome};
use crate::{hub::Ack, sandbox::Sandbox, state::State};

/// An envelope to be sent.
pub(super) struct OutgoingEnvelope {
    /// `slash_commands`, `interactive` or `events_api`.
    pub(super) kind: &'static str,
    /// Whether its acknowledgement may have a payload.
    pub(super) accepts_payload: bool,
    pub(super) payload: Value,
}

impl OutgoingEnvelope {
    pub(super) fn interactive(payload: Value, accepts_payload: bool) -> Self {
        Self { kind: "interactive", accepts_payload, payload }
    }
}

impl Sandbox {
    /// Builds an envelope, sends it, and waits for the app.
    pub(super) async fn deliver(
        &self,
        build: impl FnOnce(&mut State) -> Result<OutgoingEnvelope, Cannot>,
    ) -> Result<Outcome, Cannot> {
        let sent = self.shared.with(|state| {
            let out = build(state)?;
            let (id, sent) = state.hub.send(&mut state.ids, out.kind, out.payload, out.accepts_payload);
            Ok((id, sent))
        });
        let (id, sent) = sent?;
        Ok(if sent { self.acknowledged(&id).await } else { Outcome::NoConnection })
    }

    /// Waits until an envelope is acknowledged, or until Slack's deadline.
    pub(super) async fn acknowledged(&self, envelope_id: &str) -> Outcome {
        let limit = self.shared.with(|state| state.options.ack_timeout);
        let ack = self.shared.until(limit, |state| state.hub.ack_of(envelope_id).cloned()).await;
        // A late acknowledgement is recorded in `acks`, but the person sees an error.
        ack.filter(|ack: &Ack| ack.latency <= limit).map_or(Outcome::TimedOut, Outcome::Acknowledged)
    }
}
