//! What people write in the threads of repairs' cards: it goes to the repair's timeline. Messages of bots, ours
//! among them, do not.

use super::edge::{EdgeError, ReplyTo, SlackEdge, failure};
use super::envelope::{Event, Sender, SentFile};
use super::intake::{Ack, Reference};
use super::sent_files::{note, sorted};
use super::typed_markup::as_read;
use crate::domain::text::Note;
use crate::ops::OpError;
use crate::ops::enclosed::InSlack;
use crate::ops::thread_replies::{ReplyAt, ThreadReply, heed, repair_of};
use crate::render::slack::mrkdwn::escape;
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
    /// Who began the thread.
    parent_user_id: Option<String>,
    /// What began it, of a reply that was shown to the whole channel.
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
    /// Who began the thread, as far as Slack says so.
    begun_by: Option<String>,
}

/// Somebody wrote, changed or deleted a message somewhere.
pub(crate) async fn message(edge: &SlackEdge, event: Event, ack: Ack, reference: &Reference) {
    ack.at_once().await;
    let Some(said) = Said::read(event.body) else { return };
    let sender = Sender { team_id: event.team_id, user_id: said.user.clone(), user_name: String::new() };
    let (is_under_ours, is_deletion) = (said.is_under_ours(edge), said.content.is_none());
    let kept = match repair_of(&edge.ctx, &said.at).await {
        Ok(None) => return,
        Ok(Some(_)) => keep(edge, &sender, said).await,
        // Nobody knows whether it is about a repair: it can be in a thread that we began, and in no other.
        Err(error) if is_under_ours => Err(EdgeError::Op(error)),
        Err(error) => return drop(failure(EdgeError::Op(error), reference)),
    };
    if let Err(error) = kept {
        let may_pass = !matches!(&error, EdgeError::Op(OpError::NotFound | OpError::Archived));
        let words = not_kept(is_deletion, &failure(error, reference), may_pass);
        edge.tell(&ReplyTo::directly(&sender), &words).await;
    }
}

/// What somebody reads of whose message the timeline knows nothing. Slack does not send it again, since it was
/// acknowledged; once what kept it has passed, an edit of it says all that it says.
fn not_kept(is_deletion: bool, why: &str, may_pass: bool) -> String {
    let (what, remedy) = match is_deletion {
        true => (
            "The message that you deleted in a thread is still noted on its repair.",
            "Please ask staff to delete the note.",
        ),
        false => (
            "What you wrote in a thread is not noted on its repair.",
            "Write it again or edit it then, and it is.",
        ),
    };
    let remedy = if may_pass { remedy } else { "" };
    format!(":x: {what} {} {remedy}", escape(why)).trim_end().to_owned()
}

async fn keep(edge: &SlackEdge, sender: &Sender, said: Said) -> Result<(), EdgeError> {
    let actor = edge.actor(sender).await?;
    let (text, photos) = match said.content {
        None => (None, Vec::new()),
        Some((text, files)) => {
            let text = as_read(edge, &text).await?;
            let InSlack { fetch, links } = sorted(&files);
            let links = links.as_ref().map_or("", Note::as_str);
            (note(&format!("{text}\n{links}")), fetch)
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
        let begun_by = message.parent_user_id.or_else(|| message.root?.user);
        Some(Self { user, at: ReplyAt { channel, thread, ts: message.ts }, since, content, begun_by })
    }

    /// In a thread that we began, where others are: cards stand in no direct message.
    fn is_under_ours(&self, edge: &SlackEdge) -> bool {
        let ours = edge.identity.get().map(|identity| identity.user_id.as_str());
        ours.is_some() && self.begun_by.as_deref() == ours && !self.at.channel.starts_with('D')
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
        for (more, begun_by) in [
            (json!({}), None),
            (json!({ "parent_user_id": "U0BOT" }), Some("U0BOT")),
            (json!({ "subtype": "thread_broadcast", "root": { "user": "U0BOT" } }), Some("U0BOT")),
            (json!({ "subtype": "thread_broadcast", "root": { "bot_id": "B1" } }), None),
        ] {
            assert_eq!(read(reply(more)).unwrap().begun_by.as_deref(), begun_by);
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
