//! Events: what the app hears of without having been asked to act.
//!
//! Owns: the events that people cause, and redelivery. Must not: act in views. Called by: tests, demos,
//! `terminal`.
//!
//! Slack sends an event that is not acknowledged again: at once, after a minute, after five. Here it is
//! sent again when a test says so; with a clock that the test holds, no timer could know.

use serde_json::{Value, json};

use super::{Cannot, Outcome, channel, payload, person};
use crate::{
    api::user_json,
    messages::{Audience, Message},
    sandbox::Sandbox,
    state::State,
};

/// An event that was sent.
#[derive(Clone, Debug)]
pub struct Delivered {
    /// The envelope it was in.
    pub envelope_id: String,
    /// The event, which keeps its id when it is sent again.
    pub event_id: String,
    /// Whether the app acknowledged it.
    pub outcome: Outcome,
}

impl Sandbox {
    /// Sends any event: the inner object, such as `{"type": "app_mention", …}`.
    pub async fn event(&self, event: Value) -> Delivered {
        let (event_id, envelope_id, sent) = self.shared.with(|state| {
            let (event_id, payload) = payload::event(state, event);
            let (envelope_id, sent) = send(state, payload, 0, "");
            (event_id, envelope_id, sent)
        });
        let outcome = if sent { self.acknowledged(&envelope_id).await } else { Outcome::NoConnection };
        Delivered { envelope_id, event_id, outcome }
    }

    /// Sends an event again in a new envelope, as Slack does when it was not acknowledged.
    /// `attempt` counts from 1; Slack's reasons are `timeout`, `http_error` and the like.
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

    /// A person writes a message, in a thread or not; the app hears of it, but of direct messages only with
    /// the scope `im:history`.
    ///
    /// # Errors
    /// When the person or the channel is not in the world.
    pub async fn say(
        &self,
        user: &str,
        at: &str,
        text: &str,
        thread_ts: Option<&str>,
    ) -> Result<Delivered, Cannot> {
        let (event, is_heard) = self.shared.with(|state| {
            let mut event = spoken(state, user, at, text, thread_ts)?;
            let is_direct = event["channel"].as_str().is_some_and(|channel| channel.starts_with('D'));
            event["channel_type"] = json!(if is_direct { "im" } else { "channel" });
            Ok((event, !is_direct || state.world.has_scope("im:history")))
        })?;
        Ok(self.event_if(is_heard, event).await)
    }

    /// A person mentions the bot in a message, in a thread or not; the app hears of the mention with the scope
    /// `app_mentions:read`. In direct messages there are no mentions.
    ///
    /// # Errors
    /// When the person or the channel is not in the world.
    pub async fn mention(
        &self,
        user: &str,
        at: &str,
        text: &str,
        thread_ts: Option<&str>,
    ) -> Result<Delivered, Cannot> {
        let (event, is_heard) = self.shared.with(|state| {
            let text = format!("<@{}> {text}", state.world.bot_user);
            let mut event = spoken(state, user, at, text.trim(), thread_ts)?;
            event["type"] = json!("app_mention");
            Ok((event, state.world.has_scope("app_mentions:read")))
        })?;
        Ok(self.event_if(is_heard, event).await)
    }

    async fn event_if(&self, is_heard: bool, event: Value) -> Delivered {
        if is_heard {
            return self.event(event).await;
        }
        Delivered { envelope_id: String::new(), event_id: String::new(), outcome: Outcome::Kept }
    }

    /// A person deletes a message, which workspaces may let them do with an app's, too. The app is not told.
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
                "channel": crate::world::World::dm_of(&user),
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

    /// Tells the app that a person's account has changed (see [`Sandbox::change_world`]).
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

/// A person's message, kept, as an event tells of it.
fn spoken(
    state: &mut State,
    user: &str,
    at: &str,
    text: &str,
    thread_ts: Option<&str>,
) -> Result<Value, Cannot> {
    let message = written(state, person(state, user)?, channel(state, at)?, text, thread_ts);
    let mut event = message.to_json(&state.world);
    event["channel"] = json!(message.channel);
    event["event_ts"] = json!(message.ts);
    state.messages.add(message);
    Ok(event)
}

/// A message of a person's. It counts as read: tests read what the app says.
fn written(state: &mut State, user: String, channel: String, text: &str, thread_ts: Option<&str>) -> Message {
    Message {
        ts: super::command::action_ts(state),
        channel,
        thread_ts: thread_ts.map(String::from),
        broadcast: false,
        audience: Audience::Channel,
        user,
        text: text.into(),
        blocks: Vec::new(),
        metadata: None,
        edited: false,
        read: true,
    }
}
