//! Submitting and closing modals.
//!
//! Owns: Slack's checks before a submission is sent, and the effect of its acknowledgement. Must not: store views.
//! Called by: tests, demos, `terminal`.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Cannot, Outcome, deliver::OutgoingEnvelope, payload, person};
use crate::{
    blocks::{self, Surface},
    hub::unknown_inputs,
    sandbox::Sandbox,
    state::State,
    views::{OpenView, values},
};

/// The result of a submission.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Submitted {
    /// All of the person's modals are closed.
    Cleared,
    /// This modal is closed; the one beneath is on top again.
    Closed,
    /// Nothing is closed: error messages at inputs, by block id. They are from the app, or from Slack if a required
    /// value is missing; the latter never reaches the app.
    Errors(BTreeMap<String, String>),
    /// The modal has new content.
    Updated,
    /// Another modal is on top now.
    Pushed,
    /// The app did not acknowledge in time: the modal stays open with an error from Slack.
    TimedOut,
    /// Slack rejects the app's response (see `complaints`); the person sees an error.
    Refused,
}

impl Sandbox {
    /// A person submits the top modal.
    ///
    /// # Errors
    /// When no modal is open, or it cannot be submitted.
    pub async fn submit(&self, user: &str) -> Result<Submitted, Cannot> {
        let (user, view_id, missing) = self.shared.with(|state| {
            let user = person(state, user)?;
            let view = state.views.top(&user).ok_or_else(|| super::no_view(state, &user))?;
            if view.body["submit"].is_null() || view.body["submit_disabled"] == true {
                return Err(Cannot::NothingToSubmit);
            }
            let (id, missing) = (view.id.clone(), check_inputs(view));
            show_errors(state, &id, missing.clone());
            Ok((user, id, missing))
        })?;
        if !missing.is_empty() {
            return Ok(Submitted::Errors(missing));
        }
        let mut submitted = Value::Null;
        let outcome = self
            .deliver(|state| {
                let mut payload = payload::interaction(state, "view_submission", &user);
                payload::in_view(state, &mut payload, &view_id);
                submitted = payload["view"].clone();
                payload["trigger_id"] = json!(payload::trigger(state, &user, Some(&view_id)));
                payload["response_urls"] = json!([]);
                Ok(OutgoingEnvelope::interactive(payload, true))
            })
            .await?;
        let Outcome::Acknowledged(ack) = outcome else { return Ok(Submitted::TimedOut) };
        let answer = ack.payload.unwrap_or_else(|| json!({}));
        Ok(self.shared.with(|state| {
            // The complaint was recorded when the acknowledgement arrived.
            if !unknown_inputs(&submitted, &answer).is_empty() {
                return Submitted::Refused;
            }
            respond(state, &user, &view_id, &answer).unwrap_or_else(|problem| {
                state.record.complain(format!("acknowledgement of a submission: {problem}"));
                Submitted::Refused
            })
        }))
    }

    /// A person closes the top modal.
    ///
    /// # Errors
    /// When no modal is open.
    pub async fn close(&self, user: &str) -> Result<Outcome, Cannot> {
        let (user, closed) = self.shared.with(|state| {
            let user = person(state, user)?;
            let top = state.views.top(&user).ok_or_else(|| super::no_view(state, &user))?;
            let closed = match top.body["clear_on_close"] == true {
                true => state.views.clear(&user),
                false => state.views.close(&user).into_iter().collect(),
            };
            Ok((user, closed))
        })?;
        let is_cleared = closed.len() > 1;
        let mut outcome = Outcome::Kept;
        for view in closed.iter().filter(|view| view.body["notify_on_close"] == true) {
            outcome = self
                .deliver(|state| {
                    let mut payload = payload::interaction(state, "view_closed", &user);
                    payload["view"] = view.to_json(&state.world);
                    payload["is_cleared"] = json!(is_cleared);
                    Ok(OutgoingEnvelope::interactive(payload, false))
                })
                .await?;
        }
        Ok(outcome)
    }
}

/// Errors that Slack finds itself: required inputs that are empty, texts of a wrong length.
fn check_inputs(view: &OpenView) -> BTreeMap<String, String> {
    let mut errors = BTreeMap::new();
    for element in view.elements().filter(values::Element::is_input) {
        let standing = view.typed.get(&element.key()).map(values::chosen).unwrap_or_default();
        let chars = standing.first().and_then(Value::as_str).map_or(0, |s| s.chars().count() as u64);
        let bound = |key: &str| element.element[key].as_u64();
        let typed = values::state_key(element.kind) == Some("value") && chars > 0;
        let problem = if standing.is_empty() && element.block["optional"] != true {
            "Please complete this required field.".to_owned()
        } else if let Some(least) = bound("min_length").filter(|least| typed && chars < *least) {
            format!("Please enter at least {least} characters.")
        } else if typed && chars > bound("max_length").unwrap_or(3000) {
            format!("Please enter at most {} characters.", bound("max_length").unwrap_or(3000))
        } else {
            continue;
        };
        errors.insert(element.block_id.to_owned(), problem);
    }
    errors
}

fn show_errors(state: &mut State, view_id: &str, errors: BTreeMap<String, String>) {
    if let Some(view) = state.views.get_mut(view_id) {
        view.errors = errors;
    }
}

/// Applies the app's response; the error says why Slack rejects it.
fn respond(state: &mut State, user: &str, view_id: &str, answer: &Value) -> Result<Submitted, String> {
    let Some(action) = answer.get("response_action").filter(|a| !a.is_null()) else {
        if answer.as_object().is_none_or(|a| !a.is_empty()) {
            return Err(format!("no response_action in {answer}"));
        }
        // The app may have changed the stack since: only the submitted view closes.
        if state.views.top(user).is_some_and(|top| top.id == view_id) {
            state.views.close(user);
        }
        return Ok(Submitted::Closed);
    };
    match action.as_str().unwrap_or_default() {
        "clear" => {
            state.views.clear(user);
            Ok(Submitted::Cleared)
        }
        "errors" => {
            let errors = check_errors(state, view_id, &answer["errors"])?;
            show_errors(state, view_id, errors.clone());
            Ok(Submitted::Errors(errors))
        }
        "update" => {
            let view = check_view(&answer["view"])?;
            state.views.refuse_external_id(&view, Some(view_id))?;
            state.views.update(&mut state.ids, view_id, view);
            Ok(Submitted::Updated)
        }
        "push" => {
            let view = check_view(&answer["view"])?;
            state.views.refuse_external_id(&view, None)?;
            state.views.push(&mut state.ids, user, view)?;
            Ok(Submitted::Pushed)
        }
        other => Err(format!("unknown response_action {other:?}")),
    }
}

fn check_view(view: &Value) -> Result<Value, String> {
    let problems = blocks::check_view(view, Surface::Modal, "/view");
    let list: Vec<String> = problems.iter().map(ToString::to_string).collect();
    if list.is_empty() { Ok(view.clone()) } else { Err(list.join("; ")) }
}

/// Errors belong to inputs: each key is the block id of one.
fn check_errors(state: &State, view_id: &str, errors: &Value) -> Result<BTreeMap<String, String>, String> {
    state.views.get(view_id).ok_or("errors for a view that is closed")?;
    let errors = errors.as_object().filter(|e| !e.is_empty()).ok_or("errors is not an object with keys")?;
    let check = |(key, text): (&String, &Value)| match text.as_str().filter(|t| !t.is_empty()) {
        Some(text) => Ok((key.clone(), text.to_owned())),
        None => Err(format!("errors: the text for {key} is empty")),
    };
    errors.iter().map(check).collect()
}
