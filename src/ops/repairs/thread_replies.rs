//! Replies in the thread of a repair's card: a reply becomes a note on the repair, its edits and deletion are
//! applied, and its photos are fetched. Anyone may reply (spec "Who may do what"). A message is identified by its
//! channel and `ts`, so that an event that Slack repeats or delays is applied once.
//!
//! The note, the reply's row, and its photos' job commit together; the Slack edge acknowledges after that.

use crate::domain::actor::Actor;
use crate::domain::change::Change;
use crate::domain::ids::{RepairId, TimelineId};
use crate::domain::job::PhotoSource;
use crate::domain::text::Note;
use crate::ops::repairs::cards::{CardLookup, find_card};
use crate::ops::repairs::photo_source::fetch;
use crate::ops::repairs::update_repair::{apply, locked};
use crate::ops::{Ctx, OpError, retry_on_deadlock};
use crate::store;
use crate::store::timeline::Entry;
use sea_orm::ConnectionTrait;

/// The place of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplyAt {
    /// Slack's id of the channel.
    pub channel: String,
    /// The message that began the thread; `None` if Slack does not send it.
    pub thread: Option<String>,
    /// The message itself.
    pub ts: String,
}

/// A version of a message in a thread.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ThreadReply {
    pub at: ReplyAt,
    /// Since when this version is current, as Slack writes times.
    pub since: String,
    /// Its text; `None` when it was deleted, or has only photos.
    pub text: Option<Note>,
    /// Its photos, at most ten.
    pub photos: Vec<PhotoSource>,
}

/// Finds the repair in whose thread a message is.
pub async fn find_thread(ctx: &Ctx, at: &ReplyAt) -> Result<CardLookup, OpError> {
    match (find(ctx.store.read(), at).await?, &at.thread) {
        (Some(repair), _) => Ok(CardLookup::CardOf(repair)),
        (None, Some(thread)) => find_card(ctx, &at.channel, thread).await,
        (None, None) => Ok(CardLookup::NoCard),
    }
}

/// Applies a message in a thread to the repair's timeline; `false` if the thread is not a repair's, or the version
/// was applied before.
pub async fn apply_reply(ctx: &Ctx, actor: &Actor, reply: &ThreadReply) -> Result<bool, OpError> {
    retry_on_deadlock(|| apply_once(ctx, actor, reply)).await
}

async fn apply_once(ctx: &Ctx, actor: &Actor, reply: &ThreadReply) -> Result<bool, OpError> {
    let (now, at) = (ctx.clock.now(), &reply.at);
    let tx = ctx.store.begin().await?;
    let Some(id) = find(&tx, at).await? else { return Ok(false) };
    let (repair, fields) = locked(&tx, id).await?;
    // Read again under the lock, which serializes events that arrive at once.
    let known = store::thread_replies::find(&tx, &at.channel, &at.ts).await?;
    if known.as_ref().is_some_and(|known| known.seen >= reply.since) {
        return Ok(false);
    }
    let mut note = known.as_ref().and_then(|known| known.note_id);
    let change = change(&tx, id, note, reply.text.clone()).await?;
    let is_new = matches!(change, Some(Change::Note { supersedes: None, .. }));
    let done = apply(ctx, &tx, actor, &repair, &fields, change.into_iter().collect(), now).await?;
    if is_new {
        note = store::timeline::last_note(&tx, id, None).await?.map(|entry| entry.id);
    }
    let photos = if known.is_none() { reply.photos.as_slice() } else { &[] };
    let job = fetch(ctx, &tx, actor, id, photos).await?;
    match known {
        Some(known) => store::thread_replies::saw(&tx, known, &reply.since, note).await?,
        None => {
            let (name, seen) = ((at.channel.as_str(), at.ts.as_str()), (reply.since.as_str(), note));
            store::thread_replies::add(&tx, id, name, seen).await?;
        }
    }
    tx.commit().await?;
    done.recorded.into_iter().for_each(|recorded| drop(recorded.committed(ctx, actor)));
    job.into_iter().for_each(|job| job.committed(ctx, actor));
    Ok(true)
}

/// Finds the repair by the stored reply, else by the card that began its thread: a card may be gone by now.
async fn find(db: &impl ConnectionTrait, at: &ReplyAt) -> Result<Option<RepairId>, OpError> {
    if let Some(known) = store::thread_replies::find(db, &at.channel, &at.ts).await? {
        return Ok(Some(known.repair_id));
    }
    let Some(thread) = &at.thread else { return Ok(None) };
    Ok(store::cards::at(db, &at.channel, thread).await?.map(|card| card.repair_id))
}

/// The change that sets the timeline's text to `text`. A note that was deleted on the web stays deleted.
async fn change(
    db: &impl ConnectionTrait,
    repair: RepairId,
    note: Option<TimelineId>,
    text: Option<Note>,
) -> Result<Option<Change>, OpError> {
    let Some(note) = note else {
        return Ok(text.map(|text| Change::Note { text: Some(text), supersedes: None }));
    };
    let first: Entry = store::timeline::note(db, repair, note).await?.ok_or(OpError::NotFound)?;
    let says = store::timeline::edits(db, &[note]).await?.pop().unwrap_or(first).new_value;
    let is_settled = says.is_none() || says.as_deref() == text.as_ref().map(Note::as_str);
    Ok((!is_settled).then_some(Change::Note { text, supersedes: Some(note) }))
}
