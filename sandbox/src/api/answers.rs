//! Responses without a token: messages sent to a response URL or with the acknowledgement of a command.
//!
//! Owns: `response_type`, `replace_original`, `delete_original`. Must not: count a URL's uses (that is
//! `response_urls`). Called by: `server` and `act::commands`.

use serde_json::Value;

use super::{ApiError, Args, chat};
use crate::{messages::Audience, response_urls::Place, state::State};

/// Handles a message sent to a response URL.
pub(crate) fn spend_response_url(state: &mut State, secret: &str, args: &Args) -> Result<(), ApiError> {
    let now = state.now();
    let result = state.response_urls.spend(secret, now).map_err(ApiError::from);
    let result = result.and_then(|place| answer(state, &place, args));
    if let Err(error) = &result {
        state.record.complain(format!("response_url: {} {}", error.code, error.more));
    }
    result
}

/// Handles the message in a command's acknowledgement.
pub(crate) fn answer_command(state: &mut State, place: &Place, payload: &Value) {
    let args = Args(payload.as_object().cloned().unwrap_or_default());
    if let Err(error) = answer(state, place, &args) {
        state.record.complain(format!("acknowledgement of a command: {} {}", error.code, error.more));
    }
}

fn answer(state: &mut State, place: &Place, args: &Args) -> Result<(), ApiError> {
    if args.flag("delete_original") {
        if let Some(original) = &place.original {
            state.messages.remove(&place.channel, original);
        }
        return Ok(());
    }
    let content = chat::content(state, args)?;
    if args.flag("replace_original") {
        let original = place.original.as_deref().and_then(|ts| state.messages.find_mut(&place.channel, ts));
        if let Some(message) = original {
            (message.text, message.blocks) = (content.text, content.blocks);
            (message.edited, message.read) = (true, false);
            return Ok(());
        }
    }
    let audience = match args.text("response_type") {
        None | Some("ephemeral") => Audience::Only(place.user.clone()),
        Some("in_channel") => Audience::Channel,
        Some(_) => return Err(ApiError::arguments("response_type is neither ephemeral nor in_channel")),
    };
    let mut message = chat::by_bot(state, place.channel.clone(), audience, content);
    message.thread_ts = args.text("thread_ts").map(String::from);
    state.messages.add(message);
    Ok(())
}
