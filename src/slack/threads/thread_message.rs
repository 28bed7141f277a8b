//! Parses an event about a message in a thread: written, edited, deleted, or replaced by a tombstone.

use crate::ops::repairs::thread_replies::ReplyAt;
use crate::slack::envelope::SentFile;
use serde::Deserialize;
use serde_json::{Map, Value};

/// Subtypes of messages that people write.
const WRITTEN: [&str; 2] = ["file_share", "thread_broadcast"];
/// The subtype of Slack's placeholder for a removed message.
const TOMBSTONE: &str = "tombstone";

/// A message in an event.
#[derive(Debug, Deserialize)]
struct Message {
    ts: String,
    thread_ts: Option<String>,
    user: Option<String>,
    bot_id: Option<String>,
    subtype: Option<String>,
    text: Option<String>,
    edited: Option<Edited>,
    #[serde(default)]
    files: Option<Vec<SentFile>>,
    /// Author of the thread's first message.
    parent_user_id: Option<String>,
    /// The thread's first message, in a reply that was also sent to the channel.
    root: Option<Root>,
}

#[derive(Debug, Deserialize)]
struct Root {
    user: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Edited {
    ts: String,
}

/// The format of a changed message.
#[derive(Debug, Deserialize)]
struct Changed {
    message: Message,
}

/// A change of a message in a thread.
#[derive(Debug)]
pub(super) struct ThreadMessage {
    /// Its author; `None` if Slack does not send it for a removed message.
    pub(super) author: Option<String>,
    pub(super) at: ReplyAt,
    /// Since when this version is current, as Slack writes times.
    pub(super) since: String,
    /// `None` for a removed message.
    pub(super) content: Option<(String, Vec<SentFile>)>,
    /// Author of the thread's first message, if Slack sends it.
    pub(super) thread_author: Option<String>,
}

impl Message {
    fn read(value: Value) -> Option<Self> {
        serde_json::from_value(value).ok()
    }

    fn is_tombstone(&self) -> bool {
        self.subtype.as_deref() == Some(TOMBSTONE)
    }

    fn is_persons(&self) -> bool {
        self.bot_id.is_none() && self.subtype.as_deref().is_none_or(|kind| WRITTEN.contains(&kind))
    }

    fn thread_author(&mut self) -> Option<String> {
        self.parent_user_id.take().or_else(|| self.root.take()?.user)
    }
}

impl ThreadMessage {
    /// Parses an event; `None` unless it is about a person's message in a thread.
    pub(super) fn parse(mut event: Map<String, Value>) -> Option<Self> {
        let word = |key: &str| event.get(key).and_then(Value::as_str).map(str::to_owned);
        let (channel, kind, told_at, deleted) =
            (word("channel")?, word("subtype"), word("event_ts"), word("deleted_ts"));
        let previous = event.remove("previous_message").and_then(Message::read);
        let read = match kind.as_deref() {
            None => Self::written(channel, Message::read(Value::Object(event))?),
            Some(kind) if WRITTEN.contains(&kind) => {
                Self::written(channel, Message::read(Value::Object(event))?)
            }
            Some("message_changed") => {
                let Changed { message } = serde_json::from_value(Value::Object(event)).ok()?;
                if message.is_tombstone() {
                    Self::removed(channel, told_at?, message.ts, message.thread_ts, previous)
                } else {
                    Self::written(channel, message)
                }
            }
            Some("message_deleted") => {
                let ts = deleted.or_else(|| Some(previous.as_ref()?.ts.clone()))?;
                Self::removed(channel, told_at?, ts, None, previous)
            }
            Some(_) => None,
        };
        read.filter(Self::is_well_named)
    }

    fn written(channel: String, mut message: Message) -> Option<Self> {
        let thread = message.thread_ts.take().filter(|thread| *thread != message.ts)?;
        if !message.is_persons() {
            return None;
        }
        let thread_author = message.thread_author();
        Some(Self {
            author: Some(message.user?),
            since: message.edited.map_or_else(|| message.ts.clone(), |edited| edited.ts),
            at: ReplyAt { channel, thread: Some(thread), ts: message.ts },
            content: Some((message.text.unwrap_or_default(), message.files.unwrap_or_default())),
            thread_author,
        })
    }

    /// Author and thread are those of the previous message: a tombstone has Slack's own bot.
    fn removed(
        channel: String,
        since: String,
        ts: String,
        thread: Option<String>,
        previous: Option<Message>,
    ) -> Option<Self> {
        let (mut author, mut thread, mut thread_author) = (None, thread, None);
        if let Some(mut previous) = previous {
            if !previous.is_tombstone() {
                if !previous.is_persons() {
                    return None;
                }
                thread_author = previous.thread_author();
                author = previous.user;
            }
            // A message that was not a reply before is not one now.
            thread = Some(thread.or(previous.thread_ts)?);
        }
        let is_reply = thread.as_ref() != Some(&ts);
        is_reply.then_some(Self {
            author,
            at: ReplyAt { channel, thread, ts },
            since,
            content: None,
            thread_author,
        })
    }

    fn is_well_named(&self) -> bool {
        let ReplyAt { channel, thread, ts } = &self.at;
        let names = [Some(channel), thread.as_ref(), Some(ts), Some(&self.since), self.author.as_ref()];
        names.into_iter().flatten().all(|name| is_name(name))
    }
}

/// Slack's ids, and its timestamps of messages: seconds and six digits.
pub(in crate::slack) fn is_name(name: &str) -> bool {
    (1..=32).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.')
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(event: Value) -> Option<ThreadMessage> {
        let Value::Object(event) = event else { panic!("no object: {event}") };
        ThreadMessage::parse(event)
    }

    fn with(mut event: Value, more: &Value) -> Value {
        event.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        event
    }

    fn reply(more: &Value) -> Value {
        let reply = json!({ "type": "message", "channel": "C1", "user": "U1", "text": "Hello",
            "ts": "2.000001", "thread_ts": "1.000001", "event_ts": "2.000001" });
        with(reply, more)
    }

    fn tombstone(more: &Value) -> Value {
        let inner = json!({ "type": "message", "subtype": "tombstone", "text": "This message was deleted.",
            "user": "USLACKBOT", "hidden": true, "ts": "2.000001", "thread_ts": "1.000001",
            "parent_user_id": "USLACKBOT" });
        let event = json!({ "type": "message", "subtype": "message_changed", "hidden": true, "channel": "C1",
            "message": inner, "previous_message": reply(&json!({ "parent_user_id": "U0BOT" })),
            "ts": "4.000001", "event_ts": "4.000001" });
        with(event, more)
    }

    #[test]
    fn replies_of_people_are_read_and_nothing_else() {
        let message = read(reply(&json!({}))).unwrap();
        assert_eq!(
            (message.author.as_deref(), message.at.thread.as_deref(), message.since.as_str()),
            (Some("U1"), Some("1.000001"), "2.000001")
        );
        assert!(read(reply(&json!({ "subtype": "file_share", "files": [{ "id": "F1" }] }))).is_some());
        for (more, begun_by) in [
            (json!({}), None),
            (json!({ "parent_user_id": "U0BOT" }), Some("U0BOT")),
            (json!({ "subtype": "thread_broadcast", "root": { "user": "U0BOT" } }), Some("U0BOT")),
            (json!({ "subtype": "thread_broadcast", "root": { "bot_id": "B1" } }), None),
        ] {
            assert_eq!(read(reply(&more)).unwrap().thread_author.as_deref(), begun_by);
        }
        for more in [
            json!({ "bot_id": "B1" }),
            json!({ "thread_ts": "2.000001" }),
            json!({ "thread_ts": null }),
            json!({ "user": null }),
            json!({ "user": "U 1" }),
            json!({ "channel": 7 }),
            json!({ "ts": "x".repeat(33) }),
            json!({ "subtype": "channel_join" }),
            json!({ "subtype": "bot_message" }),
            json!({ "subtype": "tombstone" }),
            json!({ "subtype": "message_changed" }),
            json!({ "files": "x" }),
        ] {
            assert!(read(reply(&more)).is_none(), "{more}");
        }
    }

    #[test]
    fn edits_and_deletions_have_their_time() {
        let inner = reply(&json!({ "text": "Bye", "edited": { "user": "U1", "ts": "3.000001" } }));
        let changed =
            json!({ "subtype": "message_changed", "channel": "C1", "message": inner, "event_ts": "3.1" });
        let message = read(changed).unwrap();
        assert_eq!((message.at.ts.as_str(), message.since.as_str()), ("2.000001", "3.000001"));
        assert_eq!(message.content.unwrap().0, "Bye");
        let deleted = json!({ "subtype": "message_deleted", "channel": "C1", "deleted_ts": "2.000001",
            "previous_message": reply(&json!({})), "event_ts": "4.000001" });
        let message = read(deleted.clone()).unwrap();
        assert_eq!((message.author.as_deref(), message.at.ts.as_str()), (Some("U1"), "2.000001"));
        assert_eq!((message.since.as_str(), message.content), ("4.000001", None));
        let message = read(with(deleted, &json!({ "previous_message": null }))).unwrap();
        assert_eq!((message.author, message.at.thread, message.at.ts.as_str()), (None, None, "2.000001"));
    }

    #[test]
    fn tombstone_is_deletion_by_its_author() {
        let message = read(tombstone(&json!({}))).unwrap();
        assert_eq!((message.author.as_deref(), message.at.ts.as_str()), (Some("U1"), "2.000001"));
        assert_eq!((message.at.thread.as_deref(), message.since.as_str()), (Some("1.000001"), "4.000001"));
        assert_eq!((message.content, message.thread_author.as_deref()), (None, Some("U0BOT")));
    }

    #[test]
    fn removed_messages_without_author_are_read() {
        let of_tombstone =
            read(tombstone(&json!({}))).map(|_| tombstone(&json!({}))["message"].clone()).unwrap();
        let deleted = json!({ "subtype": "message_deleted", "channel": "C1", "deleted_ts": "2.000001",
            "previous_message": of_tombstone, "event_ts": "5.000001" });
        for event in [tombstone(&json!({ "previous_message": null })), deleted] {
            let message = read(event).unwrap();
            assert_eq!((message.author, message.at.thread.as_deref()), (None, Some("1.000001")));
        }
    }

    #[test]
    fn removed_roots_and_bot_messages_are_not_replies() {
        let root = json!({ "thread_ts": "2.000001" });
        for event in [
            tombstone(&json!({ "previous_message": reply(&json!({ "bot_id": "B1" })) })),
            tombstone(&json!({ "message": { "subtype": "tombstone", "ts": "2.000001" },
                "previous_message": reply(&json!({ "thread_ts": null })) })),
            tombstone(
                &json!({ "message": { "subtype": "tombstone", "ts": "2.000001", "thread_ts": "2.000001" },
                "previous_message": reply(&root) }),
            ),
            tombstone(&json!({ "event_ts": null })),
        ] {
            assert!(read(event.clone()).is_none(), "{event}");
        }
    }
}
