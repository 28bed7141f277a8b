//! Searching in external selects.
//!
//! Owns: the `block_suggestion` payload and its response. Must not: choose. Called by: tests, demos, `terminal`, and
//! `choose` if there are no suggestions yet.

use serde_json::{Value, json};

use super::{Cannot, deliver::OutgoingEnvelope, payload, target::Target};
use crate::{blocks, sandbox::Sandbox, views::values};

/// Slack queries the app from the third character on, unless the element sets another minimum.
const USUAL_MIN_QUERY: u64 = 3;

/// One option as a person sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The shown text.
    pub label: String,
    /// The value that the app receives.
    pub value: String,
    pub description: Option<String>,
    /// The label of the group it is in.
    pub group: Option<String>,
}

impl Sandbox {
    /// A person types into an external select and sees the app's suggestions.
    ///
    /// # Errors
    /// When there is no such element, fewer characters were typed than it requires, or the app does not send a valid
    /// response in time.
    pub async fn suggest(&self, user: &str, action_id: &str, typed: &str) -> Result<Vec<Choice>, Cannot> {
        let (user, target) = self.target(user, action_id)?;
        let answer = self.ask(&user, &target, typed).await?;
        let in_groups = answer["option_groups"].as_array().map_or(&[][..], Vec::as_slice);
        let group_of = |group: &Value| {
            let label = group["label"]["text"].as_str().map(String::from);
            choices(&group["options"], label)
        };
        let mut all = choices(&answer["options"], None);
        all.extend(in_groups.iter().flat_map(group_of));
        Ok(all)
    }

    /// Queries the app for `wanted`, and with an empty query if that finds nothing: `wanted` may be a value, which a
    /// search does not find.
    pub(super) async fn ask_for(
        &self,
        user: &str,
        target: &Target,
        wanted: &str,
    ) -> Result<Vec<Value>, Cannot> {
        let found = values::all_options(&self.ask(user, target, wanted).await?);
        let offers_all = target.element["min_query_length"] == 0;
        if super::target::find_option(&target.action_id, &found, wanted).is_ok() || !offers_all {
            return Ok(found);
        }
        Ok(values::all_options(&self.ask(user, target, "").await?))
    }

    async fn ask(&self, user: &str, target: &Target, typed: &str) -> Result<Value, Cannot> {
        if !target.kind.ends_with("external_select") {
            return Err(target.wrong("there is nothing to search in it"));
        }
        let least = target.element["min_query_length"].as_u64().unwrap_or(USUAL_MIN_QUERY);
        if (typed.chars().count() as u64) < least {
            return Err(target.wrong("it searches only when more is typed"));
        }
        let outcome = self
            .deliver(|state| {
                let mut payload = payload::interaction(state, "block_suggestion", user);
                payload::in_view(state, &mut payload, &target.view_id);
                payload["action_id"] = json!(target.action_id);
                payload["block_id"] = json!(target.block_id);
                payload["value"] = json!(typed);
                Ok(OutgoingEnvelope::interactive(payload, true))
            })
            .await?;
        let mut answer = outcome.ack().and_then(|ack| ack.payload.clone()).ok_or(Cannot::NoSuggestions)?;
        let problems = blocks::check_suggestions(&answer);
        self.shared.with(|state| {
            if !problems.is_empty() {
                let list: Vec<String> = problems.iter().map(ToString::to_string).collect();
                state.record.complain(format!("options for {}: {}", target.action_id, list.join("; ")));
                return Err(Cannot::NoSuggestions);
            }
            answer = blocks::with_defaults(&answer);
            if let Some(view) = state.views.get_mut(&target.view_id) {
                view.suggested.insert(target.action_id.clone(), values::all_options(&answer));
            }
            Ok(answer)
        })
    }
}

fn choices(options: &Value, group: Option<String>) -> Vec<Choice> {
    let text = |value: &Value| value["text"].as_str().map(String::from);
    let choice = |option: &Value| Choice {
        label: text(&option["text"]).unwrap_or_default(),
        value: option["value"].as_str().unwrap_or_default().to_owned(),
        description: text(&option["description"]),
        group: group.clone(),
    };
    options.as_array().into_iter().flatten().map(choice).collect()
}
