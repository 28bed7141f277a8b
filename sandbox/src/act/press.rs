//! Pressing buttons and choosing from overflow menus, in views and in messages.
//!
//! Owns: the `block_actions` payload. Must not: change the values of a view (that is `choose`).
//! Called by: tests, demos, `terminal`; `choose` sends its payload from here, too.

use serde_json::{Value, json};

use super::{
    Cannot, Outcome, channel, command::action_ts, deliver::OutgoingEnvelope, payload, person, target,
};
use crate::{
    messages::{Audience, Message},
    sandbox::Sandbox,
    state::State,
    views::values,
};

impl Sandbox {
    /// A person presses a button in their open view (the top modal, else Home). If several have one action id, `value`
    /// selects one: a button's value or label, or an overflow menu's choice.
    ///
    /// # Errors
    /// When there is no view, or no such element in it.
    pub async fn press(&self, user: &str, action_id: &str, value: Option<&str>) -> Result<Outcome, Cannot> {
        self.deliver(|state| {
            let user = person(state, user)?;
            let target = target::in_view(state, &user, action_id, value)?;
            let mut action = target.action();
            add_press(&mut action, &target.element, value)?;
            Ok(OutgoingEnvelope::interactive(block_action(state, &user, &target.view_id, action), false))
        })
        .await
    }

    /// A person presses a button in the newest visible message that has it, in a channel (or in direct messages, by a
    /// person's name).
    ///
    /// # Errors
    /// When no such message is there.
    pub async fn press_message(
        &self,
        user: &str,
        at: &str,
        action_id: &str,
        value: Option<&str>,
    ) -> Result<Outcome, Cannot> {
        let message = self.shared.with(|state| {
            let (user, channel) = (person(state, user)?, channel(state, at)?);
            let has_it = |m: &&Message| {
                m.channel == channel
                    && sees(&user, m)
                    && values::elements(&m.blocks).any(|e| target::is_meant(&e, action_id, value))
            };
            let found = state.messages.all().iter().rev().find(has_it);
            found.cloned().ok_or_else(|| Cannot::NoMessage(action_id.into()))
        })?;
        self.press_in(user, &message, action_id, value).await
    }

    /// A person presses a button in this message; an older copy is used as it was then.
    ///
    /// # Errors
    /// When the message has no such button.
    pub async fn press_in(
        &self,
        user: &str,
        message: &Message,
        action_id: &str,
        value: Option<&str>,
    ) -> Result<Outcome, Cannot> {
        self.deliver(|state| {
            let user = person(state, user)?;
            let found = values::elements(&message.blocks).find(|e| target::is_meant(e, action_id, value));
            let element =
                found.ok_or_else(|| target::missing(values::elements(&message.blocks), action_id, value))?;
            let mut action = json!({
                "type": element.kind, "action_id": element.action_id, "block_id": element.block_id,
            });
            add_press(&mut action, element.element, value)?;
            action["action_ts"] = json!(action_ts(state));
            let mut payload = payload::interaction(state, "block_actions", &user);
            payload::on_message(state, &mut payload, &user, message);
            payload["trigger_id"] = json!(payload::trigger(state, &user, None));
            payload["actions"] = json!([action]);
            Ok(OutgoingEnvelope::interactive(payload, false))
        })
        .await
    }
}

fn sees(user: &str, message: &Message) -> bool {
    match &message.audience {
        Audience::Channel => true,
        Audience::Only(only) => only == user,
    }
}

/// Adds the fields of a pressed element.
fn add_press(action: &mut Value, element: &Value, value: Option<&str>) -> Result<(), Cannot> {
    let id = element["action_id"].as_str().unwrap_or_default();
    match element["type"].as_str().unwrap_or_default() {
        "button" => {
            for key in ["text", "value", "style"] {
                if let Some(part) = element.get(key) {
                    action[key] = part.clone();
                }
            }
            Ok(())
        }
        "overflow" => {
            let wanted = value.unwrap_or_default();
            let options = element["options"].as_array().map_or(&[][..], Vec::as_slice);
            action["selected_option"] = target::find_option(id, options, wanted)?;
            Ok(())
        }
        kind => Err(Cannot::WrongKind {
            action_id: id.into(),
            kind: kind.into(),
            reason: "it is filled or chosen, not pressed",
        }),
    }
}

/// The payload of an action in a view, with the view's values.
pub(super) fn block_action(state: &mut State, user: &str, view_id: &str, mut action: Value) -> Value {
    action["action_ts"] = json!(action_ts(state));
    let mut payload = payload::interaction(state, "block_actions", user);
    payload::in_view(state, &mut payload, view_id);
    payload["trigger_id"] = json!(payload::trigger(state, user, Some(view_id)));
    payload["actions"] = json!([action]);
    payload
}
