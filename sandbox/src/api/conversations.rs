//! Methods about channels: `conversations.open`, `conversations.info`, `conversations.replies`.
//!
//! Owns: their answers. Must not: post. Called by: the table in `api`.

use serde_json::{Value, json};

use super::{Answer, ApiError, Args};
use crate::{messages::Audience, state::State, world::World};

/// Opens direct messages with one person; a bot in a group conversation is beyond this sandbox.
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
    let channel = state.world.channels.iter().find(|c| c.id == id).ok_or("channel_not_found")?;
    Ok(json!({"channel": {
        "id": channel.id,
        "name": channel.name,
        "name_normalized": channel.name,
        "is_channel": true,
        "is_archived": channel.archived,
        "is_member": channel.bot_is_member,
        "is_private": false,
    }}))
}

pub(super) fn replies(state: &mut State, args: &Args) -> Answer {
    let (channel, thread) = (args.need("channel")?, args.need("ts")?);
    let channel = super::resolve::channel_id(state, channel)?;
    state.messages.find(&channel, thread).ok_or("thread_not_found")?;
    let in_thread = state.messages.all().iter().filter(|m| {
        m.channel == channel
            && m.audience == Audience::Channel
            && (m.ts == thread || m.thread_ts.as_deref() == Some(thread))
    });
    let messages: Vec<Value> = in_thread.map(|m| m.to_json(&state.world)).collect();
    Ok(json!({"messages": messages, "has_more": false}))
}
