//! Typing, choosing and ticking in a person's open view.
//!
//! Owns: the values that an element accepts, and notifying the app if `dispatch_action` requires it. Must not: run the
//! checks of a submission (that is `submit`). Called by: tests, demos, `terminal`.

use serde_json::{Value, json};

use super::{Cannot, Outcome, deliver::OutgoingEnvelope, person, press, target, target::Target};
use crate::{
    blocks,
    sandbox::Sandbox,
    state::State,
    views::values::{self, state_of},
};

impl Sandbox {
    /// A person types into a text input, replacing its value, and presses Enter.
    ///
    /// # Errors
    /// When there is no such input, or it is not one to type in.
    pub async fn fill(&self, user: &str, action_id: &str, text: &str) -> Result<Outcome, Cannot> {
        let (user, target) = self.target(user, action_id)?;
        if values::state_key(&target.kind) != Some("value") {
            return Err(target.wrong("it takes no typed text"));
        }
        let value = if text.is_empty() { Value::Null } else { json!(text) };
        self.put(&user, &target, value).await
    }

    /// A person chooses by label or value: an option, a date (`2026-01-31`), a time, a person, a channel. An external
    /// select offers its last suggestions; without any, the app is queried first.
    ///
    /// # Errors
    /// When there is no such element, or it offers no such choice.
    pub async fn choose(&self, user: &str, action_id: &str, wanted: &str) -> Result<Outcome, Cannot> {
        let (user, target) = self.target(user, action_id)?;
        let value = match target.kind.as_str() {
            "external_select" | "multi_external_select" => self.suggested(&user, &target, wanted).await?,
            "static_select" | "multi_static_select" | "radio_buttons" | "checkboxes" => {
                target::find_option(action_id, &target.options, wanted)?
            }
            _ => self.shared.with(|state| plain_choice(state, &target, wanted))?,
        };
        let value = if keeps_many(&target) { self.with_others(&target, value) } else { value };
        self.put(&user, &target, value).await
    }

    /// A person ticks a checkbox, by label or value.
    ///
    /// # Errors
    /// When there is no such element or option.
    pub async fn check(&self, user: &str, action_id: &str, wanted: &str) -> Result<Outcome, Cannot> {
        self.choose(user, action_id, wanted).await
    }

    /// A person puts files of the workspace, by their ids, into a file input.
    ///
    /// # Errors
    /// When there is no such input, it does not take such files or that number, or a file is missing.
    pub async fn attach(&self, user: &str, action_id: &str, files: &[&str]) -> Result<Outcome, Cannot> {
        let (user, target) = self.target(user, action_id)?;
        if target.kind != "file_input" {
            return Err(target.wrong("it takes no files"));
        }
        let (files, extensions) = self.shared.with(|state| {
            let extension = |id: &&str| {
                let file = state.world.files.iter().find(|file| file.id == **id);
                let name = file.and_then(|file| file.name.rsplit_once('.'));
                json!(name.map_or("", |(_, extension)| extension))
            };
            let extensions: Vec<Value> = files.iter().map(extension).collect();
            let files = files.iter().map(|id| super::say::file(state, id)).collect::<Result<Vec<_>, _>>();
            files.map(|files| (files, extensions))
        })?;
        if files.len() as u64 > target.element["max_files"].as_u64().unwrap_or(10) {
            return Err(target.wrong("it does not take so many files"));
        }
        let types = target.element["filetypes"].as_array();
        if types.is_some_and(|types| !extensions.iter().all(|extension| types.contains(extension))) {
            return Err(target.wrong("it does not take files of that type"));
        }
        self.put(&user, &target, json!(files)).await
    }

    /// A person unticks a checkbox, or removes one of several choices.
    ///
    /// # Errors
    /// When there is no such element, or the choice is not ticked.
    pub async fn uncheck(&self, user: &str, action_id: &str, wanted: &str) -> Result<Outcome, Cannot> {
        let (user, target) = self.target(user, action_id)?;
        let mut chosen = self.standing(&target);
        let gone = target::find_option(action_id, &chosen, wanted)?;
        chosen.retain(|option| *option != gone);
        self.put(&user, &target, json!(chosen)).await
    }

    /// A person empties an element.
    ///
    /// # Errors
    /// When there is no such element, or it has no value.
    pub async fn clear(&self, user: &str, action_id: &str) -> Result<Outcome, Cannot> {
        let (user, target) = self.target(user, action_id)?;
        let empty = if keeps_many(&target) { json!([]) } else { Value::Null };
        self.put(&user, &target, empty).await
    }

    pub(super) fn target(&self, user: &str, action_id: &str) -> Result<(String, Target), Cannot> {
        self.shared.with(|state| {
            let user = person(state, user)?;
            let target = target::in_view(state, &user, action_id, None)?;
            Ok((user, target))
        })
    }

    /// The values of an element, as a list.
    fn standing(&self, target: &Target) -> Vec<Value> {
        self.shared.with(|state| {
            let typed = state.views.get(&target.view_id).and_then(|v| v.typed.get(&target.key()));
            typed.map(values::chosen).unwrap_or_default()
        })
    }

    fn with_others(&self, target: &Target, value: Value) -> Value {
        let mut chosen = self.standing(target);
        if !chosen.contains(&value) {
            chosen.push(value);
        }
        json!(chosen)
    }

    /// Sets an element's value, and notifies the app if the element requires it.
    async fn put(&self, user: &str, target: &Target, value: Value) -> Result<Outcome, Cannot> {
        let Some(key) = values::state_key(&target.kind) else {
            return Err(target.wrong("it is pressed, not filled or chosen"));
        };
        self.shared.with(|state| {
            if let Some(view) = state.views.get_mut(&target.view_id) {
                view.typed.insert(target.key(), state_of(&target.kind, value.clone()));
                view.errors.remove(&target.block_id);
            }
        });
        if !target.dispatches {
            return Ok(Outcome::Kept);
        }
        self.deliver(|state| {
            let mut action = target.action();
            action[key] = value;
            Ok(OutgoingEnvelope::interactive(
                press::block_action(state, user, &target.view_id, action),
                false,
            ))
        })
        .await
    }

    /// The option of an external select that matches `wanted`.
    async fn suggested(&self, user: &str, target: &Target, wanted: &str) -> Result<Value, Cannot> {
        let last = self.shared.with(|state| {
            let view = state.views.get(&target.view_id);
            view.and_then(|v| v.suggested.get(&target.action_id).cloned()).unwrap_or_default()
        });
        if let Ok(option) = target::find_option(&target.action_id, &last, wanted) {
            return Ok(option);
        }
        let options = self.ask_for(user, target, wanted).await?;
        target::find_option(&target.action_id, &options, wanted)
    }
}

fn keeps_many(target: &Target) -> bool {
    target.kind == "checkboxes" || target.kind.starts_with("multi_")
}

/// The value for an element without options.
fn plain_choice(state: &State, target: &Target, wanted: &str) -> Result<Value, Cannot> {
    let text = json!(wanted);
    match target.kind.as_str() {
        "datepicker" if blocks::is_date(&text) => Ok(text),
        "datepicker" => Err(target.wrong("it takes a date such as 2026-01-31")),
        "timepicker" if blocks::is_time(&text) => Ok(text),
        "timepicker" => Err(target.wrong("it takes a time such as 13:30")),
        "datetimepicker" => {
            wanted.parse::<i64>().map(|n| json!(n)).map_err(|_| target.wrong("it takes Unix seconds"))
        }
        "users_select" | "multi_users_select" => person(state, wanted).map(|id| json!(id)),
        "conversations_select" | "channels_select" => super::channel(state, wanted).map(|id| json!(id)),
        _ => Err(target.wrong("it offers nothing to choose")),
    }
}
