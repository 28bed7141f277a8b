//! Methods that post: `chat.postMessage`, `chat.update`, `chat.delete`, `chat.postEphemeral`,
//! `chat.getPermalink`.
//!
//! Owns: what may be posted where. Must not: check blocks (that is `blocks`). Called by: the table in `api`; `answers`
//! shares the parsing of a message's content.

use serde_json::{Value, json};

use super::{Answer, ApiError, Args, resolve};
use crate::{
    blocks,
    messages::{Audience, Message},
    state::State,
    world::World,
};

/// Slack's longest text of a message, in characters (docs.slack.dev, chat.postMessage).
const LONGEST_TEXT: usize = 40_000;

/// Slack's longest text of an edited message, in bytes: observed by many apps, not documented.
const LONGEST_EDITED_TEXT: usize = 4_000;

/// A message's content, checked.
pub(super) struct Content {
    pub(super) text: String,
    pub(super) blocks: Vec<Value>,
    metadata: Option<Value>,
}

/// Parses and checks a message's content.
pub(super) fn content(state: &mut State, args: &Args) -> Result<Content, ApiError> {
    let text = args.text("text").unwrap_or_default().to_owned();
    if text.chars().count() > LONGEST_TEXT {
        return Err("msg_too_long".into());
    }
    let mut blocks = match args.json("blocks")? {
        None => Vec::new(),
        Some(Value::Array(blocks)) => blocks,
        Some(_) => return Err("invalid_blocks_format".into()),
    };
    let problems = blocks::check_message(&blocks);
    if !problems.is_empty() {
        return Err(ApiError::content("invalid_blocks", &problems));
    }
    blocks::complete(&mut blocks, &mut state.ids);
    let has_attachments = args.json("attachments")?.is_some();
    if text.is_empty() && blocks.is_empty() && !has_attachments {
        return Err("no_text".into());
    }
    Ok(Content { text, blocks, metadata: metadata(args)? })
}

fn metadata(args: &Args) -> Result<Option<Value>, ApiError> {
    let Some(metadata) = args.json("metadata")? else { return Ok(None) };
    let well_formed = metadata["event_type"].is_string() && metadata["event_payload"].is_object();
    if well_formed { Ok(Some(metadata)) } else { Err("invalid_metadata_format".into()) }
}

pub(super) fn post(state: &mut State, args: &Args) -> Answer {
    let channel = resolve::channel_id(state, args.need("channel")?)?;
    resolve::may_post(state, &channel)?;
    let content = content(state, args)?;
    let thread_ts = args.text("thread_ts").map(String::from);
    if let Some(thread) = thread_ts.as_deref().filter(|ts| state.messages.find(&channel, ts).is_none()) {
        // Slack accepts such a message and shows it in no useful place, so the mistake would go unnoticed.
        state.record.complain(format!("chat.postMessage: no message {thread} in {channel} to reply to"));
    }
    let message = Message {
        broadcast: args.flag("reply_broadcast") && thread_ts.is_some(),
        parent_user: state.messages.author(&channel, thread_ts.as_deref()),
        thread_ts,
        ..by_bot(state, channel.clone(), Audience::Channel, content)
    };
    let answer = json!({"channel": channel, "ts": message.ts, "message": message.to_json(&state.world)});
    state.messages.add(message);
    Ok(answer)
}

/// A new message of the bot, not yet posted.
pub(super) fn by_bot(state: &mut State, channel: String, audience: Audience, content: Content) -> Message {
    let now = state.now();
    Message {
        channel,
        ts: state.ids.ts(now),
        thread_ts: None,
        parent_user: None,
        broadcast: false,
        audience,
        user: state.world.bot_user.clone(),
        text: content.text,
        blocks: content.blocks,
        files: Vec::new(),
        metadata: content.metadata,
        edited: false,
        edited_ts: None,
        read: false,
    }
}

/// A public message of the bot: the only kind that can be edited by its timestamp.
fn own_message<'a>(state: &'a mut State, channel: &str, ts: &str) -> Result<&'a mut Message, ApiError> {
    if state.world.find_channel(channel).is_none_or(|c| c.id != channel)
        && state.world.person_of_dm(channel).is_none()
    {
        return Err("channel_not_found".into());
    }
    let bot = state.world.bot_user.clone();
    let message = state.messages.find_mut(channel, ts).ok_or("message_not_found")?;
    if message.audience != Audience::Channel {
        return Err("message_not_found".into());
    }
    if message.user != bot {
        return Err("cant_update_message".into());
    }
    Ok(message)
}

pub(super) fn update(state: &mut State, args: &Args) -> Answer {
    let (channel, ts) = (args.need("channel")?, args.need("ts")?);
    own_message(state, channel, ts)?;
    let content = content(state, args)?;
    if content.text.len() > LONGEST_EDITED_TEXT {
        return Err("msg_too_long".into());
    }
    let message = own_message(state, channel, ts)?;
    (message.text, message.blocks) = (content.text, content.blocks);
    message.metadata = content.metadata.or_else(|| message.metadata.take());
    (message.edited, message.read) = (true, false);
    let message = message.clone();
    Ok(json!({"channel": channel, "ts": ts, "text": message.text, "message": message.to_json(&state.world)}))
}

pub(super) fn delete(state: &mut State, args: &Args) -> Answer {
    let (channel, ts) = (args.need("channel")?, args.need("ts")?);
    own_message(state, channel, ts).map_err(|e| match e.code.as_str() {
        "cant_update_message" => "cant_delete_message".into(),
        _ => e,
    })?;
    state.messages.remove(channel, ts);
    Ok(json!({"channel": channel, "ts": ts}))
}

pub(super) fn post_ephemeral(state: &mut State, args: &Args) -> Answer {
    let channel = resolve::channel_id(state, args.need("channel")?)?;
    resolve::may_post(state, &channel)?;
    let user = args.need("user")?;
    let user = state.world.people.iter().find(|p| p.id == user && !p.deleted).map(|p| p.id.clone());
    let user = user.ok_or("user_not_in_channel")?;
    let content = content(state, args)?;
    let message = by_bot(state, channel, Audience::Only(user), content);
    let answer = json!({"message_ts": message.ts});
    state.messages.add(message);
    Ok(answer)
}

pub(super) fn permalink(state: &mut State, args: &Args) -> Answer {
    let (channel, ts) = (args.need("channel")?, args.need("message_ts")?);
    state.messages.find(channel, ts).ok_or("message_not_found")?;
    Ok(json!({"channel": channel, "permalink": link(&state.world, channel, ts)}))
}

/// A message's permalink.
fn link(world: &World, channel: &str, ts: &str) -> String {
    format!("https://{}.slack.com/archives/{channel}/p{}", world.team_domain, ts.replace('.', ""))
}
