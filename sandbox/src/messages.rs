//! What was said: every message of the workspace, and who has read it.
//!
//! Owns: [`Message`] and the list of them. Must not: check what an app may say (that is `api::chat`).
//! Called by: `api`, `act`, and the tests that read the world.

use serde_json::{Map, Value, json};

use crate::world::World;

/// Who can see a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Audience {
    /// Everybody in the channel.
    Channel,
    /// One person: an ephemeral message, which also vanishes when they reload.
    Only(String),
}

/// A message as the workspace shows it now.
#[derive(Clone, Debug)]
pub struct Message {
    /// Channel id; `D…` for direct messages.
    pub channel: String,
    /// Timestamp, which is the message's id within its channel.
    pub ts: String,
    /// The message whose thread this one is in.
    pub thread_ts: Option<String>,
    /// Who wrote the message that began the thread.
    pub(crate) parent_user: Option<String>,
    /// Whether a thread's reply was also shown in the channel.
    pub broadcast: bool,
    /// Who can see it.
    pub audience: Audience,
    /// Author: a person's or the bot's user id.
    pub user: String,
    /// The plain text, which notifications show when there are blocks.
    pub text: String,
    /// Blocks, complete with their ids.
    pub blocks: Vec<Value>,
    /// Files sent with it, as payloads carry them.
    pub files: Vec<Value>,
    /// Metadata (`event_type`, `event_payload`).
    pub metadata: Option<Value>,
    /// Whether it was changed after posting.
    pub edited: bool,
    /// When a person changed it last.
    pub(crate) edited_ts: Option<String>,
    pub(crate) read: bool,
}

impl Message {
    /// Everything a reader sees, in plain text: blocks if there are any, else the text.
    pub fn shown(&self) -> String {
        crate::terminal::message_text(self)
    }

    /// The message as payloads and answers carry it.
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

    /// Who began a thread, if it is one's.
    pub(crate) fn author(&self, channel: &str, thread: Option<&str>) -> Option<String> {
        Some(self.find(channel, thread?)?.user.clone())
    }

    pub(crate) fn find_mut(&mut self, channel: &str, ts: &str) -> Option<&mut Message> {
        self.all.iter_mut().find(|m| m.channel == channel && m.ts == ts)
    }

    pub(crate) fn remove(&mut self, channel: &str, ts: &str) {
        self.all.retain(|m| m.channel != channel || m.ts != ts);
    }

    /// Takes the unread ones that match, and marks them read.
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
