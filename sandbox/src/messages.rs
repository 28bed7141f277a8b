//! Every message of the workspace, and which of them tests have read.
//!
//! Owns: [`Message`] and the list of them. Must not: check what an app may post (that is `api::chat`). Called by:
//! `api`, `act`, and tests that read messages.

use serde_json::{Map, Value, json};

use crate::world::World;

/// Who can see a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Audience {
    Channel,
    /// One person: an ephemeral message, which disappears on reload.
    Only(String),
}

/// A message as the workspace shows it now.
#[derive(Clone, Debug)]
pub struct Message {
    /// Channel id; `D…` for direct messages.
    pub channel: String,
    /// Timestamp: the message's id within its channel.
    pub ts: String,
    /// The parent message of its thread.
    pub thread_ts: Option<String>,
    /// Author of the thread's parent message.
    pub(crate) parent_user: Option<String>,
    /// Whether a reply was also shown in the channel.
    pub broadcast: bool,
    pub audience: Audience,
    /// Author: user id of a person or of the bot.
    pub user: String,
    /// The plain text, which notifications show if there are blocks.
    pub text: String,
    /// Blocks, complete with their ids.
    pub blocks: Vec<Value>,
    /// Files sent with it, as in payloads.
    pub files: Vec<Value>,
    /// Metadata (`event_type`, `event_payload`).
    pub metadata: Option<Value>,
    pub edited: bool,
    /// When a person last edited it.
    pub(crate) edited_ts: Option<String>,
    pub(crate) read: bool,
}

impl Message {
    /// All visible content as plain text: the blocks if there are any, else the text.
    pub fn shown(&self) -> String {
        crate::terminal::message_text(self)
    }

    /// The message as in payloads and responses.
    pub(crate) fn to_json(&self, world: &World) -> Value {
        let mut json = Map::from_iter([
            ("type".into(), json!("message")),
            ("user".into(), json!(self.user)),
            ("ts".into(), json!(self.ts)),
            ("text".into(), json!(self.text)),
            ("team".into(), json!(world.team_of(&self.user))),
        ]);
        if world.is_outside(&self.user) {
            let team = world.team_of(&self.user);
            json.extend([("user_team".into(), json!(team)), ("source_team".into(), json!(team))]);
        }
        if self.user == world.bot_user {
            json.insert("bot_id".into(), json!(world.bot_id));
            json.insert("app_id".into(), json!(world.app_id));
        }
        if !self.blocks.is_empty() {
            json.insert("blocks".into(), json!(self.blocks));
        }
        if !self.files.is_empty() {
            json.insert("files".into(), json!(self.files));
        }
        if let Some(thread) = &self.thread_ts {
            json.insert("thread_ts".into(), json!(thread));
        }
        if let Some(parent) = &self.parent_user {
            json.insert("parent_user_id".into(), json!(parent));
        }
        if let Some(metadata) = &self.metadata {
            json.insert("metadata".into(), metadata.clone());
        }
        if self.edited {
            json.insert(
                "edited".into(),
                json!({"user": self.user, "ts": self.edited_ts.as_ref().unwrap_or(&self.ts)}),
            );
        }
        Value::Object(json)
    }
}

/// All messages, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Messages {
    all: Vec<Message>,
}

impl Messages {
    pub(crate) fn add(&mut self, message: Message) {
        self.all.push(message);
    }

    pub(crate) fn all(&self) -> &[Message] {
        &self.all
    }

    pub(crate) fn find(&self, channel: &str, ts: &str) -> Option<&Message> {
        self.all.iter().find(|m| m.channel == channel && m.ts == ts)
    }

    /// The author of a thread's parent message.
    pub(crate) fn author(&self, channel: &str, thread: Option<&str>) -> Option<String> {
        Some(self.find(channel, thread?)?.user.clone())
    }

    pub(crate) fn find_mut(&mut self, channel: &str, ts: &str) -> Option<&mut Message> {
        self.all.iter_mut().find(|m| m.channel == channel && m.ts == ts)
    }

    pub(crate) fn remove(&mut self, channel: &str, ts: &str) {
        self.all.retain(|m| m.channel != channel || m.ts != ts);
    }

    /// Returns the unread messages that match, and marks them read.
    pub(crate) fn read(&mut self, wanted: impl Fn(&Message) -> bool) -> Vec<Message> {
        let unread = self.all.iter_mut().filter(|m| !m.read && wanted(m));
        unread
            .map(|message| {
                message.read = true;
                message.clone()
            })
            .collect()
    }
}
