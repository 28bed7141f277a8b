//! Methods about views: `views.open`, `views.push`, `views.update`, `views.publish`.
//!
//! Owns: which trigger may open which view. Must not: store views (that is `crate::views`). Called by: the table in
//! `api`; `act::submission` shares the checking of a view.

use serde_json::{Value, json};

use super::{Answer, ApiError, Args};
use crate::{
    blocks::{self, Surface},
    state::State,
    triggers::Exchanged,
};

/// Slack's largest view, in bytes (docs.slack.dev, views.open: `view_too_large`).
const LARGEST_VIEW: usize = 250_000;

/// The view of a call, checked for its surface.
fn checked_view(state: &State, args: &Args, surface: Surface) -> Result<Value, ApiError> {
    let view = args.json("view")?.ok_or_else(|| ApiError::arguments("missing required field: view"))?;
    if view.to_string().len() > LARGEST_VIEW {
        return Err("view_too_large".into());
    }
    // Slack's reference of file_input: the app must have the scope files:read.
    let asks_for_files =
        view["blocks"].as_array().into_iter().flatten().any(|block| block["element"]["type"] == "file_input");
    if asks_for_files && !state.world.has_scope("files:read") {
        return Err(ApiError::arguments("file_input needs the scope files:read"));
    }
    let problems = blocks::check_view(&view, surface, "/view");
    if problems.is_empty() { Ok(view) } else { Err(ApiError::content("invalid_arguments", &problems)) }
}

/// Checks the view first, as Slack does: a rejected view leaves the trigger unused.
fn view_and_trigger(state: &mut State, args: &Args) -> Result<(Value, Exchanged), ApiError> {
    let view = checked_view(state, args, Surface::Modal)?;
    let now = state.now();
    let exchanged = state.triggers.exchange(args.need("trigger_id")?, now)?;
    state.views.refuse_external_id(&view, None)?;
    Ok((view, exchanged))
}

pub(super) fn open(state: &mut State, args: &Args) -> Answer {
    let (view, by) = view_and_trigger(state, args)?;
    let id = state.views.open(&mut state.ids, &by.user, view);
    shown(state, &id)
}

pub(super) fn push(state: &mut State, args: &Args) -> Answer {
    let (view, by) = view_and_trigger(state, args)?;
    let beneath = by.view.ok_or("not_found")?;
    state.views.get(&beneath).ok_or("not_found")?;
    let id = state.views.push(&mut state.ids, &by.user, view)?;
    shown(state, &id)
}

pub(super) fn update(state: &mut State, args: &Args) -> Answer {
    let id = match (args.text("view_id"), args.text("external_id")) {
        (Some(id), _) => id.to_owned(),
        (None, Some(external)) => state.views.by_external_id(external).ok_or("not_found")?.id.clone(),
        (None, None) => return Err(ApiError::arguments("missing required field: view_id")),
    };
    let open = state.views.get(&id).ok_or("not_found")?;
    let view = checked_view(state, args, open.surface())?;
    if args.text("hash").is_some_and(|hash| hash != open.hash) {
        return Err("hash_conflict".into());
    }
    state.views.refuse_external_id(&view, Some(&id))?;
    state.views.update(&mut state.ids, &id, view);
    shown(state, &id)
}

pub(super) fn publish(state: &mut State, args: &Args) -> Answer {
    let user = args.need("user_id")?;
    let known = state.world.people.iter().any(|p| p.id == user && !p.deleted);
    if !known {
        return Err("user_not_found".into());
    }
    let view = checked_view(state, args, Surface::Home)?;
    let hash = args.text("hash");
    if state.views.home(user).is_some_and(|home| hash.is_some_and(|hash| hash != home.hash)) {
        return Err("hash_conflict".into());
    }
    let id = state.views.publish(&mut state.ids, user, view);
    shown(state, &id)
}

/// The response with a view.
fn shown(state: &State, id: &str) -> Answer {
    let view = state.views.get(id).ok_or("not_found")?;
    Ok(json!({"view": view.to_json(&state.world)}))
}
