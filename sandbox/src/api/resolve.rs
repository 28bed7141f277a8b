//! Resolves a channel argument, and decides whether the bot may post there.
//!
//! Owns: those two rules. Must not: post. Called by: `chat`, `conversations`, and `server::call` for the rate limit of
//! a channel.

use super::ApiError;
use crate::{state::State, world::World};

/// The channel id of a `channel` argument: an id, a name with or without `#`, or a person's id, which means their
/// direct messages.
pub(crate) fn channel_id(state: &State, argument: &str) -> Result<String, ApiError> {
    if let Some(channel) = state.world.find_channel(argument) {
        return Ok(channel.id.clone());
    }
    if let Some(person) = state.world.people.iter().find(|p| p.id == argument) {
        return Ok(World::dm_of(&person.id));
    }
    if state.world.person_of_dm(argument).is_some() {
        return Ok(argument.to_owned());
    }
    Err("channel_not_found".into())
}

/// Whether the bot may post in a channel.
pub(super) fn may_post(state: &State, channel: &str) -> Result<(), ApiError> {
    match state.world.find_channel(channel) {
        Some(c) if c.is_hidden() => Err("channel_not_found".into()),
        Some(c) if c.archived => Err("is_archived".into()),
        Some(c) if !c.bot_is_member && !state.world.has_scope("chat:write.public") => {
            Err("not_in_channel".into())
        }
        _ => Ok(()),
    }
}
