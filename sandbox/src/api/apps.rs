//! Methods about the app itself: `api.test`, `auth.test`, `apps.connections.open`.
//!
//! Owns: their responses. Must not: accept WebSockets (that is `connection_task`). Called by: the table in `api`.

use serde_json::{Value, json};

use super::{Answer, Args};
use crate::state::State;

pub(super) fn test(_: &mut State, args: &Args) -> Answer {
    match args.text("error") {
        Some(code) => Err(code.into()),
        None => Ok(json!({"args": Value::Object(args.0.clone())})),
    }
}

pub(super) fn auth(state: &mut State, _: &Args) -> Answer {
    let world = &state.world;
    let mut answer = json!({
        "url": format!("https://{}.slack.com/", world.team_domain),
        "team": world.team_domain,
        "user": world.bot_name,
        "team_id": world.team_id,
        "user_id": world.bot_user,
        "bot_id": world.bot_id,
        "is_enterprise_install": false,
    });
    if let Some(enterprise) = &world.enterprise_id {
        answer["enterprise_id"] = json!(enterprise);
    }
    Ok(answer)
}

/// Gives a URL for one connection. Slack gives more URLs than it allows connections: the eleventh connection is refused
/// when it opens, not here.
pub(super) fn open_connection(state: &mut State, _: &Args) -> Answer {
    let ticket = state.ids.secret();
    let url = format!(
        "{}link/?ticket={ticket}&app_id={}",
        state.base.replacen("http", "ws", 1),
        state.world.app_id
    );
    state.hub.admit(ticket);
    Ok(json!({"url": url}))
}
