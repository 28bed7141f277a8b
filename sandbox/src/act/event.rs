//! Events of the workspace.
//!
//! Owns: events caused by people, except messages (those are `say`'s), and redelivery. Must not: act in views. Called
//! by: tests, demos, `terminal`.
//!
//! Slack sends an unacknowledged event again: immediately, after a minute, after five. The sandbox does so when a test
//! calls it, or by the timers of [`crate::Options::redelivery`].

use serde_json::{Value, json};

use super::{Cannot, Outcome, payload, person};
use crate::{api::user_json, messages::Message, sandbox::Sandbox, state::State, world::World};

/// An event that was sent.
#[derive(Clone, Debug)]
pub struct Delivered {
    pub envelope_id: String,
    /// The event's id, which stays the same when it is sent again.
    pub event_id: String,
    /// Whether the app acknowledged it.
    pub outcome: Outcome,
}

impl Sandbox {
    /// Sends any event: the inner object, such as `{"type": "app_mention", …}`. Sends nothing if the app may not
    /// receive it: without the scope of its kind, or for a channel that the bot is not in.
    pub async fn event(&self, event: Value) -> Delivered {
        let sent = self.shared.with(|state| {
            is_heard(&state.world, &event).then(|| {
                let (event_id, payload) = payload::event(state, event);
                let (envelope_id, sent) = send(state, payload, 0, "");
                (event_id, envelope_id, sent)
            })
        });
        let Some((event_id, envelope_id, sent)) = sent else {
            return Delivered { envelope_id: String::new(), event_id: String::new(), outcome: Outcome::Kept };
        };
        let outcome = if sent { self.acknowledged(&envelope_id).await } else { Outcome::NoConnection };
        let delivered = Delivered { envelope_id, event_id, outcome };
        self.follow(&delivered);
        delivered
    }

    /// Sends an event again in a new envelope, as Slack does if it was not acknowledged. `attempt` counts from 1;
    /// Slack's reasons are `timeout`, `http_error` and similar.
    ///
    /// # Errors
    /// When that envelope was never sent.
    pub async fn redeliver(
        &self,
        delivered: &Delivered,
        attempt: u32,
        reason: &str,
    ) -> Result<Delivered, Cannot> {
        let (envelope_id, sent) = self.shared.with(|state| {
            let frame = state.hub.frame(&delivered.envelope_id);
            let payload = frame.map(|frame| frame["payload"].clone());
            let payload = payload.ok_or_else(|| Cannot::NoMessage(delivered.envelope_id.clone()))?;
            Ok(send(state, payload, attempt, reason))
        })?;
        let outcome = if sent { self.acknowledged(&envelope_id).await } else { Outcome::NoConnection };
        Ok(Delivered { envelope_id, event_id: delivered.event_id.clone(), outcome })
    }

    /// A person deletes a message; workspaces may allow this for an app's messages, too. The app gets no event:
    /// [`Sandbox::take_back`] sends one.
    ///
    /// # Errors
    /// When the message is not there.
    pub fn delete_message(&self, message: &Message) -> Result<(), Cannot> {
        self.shared.with(|state| {
            state
                .messages
                .find(&message.channel, &message.ts)
                .ok_or_else(|| Cannot::NoMessage(message.ts.clone()))?;
            state.messages.remove(&message.channel, &message.ts);
            Ok(())
        })
    }

    /// A person reacts to a message with an emoji, given without colons.
    ///
    /// # Errors
    /// When the person is not in the world.
    pub async fn react(&self, user: &str, message: &Message, emoji: &str) -> Result<Delivered, Cannot> {
        let event = self.shared.with(|state| {
            Ok(json!({
                "type": "reaction_added",
                "user": person(state, user)?,
                "reaction": emoji,
                "item_user": message.user,
                "item": {"type": "message", "channel": message.channel, "ts": message.ts},
                "event_ts": super::command::action_ts(state),
            }))
        })?;
        Ok(self.event(event).await)
    }

    /// A person opens the app's Home tab.
    ///
    /// # Errors
    /// When the person is not in the world.
    pub async fn open_home(&self, user: &str) -> Result<Delivered, Cannot> {
        let event = self.shared.with(|state| {
            let user = person(state, user)?;
            let mut event = json!({
                "type": "app_home_opened",
                "channel": World::dm_of(&user),
                "tab": "home",
                "event_ts": super::command::action_ts(state),
            });
            if let Some(home) = state.views.home(&user) {
                event["view"] = home.to_json(&state.world);
            }
            event["user"] = json!(user);
            Ok(event)
        })?;
        Ok(self.event(event).await)
    }

    /// Sends `user_change` for a person's account (see [`Sandbox::change_world`]).
    ///
    /// # Errors
    /// When the person is not in the world.
    pub async fn user_changed(&self, user: &str) -> Result<Delivered, Cannot> {
        let event = self.shared.with(|state| {
            let world = &state.world;
            let person = world.find_person(user).ok_or_else(|| Cannot::NoPerson(user.into()))?;
            Ok(json!({"type": "user_change", "user": user_json(world, person)}))
        })?;
        Ok(self.event(event).await)
    }
}

/// Whether Slack sends the app this event (docs.slack.dev/reference/events, "required scopes").
fn is_heard(world: &World, event: &Value) -> bool {
    let text = |event: &Value, key: &str| event[key].as_str().unwrap_or_default().to_owned();
    let is_among = |channel: &str| world.channels.iter().all(|c| c.id != channel || c.bot_is_member);
    match event["type"].as_str() {
        Some("message") => {
            world.has_scope(World::history_scope(&text(event, "channel_type")))
                && is_among(&text(event, "channel"))
        }
        Some("reaction_added" | "reaction_removed") => {
            world.has_scope("reactions:read") && is_among(&text(&event["item"], "channel"))
        }
        Some("app_mention") => world.has_scope("app_mentions:read"),
        Some("user_change" | "team_join") => world.has_scope("users:read"),
        Some("member_joined_channel") => world.has_scope("channels:read") || world.has_scope("groups:read"),
        _ => true,
    }
}

fn send(state: &mut State, payload: Value, attempt: u32, reason: &str) -> (String, bool) {
    let id = state.ids.envelope();
    let frame = json!({
        "envelope_id": id,
        "type": "events_api",
        "accepts_response_payload": false,
        "payload": payload,
        "retry_attempt": attempt,
        "retry_reason": reason,
    });
    let sent = state.hub.send_frame(&id, frame);
    (id, sent)
}
