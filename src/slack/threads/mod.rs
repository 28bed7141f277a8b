//! Thread replies to repair cards become notes on the repair's timeline. Messages of bots are ignored. An event is
//! acknowledged after its note is committed: see [`super::events`].

mod thread_message;

pub(super) use thread_message::is_name;

use super::context::{EdgeError, ReplyTo, SlackContext, failure};
use super::envelope::{Event, Retry, Sender};
use super::events::EventOutcome;
use super::intake::Reference;
use super::sent_files::{note, sorted};
use super::typed_markup::as_read;
use crate::domain::actor::{Actor, Edge};
use crate::domain::text::Note;
use crate::ops::OpError;
use crate::ops::repairs::cards::CardLookup;
use crate::ops::repairs::photo_source::InSlack;
use crate::ops::repairs::thread_replies::{ThreadReply, apply_reply, find_thread};
use crate::render::slack::mrkdwn::escape;
use thread_message::ThreadMessage;

/// A message was written, changed or deleted.
pub(crate) async fn message(edge: &SlackContext, event: Event, reference: &Reference) -> EventOutcome {
    let Some(message) = ThreadMessage::parse(event.body.clone()) else { return EventOutcome::Handled };
    let sender = message.author.as_deref().and_then(|author| event.sender_of(author));
    let is_deletion = message.content.is_none();
    // Before the lookup: a repair's thread begins with a message of ours.
    let mut is_of_repair = message.is_begun_by_us(edge) == Some(true);
    let kept = match find_thread(&edge.ctx, &message.at).await {
        Ok(CardLookup::NoCard) => return EventOutcome::Handled,
        Ok(CardLookup::Unrecorded) => return await_card(edge, &event, &message, reference),
        Ok(CardLookup::CardOf(_)) => {
            is_of_repair = true;
            keep(edge, sender.as_ref(), message).await
        }
        Err(error) => Err(EdgeError::Op(error)),
    };
    let Err(error) = kept else { return EventOutcome::Handled };
    let outcome = EventOutcome::of_error(&error, &event, reference);
    if outcome == EventOutcome::Retry && !event.is_last_attempt() {
        return outcome;
    }
    let may_pass = !matches!(&error, EdgeError::Op(OpError::NotFound | OpError::Archived));
    let words = not_kept(is_deletion, &failure(error, reference), may_pass);
    if let Some(sender) = sender.filter(|_| is_of_repair) {
        edge.tell(&ReplyTo::directly(&sender), &words).await;
    }
    outcome
}

/// Slack may show a card before it is recorded: the event is left unacknowledged until then. For any other message
/// of ours that ends with Slack's last retry.
fn await_card(
    edge: &SlackContext,
    event: &Event,
    message: &ThreadMessage,
    reference: &Reference,
) -> EventOutcome {
    if message.is_begun_by_us(edge) == Some(false) || event.attempt() >= Retry::LAST {
        return EventOutcome::Handled;
    }
    tracing::info!(%reference, attempt = event.attempt(), "reply may belong to a card that is not recorded yet");
    EventOutcome::Retry
}

/// The message to a person whose message could not be stored after Slack's last retry. After the problem is fixed,
/// an edit of it stores its whole text.
fn not_kept(is_deletion: bool, why: &str, may_pass: bool) -> String {
    let (what, remedy) = match is_deletion {
        true => (
            "The message that you deleted in a thread is still on its repair.",
            "Please ask staff to delete the note.",
        ),
        false => {
            ("Your reply in a thread was not saved on its repair.", "Please write it again, or edit it.")
        }
    };
    let remedy = if may_pass { remedy } else { "" };
    format!(":x: {what} {} {remedy}", escape(why)).trim_end().to_owned()
}

async fn keep(edge: &SlackContext, sender: Option<&Sender>, message: ThreadMessage) -> Result<(), EdgeError> {
    let actor = match sender {
        Some(sender) => edge.actor(sender).await?,
        // Slack does not send who wrote a removed message.
        None => Actor::visitor(Edge::Slack, "Slack"),
    };
    let (text, photos) = match message.content {
        None => (None, Vec::new()),
        Some((text, files)) => {
            let text = as_read(edge, &text).await?;
            let InSlack { fetch, links } = sorted(&files);
            let links = links.as_ref().map_or("", Note::as_str);
            (note(&format!("{text}\n{links}")), fetch)
        }
    };
    apply_reply(&edge.ctx, &actor, &ThreadReply { at: message.at, since: message.since, text, photos })
        .await?;
    Ok(())
}

impl ThreadMessage {
    /// Whether the thread begins with our message, if known: cards are our messages, and none is a direct message.
    fn is_begun_by_us(&self, edge: &SlackContext) -> Option<bool> {
        if self.at.channel.starts_with('D') {
            return Some(false);
        }
        let ours = edge.identity.get()?;
        Some(*self.thread_author.as_ref()? == ours.user_id)
    }
}
