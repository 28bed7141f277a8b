//! Parts of Slack's payloads that several acts share.
//!
//! Owns: their common fields, and the trigger or response URL in them. Must not: send. Called by: `act`.

use serde_json::{Value, json};

use crate::{messages::Message, response_urls::Place, state::State};

/// The verification token, deprecated but present in every payload.
const VERIFICATION: &str = "sandbox-verification-token";

/// A trigger for a person, and for the modal they acted in.
pub(super) fn trigger(state: &mut State, user: &str, view: Option<&str>) -> String {
    let (id, now) = (state.ids.trigger(), state.now());
    state.triggers.give(&id, user, view, now);
    id
}

pub(super) fn response_url(state: &mut State, place: Place) -> String {
    let (secret, now) = (state.ids.secret(), state.now());
    state.response_urls.give(&secret, place, now);
    format!("{}response/{secret}", state.base)
}

/// The fields of every interaction.
pub(super) fn interaction(state: &State, kind: &str, user: &str) -> Value {
    json!({
        "type": kind,
        "team": state.world.team_json(&state.world.team_id),
        "user": state.world.user_json(user),
        "api_app_id": state.world.app_id,
        "token": VERIFICATION,
        "enterprise": null,
        "is_enterprise_install": false,
    })
}

/// Adds the view of an interaction. For people of another workspace Slack gives their team, and the app's team only in
/// the view (github.com/slackapi/bolt-js, issue 1614).
pub(super) fn in_view(state: &State, payload: &mut Value, view_id: &str) {
    payload["container"] = json!({"type": "view", "view_id": view_id});
    if let Some(view) = state.views.get(view_id) {
        payload["view"] = view.to_json(&state.world);
    }
    let user = payload["user"]["id"].as_str().unwrap_or_default().to_owned();
    if state.world.is_outside(&user) {
        let team = state.world.team_of(&user);
        payload["team"] = state.world.team_json(team);
        if let Some(view) = payload.get_mut("view") {
            view["team_id"] = json!(team);
        }
    }
}

/// Adds the message of an interaction, and a response URL for it.
pub(super) fn on_message(state: &mut State, payload: &mut Value, user: &str, message: &Message) {
    let ephemeral = message.audience != crate::messages::Audience::Channel;
    payload["container"] = json!({
        "type": "message",
        "message_ts": message.ts,
        "channel_id": message.channel,
        "is_ephemeral": ephemeral,
    });
    payload["channel"] = json!({"id": message.channel, "name": state.world.channel_name(&message.channel)});
    // Slack omits the content of ephemeral messages.
    if !ephemeral {
        payload["message"] = message.to_json(&state.world);
    }
    payload["state"] = json!({"values": {}});
    let place =
        Place { user: user.into(), channel: message.channel.clone(), original: Some(message.ts.clone()) };
    payload["response_url"] = json!(response_url(state, place));
}

/// A command's payload: flat, like the form that Slack posts over HTTP.
pub(super) fn command(state: &mut State, user: &str, channel: &str, command: &str, text: &str) -> Value {
    let place = Place { user: user.into(), channel: channel.into(), original: None };
    let (trigger_id, response_url) = (trigger(state, user, None), response_url(state, place));
    let world = &state.world;
    let name = world.find_person(user).map_or(user, |p| p.name.as_str());
    json!({
        "token": VERIFICATION,
        "team_id": world.team_id,
        "team_domain": world.team_domain,
        "channel_id": channel,
        "channel_name": world.channel_name(channel),
        "user_id": user,
        "user_name": name,
        "command": command,
        "text": text,
        "api_app_id": world.app_id,
        "is_enterprise_install": "false",
        "response_url": response_url,
        "trigger_id": trigger_id,
    })
}

/// The envelope around an event.
pub(super) fn event(state: &mut State, event: Value) -> (String, Value) {
    let (id, now) = (state.ids.id("Ev"), state.now().timestamp());
    let world = &state.world;
    let messages = [&event, &event["message"], &event["previous_message"]];
    let author = messages.iter().find_map(|it| it["user"].as_str()).unwrap_or_default();
    let team = world.team_of(author);
    let payload = json!({
        "token": VERIFICATION,
        "team_id": team,
        "context_team_id": world.team_id,
        "api_app_id": world.app_id,
        "event": event,
        "type": "event_callback",
        "event_id": id,
        "event_time": now,
        "authorizations": [{
            "enterprise_id": null,
            "team_id": world.team_id,
            "user_id": world.bot_user,
            "is_bot": true,
            "is_enterprise_install": false,
        }],
        "is_ext_shared_channel": world.is_outside(author),
        "event_context": format!("4-{id}"),
    });
    (id, payload)
}
