//! Messages of people: with or without files, their edits and deletions.
//!
//! Owns: the events of the kind `message`. Must not: post for the app (that is `api::chat`). Called by: tests,
//! demos, `terminal`.

use serde_json::{Value, json};

use super::{Cannot, Delivered, channel, person};
use crate::{
    messages::{Audience, Message},
    sandbox::Sandbox,
    state::State,
};

impl Sandbox {
    /// A person writes a message, in a thread or not; [`Sandbox::event`] says when the app gets an event.
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
        self.say_with(user, at, text, thread_ts, &[]).await
    }

    /// A person writes a message with files of the workspace, by their ids.
    ///
    /// # Errors
    /// When the person, the channel or a file is not in the world.
    pub async fn say_with(
        &self,
        user: &str,
        at: &str,
        text: &str,
        thread_ts: Option<&str>,
        files: &[&str],
    ) -> Result<Delivered, Cannot> {
        let event = self.shared.with(|state| {
            let (user, at) = (person(state, user)?, channel(state, at)?);
            let files = files.iter().map(|id| file(state, id)).collect::<Result<_, _>>()?;
            let mut message = written(state, user, at, text, thread_ts);
            message.files = files;
            let mut event = in_channel(state, message.to_json(&state.world), &message.channel);
            if !message.files.is_empty() {
                event["subtype"] = json!("file_share");
                event["upload"] = json!(false);
            }
            event["event_ts"] = json!(message.ts);
            state.messages.add(message);
            Ok(event)
        })?;
        Ok(self.event(event).await)
    }

    /// A person mentions the bot in a message, in a thread or not; with the scope `app_mentions:read` the app gets
    /// `app_mention`. Direct messages have no mentions.
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
        let event = self.shared.with(|state| {
            let text = format!("<@{}> {text}", state.world.bot_user);
            let (user, at) = (person(state, user)?, channel(state, at)?);
            let message = written(state, user, at, text.trim(), thread_ts);
            let mut event = message.to_json(&state.world);
            event["type"] = json!("app_mention");
            event["channel"] = json!(message.channel);
            event["event_ts"] = json!(message.ts);
            state.messages.add(message);
            Ok(event)
        })?;
        Ok(self.event(event).await)
    }

    /// A person edits one of their messages; the app gets an event.
    ///
    /// # Errors
    /// When the message is not there.
    pub async fn edit(&self, message: &Message, text: &str) -> Result<Delivered, Cannot> {
        let event = self.shared.with(|state| {
            let ts = super::command::action_ts(state);
            let there = state.messages.find_mut(&message.channel, &message.ts);
            let there = there.ok_or_else(|| Cannot::NoMessage(message.ts.clone()))?;
            let before = there.clone();
            there.text = text.into();
            (there.edited, there.edited_ts) = (true, Some(ts.clone()));
            let after = there.clone();
            let (before, after) = (before.to_json(&state.world), after.to_json(&state.world));
            let event = json!({
                "type": "message", "subtype": "message_changed", "hidden": true, "ts": ts, "event_ts": ts,
                "message": after, "previous_message": before,
            });
            Ok(in_channel(state, event, &message.channel))
        })?;
        Ok(self.event(event).await)
    }

    /// A person deletes one of their messages; the app gets an event.
    ///
    /// # Errors
    /// When the message is not there.
    pub async fn take_back(&self, message: &Message) -> Result<Delivered, Cannot> {
        self.delete_message(message)?;
        let event = self.shared.with(|state| {
            let ts = super::command::action_ts(state);
            let event = json!({
                "type": "message", "subtype": "message_deleted", "hidden": true, "ts": ts, "event_ts": ts,
                "deleted_ts": message.ts, "previous_message": message.to_json(&state.world),
            });
            in_channel(state, event, &message.channel)
        });
        Ok(self.event(event).await)
    }

    /// Slack removes a message and leaves a tombstone, as it does for data loss prevention and for messages with
    /// replies; the app gets an event.
    ///
    /// # Errors
    /// When the message is not there.
    pub async fn leave_tombstone(&self, message: &Message) -> Result<Delivered, Cannot> {
        self.delete_message(message)?;
        let event = self.shared.with(|state| {
            let ts = super::command::action_ts(state);
            let mut tombstone = json!({
                "type": "message", "subtype": "tombstone", "text": "This message was deleted.",
                "user": "USLACKBOT", "hidden": true, "ts": message.ts,
            });
            if let Some(thread) = &message.thread_ts {
                (tombstone["thread_ts"], tombstone["parent_user_id"]) = (json!(thread), json!("USLACKBOT"));
            }
            let event = json!({
                "type": "message", "subtype": "message_changed", "hidden": true, "ts": ts, "event_ts": ts,
                "message": tombstone, "previous_message": message.to_json(&state.world),
            });
            in_channel(state, event, &message.channel)
        });
        Ok(self.event(event).await)
    }
}

/// Adds the channel of a message's event.
fn in_channel(state: &State, mut event: Value, channel: &str) -> Value {
    event["channel"] = json!(channel);
    event["channel_type"] = json!(state.world.kind_of(channel));
    event
}

/// A file of the workspace as in payloads.
pub(super) fn file(state: &State, id: &str) -> Result<Value, Cannot> {
    let file = state.world.files.iter().find(|file| file.id == id);
    let file = file.ok_or_else(|| Cannot::NoFile(id.into()))?;
    Ok(file.in_payload(&state.world, &state.file_url(id)))
}

/// Adds a message of a person. It counts as read: tests read the app's messages.
fn written(state: &mut State, user: String, channel: String, text: &str, thread_ts: Option<&str>) -> Message {
    Message {
        ts: super::command::action_ts(state),
        parent_user: state.messages.author(&channel, thread_ts),
        channel,
        thread_ts: thread_ts.map(String::from),
        broadcast: false,
        audience: Audience::Channel,
        user,
        text: text.into(),
        blocks: Vec::new(),
        files: Vec::new(),
        metadata: None,
        edited: false,
        edited_ts: None,
        read: true,
    }
}
