//! Commands and shortcuts.
//!
//! Owns: their payloads. Must not: act in views. Called by: tests, demos, `terminal`.

use serde_json::json;

use super::{Cannot, Outcome, channel, deliver::OutgoingEnvelope, payload, person};
use crate::{api, messages::Message, response_urls::Place, sandbox::Sandbox, state::State};

impl Sandbox {
    /// A person types a command in a channel (a person's name means their direct messages). `text` is the text after
    /// the command.
    ///
    /// # Errors
    /// When the person or the channel is not in the world.
    pub async fn command(&self, user: &str, at: &str, command: &str, text: &str) -> Result<Outcome, Cannot> {
        let place = self.shared.with(|state| {
            Ok(Place { user: person(state, user)?, channel: channel(state, at)?, original: None })
        })?;
        let outcome = self
            .deliver(|state| {
                let payload =
                    payload::command(state, &place.user, &place.channel, command, &escaped(text.trim()));
                Ok(OutgoingEnvelope { kind: "slash_commands", accepts_payload: true, payload })
            })
            .await?;
        if let Some(message) = outcome.ack().and_then(|ack| ack.payload.as_ref()) {
            self.shared.with(|state| api::answer_command(state, &place, message));
        }
        Ok(outcome)
    }

    /// A person uses a global shortcut.
    ///
    /// # Errors
    /// When the person is not in the world.
    pub async fn shortcut(&self, user: &str, callback_id: &str) -> Result<Outcome, Cannot> {
        self.deliver(|state| {
            let user = person(state, user)?;
            let mut payload = payload::interaction(state, "shortcut", &user);
            payload["callback_id"] = json!(callback_id);
            payload["action_ts"] = json!(action_ts(state));
            payload["trigger_id"] = json!(payload::trigger(state, &user, None));
            Ok(OutgoingEnvelope::interactive(payload, false))
        })
        .await
    }

    /// A person uses a shortcut on a message.
    ///
    /// # Errors
    /// When the person is not in the world.
    pub async fn message_shortcut(
        &self,
        user: &str,
        message: &Message,
        callback_id: &str,
    ) -> Result<Outcome, Cannot> {
        self.deliver(|state| {
            let user = person(state, user)?;
            let mut payload = payload::interaction(state, "message_action", &user);
            payload::on_message(state, &mut payload, &user, message);
            payload["callback_id"] = json!(callback_id);
            payload["action_ts"] = json!(action_ts(state));
            payload["message_ts"] = json!(message.ts);
            payload["trigger_id"] = json!(payload::trigger(state, &user, None));
            Ok(OutgoingEnvelope::interactive(payload, false))
        })
        .await
    }
}

/// Escapes typed text as Slack does for commands: only `&`, `<` and `>`.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// The `action_ts` of an act.
pub(super) fn action_ts(state: &mut State) -> String {
    let now = state.now();
    state.ids.ts(now)
}
