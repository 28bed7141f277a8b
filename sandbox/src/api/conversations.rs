//! Methods about channels: `conversations.open`, `conversations.info`, `conversations.history`,
//! `conversations.replies`.
//!
//! Owns: their responses. Must not: post. Called by: the table in `api`.

use serde_json::{Value, json};

use super::{Answer, ApiError, Args, need_scope};
use crate::{
    messages::{Audience, Message},
    state::State,
    world::{Channel, World},
};

/// Default and largest page size (docs.slack.dev, conversations.history).
const PAGE: (usize, usize) = (100, 999);

/// Opens direct messages with one person; group conversations are not supported.
pub(super) fn open(state: &mut State, args: &Args) -> Answer {
    let &[user] = args.words("users").as_slice() else {
        return Err(ApiError::arguments("this sandbox opens direct messages with one person, in users"));
    };
    let person = state.world.people.iter().find(|p| p.id == user).ok_or("user_not_found")?;
    if person.deleted {
        return Err("user_disabled".into());
    }
    Ok(json!({"channel": {"id": World::dm_of(&person.id)}, "no_op": true, "already_open": true}))
}

pub(super) fn info(state: &mut State, args: &Args) -> Answer {
    let id = args.need("channel")?;
    let scope = if state.world.kind_of(id) == "group" { "groups:read" } else { "channels:read" };
    need_scope(state, scope)?;
    let seen = |c: &&Channel| c.id == id && !c.is_hidden();
    let channel = state.world.channels.iter().find(seen).ok_or("channel_not_found")?;
    Ok(json!({"channel": {
        "id": channel.id,
        "name": channel.name,
        "name_normalized": channel.name,
        "is_channel": !channel.private,
        "is_group": channel.private,
        "is_archived": channel.archived,
        "is_member": channel.bot_is_member,
        "is_private": channel.private,
    }}))
}

/// The messages of a channel, newest first; replies only if they were broadcast.
pub(super) fn history(state: &mut State, args: &Args) -> Answer {
    let channel = readable(state, args)?;
    let (mut page, has_more) = page(state, args, &channel, |m| m.thread_ts.is_none() || m.broadcast)?;
    page.reverse();
    Ok(json!({"messages": page, "has_more": has_more}))
}

/// The messages of a thread, oldest first, always including its parent.
pub(super) fn replies(state: &mut State, args: &Args) -> Answer {
    let (channel, thread) = (readable(state, args)?, args.need("ts")?);
    let root = state.messages.find(&channel, thread).ok_or("thread_not_found")?;
    let root = shown(state, args, root);
    let (mut page, has_more) = page(state, args, &channel, |m| m.thread_ts.as_deref() == Some(thread))?;
    page.insert(0, root);
    Ok(json!({"messages": page, "has_more": has_more}))
}

/// The channel to read: by id, never by name; the bot must be in it and have the scope for its kind.
fn readable(state: &State, args: &Args) -> Result<String, ApiError> {
    let id = args.need("channel")?;
    need_scope(state, World::history_scope(state.world.kind_of(id)))?;
    match state.world.channels.iter().find(|c| c.id == id) {
        Some(channel) if channel.bot_is_member => Ok(id.to_owned()),
        Some(channel) if channel.private => Err("channel_not_found".into()),
        Some(_) => Err("not_in_channel".into()),
        None if state.world.person_of_dm(id).is_some() => Ok(id.to_owned()),
        None => Err("channel_not_found".into()),
    }
}

/// A page of a channel's public messages, oldest first, and whether there are more. With `oldest` alone the page is the
/// one closest to it, else the newest.
fn page(
    state: &State,
    args: &Args,
    channel: &str,
    wanted: impl Fn(&Message) -> bool,
) -> Result<(Vec<Value>, bool), ApiError> {
    let limit = match args.0.get("limit") {
        None => PAGE.0,
        Some(limit) => limit
            .as_u64()
            .or_else(|| limit.as_str()?.parse().ok())
            .and_then(|limit| usize::try_from(limit).ok())
            .filter(|limit| (1..=PAGE.1).contains(limit))
            .ok_or("invalid_limit")?,
    };
    let oldest = args.text("oldest");
    let mut there: Vec<&Message> = state
        .messages
        .all()
        .iter()
        .filter(|m| m.channel == channel && m.audience == Audience::Channel && wanted(m))
        .filter(|m| oldest.is_none_or(|oldest| m.ts.as_str() > oldest))
        .collect();
    let more = there.len().saturating_sub(limit);
    match oldest {
        Some(_) => there.truncate(limit),
        None => drop(there.drain(..more)),
    }
    Ok((there.into_iter().map(|m| shown(state, args, m)).collect(), more > 0))
}

/// A message as returned: its metadata only on request.
fn shown(state: &State, args: &Args, message: &Message) -> Value {
    let mut json = message.to_json(&state.world);
    if !args.flag("include_all_metadata")
        && let Some(json) = json.as_object_mut()
    {
        json.remove("metadata");
    }
    json
}
