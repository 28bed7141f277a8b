//! What people write in the threads of repairs' cards: it goes to the repair's timeline. Messages of bots, ours
//! among them, do not.

use super::edge::{EdgeError, ReplyTo, SlackEdge};
use super::envelope::{Event, Sender, SentFile};
use super::intake::{Ack, Reference};
use super::sent_files::{note, sorted};
use super::typed_markup::{mentioned, plain};
use crate::domain::text::Note;
use crate::ops::OpError;
use crate::ops::enclosed::InSlack;
use crate::ops::thread_replies::{ReplyAt, ThreadReply, heed, repair_of};
use serde::Deserialize;
use serde_json::{Map, Value};

/// A message as an event carries it.
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
}

#[derive(Debug, Deserialize)]
struct Edited {
    ts: String,
}

/// How a message is told that was changed.
#[derive(Debug, Deserialize)]
struct Changed {
    message: Value,
}

/// What somebody wrote, changed or deleted in a thread.
#[derive(Debug)]
struct Said {
    user: String,
    at: ReplyAt,
    since: String,
    /// Nothing for a message that was deleted.
    content: Option<(String, Vec<SentFile>)>,
}

/// Somebody wrote, changed or deleted a message somewhere.
pub(crate) async fn message(edge: &SlackEdge, event: Event, ack: Ack, reference: &Reference) {
    ack.at_once().await;
    let Some(said) = Said::read(event.body) else { return };
    let sender = Sender { team_id: event.team_id, user_id: said.user.clone(), user_name: String::new() };
    match repair_of(&edge.ctx, &said.at).await {
        Ok(None) => {}
        Ok(Some(_)) => {
            if let Err(error) = keep(edge, &sender, said).await {
                edge.tell_failure(&ReplyTo::directly(&sender), error, reference).await;
            }
        }
        // Nobody knows whether it was about a repair at all, so nobody is told.
        Err(error) => drop(super::edge::failure(EdgeError::Op(error), reference)),
    }
}

async fn keep(edge: &SlackEdge, sender: &Sender, said: Said) -> Result<(), EdgeError> {
    let actor = edge.actor(sender).await?;
    let (text, photos) = match said.content {
        None => (None, Vec::new()),
        Some((text, files)) => {
            let names = edge.people.names(&mentioned(&text)).await.map_err(OpError::from)?;
            let InSlack { fetch, links } = sorted(&files);
            let links = links.as_ref().map_or("", Note::as_str);
            (note(&format!("{}\n{links}", plain(&text, &names))), fetch)
        }
    };
    heed(&edge.ctx, &actor, &ThreadReply { at: said.at, since: said.since, text, photos }).await?;
    Ok(())
}

impl Said {
    /// Reads an event; nothing unless a person did it to a message in a thread.
    fn read(mut event: Map<String, Value>) -> Option<Self> {
        let word = |key: &str| event.get(key).and_then(Value::as_str).map(str::to_owned);
        let (channel, kind, told_at) = (word("channel"), word("subtype"), word("event_ts"));
        let (inner, is_deleted) = match kind.as_deref() {
            None | Some("file_share" | "thread_broadcast") => (Value::Object(event), false),
            Some("message_changed") => {
                let Changed { message } = serde_json::from_value(Value::Object(event)).ok()?;
                (message, false)
            }
            Some("message_deleted") => (event.remove("previous_message")?, true),
            Some(_) => return None,
        };
        let message: Message = serde_json::from_value(inner).ok()?;
        let is_persons = matches!(message.subtype.as_deref(), None | Some("file_share" | "thread_broadcast"));
        let thread = message.thread_ts.filter(|thread| *thread != message.ts)?;
        if !is_persons || message.bot_id.is_some() {
            return None;
        }
        let since = match is_deleted {
            true => told_at?,
            false => message.edited.map_or_else(|| message.ts.clone(), |edited| edited.ts),
        };
        let (user, channel) = (message.user?, channel?);
        let names = [&user, &channel, &thread, &message.ts, &since];
        if !names.into_iter().all(|name| is_name(name)) {
            return None;
        }
        let content =
            (!is_deleted).then(|| (message.text.unwrap_or_default(), message.files.unwrap_or_default()));
        Some(Self { user, at: ReplyAt { channel, thread, ts: message.ts }, since, content })
    }
}

/// Slack's ids, and its names of messages: seconds and six digits.
pub(super) fn is_name(name: &str) -> bool {
    (1..=32).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.')
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(event: Value) -> Option<Said> {
        let Value::Object(event) = event else { panic!("no object: {event}") };
        Said::read(event)
    }

    fn reply(more: Value) -> Value {
        let mut reply = json!({ "type": "message", "channel": "C1", "user": "U1", "text": "Hello",
            "ts": "2.000001", "thread_ts": "1.000001", "event_ts": "2.000001" });
        reply.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        reply
    }

    #[test]
    fn replies_of_people_are_read_and_nothing_else() {
        let said = read(reply(json!({}))).unwrap();
        assert_eq!(
            (said.user.as_str(), said.at.thread.as_str(), said.since.as_str()),
            ("U1", "1.000001", "2.000001")
        );
        assert!(read(reply(json!({ "subtype": "file_share", "files": [{ "id": "F1" }] }))).is_some());
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
            json!({ "subtype": "message_changed" }),
            json!({ "files": "x" }),
        ] {
            assert!(read(reply(more.clone())).is_none(), "{more}");
        }
    }

    #[test]
    fn an_edit_and_a_deletion_say_when_they_were() {
        let inner = reply(json!({ "text": "Bye", "edited": { "user": "U1", "ts": "3.000001" } }));
        let changed =
            json!({ "subtype": "message_changed", "channel": "C1", "message": inner, "event_ts": "3.1" });
        let said = read(changed).unwrap();
        assert_eq!((said.at.ts.as_str(), said.since.as_str()), ("2.000001", "3.000001"));
        assert_eq!(said.content.unwrap().0, "Bye");
        let deleted = json!({ "subtype": "message_deleted", "channel": "C1", "deleted_ts": "2.000001",
            "previous_message": reply(json!({})), "event_ts": "4.000001" });
        let said = read(deleted).unwrap();
        assert_eq!((said.at.ts.as_str(), said.since.as_str(), said.content), ("2.000001", "4.000001", None));
    }
}
