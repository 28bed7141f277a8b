//! Finds the element that a person acts on.
//!
//! Owns: the search order (the top modal, else the Home tab) and the error if nothing is found. Must not: act. Called
//! by: `choose`, `press`, `suggest`.

use serde_json::Value;

use super::Cannot;
use crate::{
    state::State,
    views::{OpenView, values::Element},
};

/// A copy of an element of an open view: the view may change while the app is queried.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) view_id: String,
    pub(super) block_id: String,
    pub(super) action_id: String,
    pub(super) kind: String,
    pub(super) element: Value,
    pub(super) options: Vec<Value>,
    pub(super) dispatches: bool,
}

impl Target {
    pub(super) fn key(&self) -> (String, String) {
        (self.block_id.clone(), self.action_id.clone())
    }

    pub(super) fn wrong(&self, reason: &'static str) -> Cannot {
        Cannot::WrongKind { action_id: self.action_id.clone(), kind: self.kind.clone(), reason }
    }

    /// The element in a payload's `actions`, without the chosen value.
    pub(super) fn action(&self) -> Value {
        serde_json::json!({"type": self.kind, "action_id": self.action_id, "block_id": self.block_id})
    }
}

/// The view that a person acts in.
fn view_of<'a>(state: &'a State, user: &str) -> Result<&'a OpenView, Cannot> {
    let view = state.views.top(user).or_else(|| state.views.home(user));
    view.ok_or_else(|| super::no_view(state, user))
}

/// The first element with this action id, and with this value if given.
pub(super) fn in_view(
    state: &State,
    user: &str,
    action_id: &str,
    value: Option<&str>,
) -> Result<Target, Cannot> {
    let view = view_of(state, user)?;
    let found = view.elements().find(|e| is_meant(e, action_id, value));
    let element = found.ok_or_else(|| missing(view.elements(), action_id, value))?;
    Ok(Target {
        view_id: view.id.clone(),
        block_id: element.block_id.into(),
        action_id: element.action_id.into(),
        kind: element.kind.into(),
        element: element.element.clone(),
        options: element.options(),
        dispatches: element.dispatches(),
    })
}

/// Whether an element matches: `value` is a button's value or its label.
pub(super) fn is_meant(element: &Element<'_>, action_id: &str, value: Option<&str>) -> bool {
    let holds = |value: &str| {
        element.element["value"] == value
            || element.element["text"]["text"] == value
            || element.kind == "overflow"
    };
    element.action_id == action_id && value.is_none_or(holds)
}

/// The error if it does not exist.
pub(super) fn missing<'a>(
    elements: impl Iterator<Item = Element<'a>>,
    action_id: &str,
    value: Option<&str>,
) -> Cannot {
    let name = |e: Element<'a>| match e.element["value"].as_str() {
        Some(value) => format!("{} {value}", e.action_id),
        None => e.action_id.to_owned(),
    };
    let there: Vec<String> = elements.map(name).collect();
    let wanted = value.map_or_else(|| action_id.to_owned(), |value| format!("{action_id} {value}"));
    Cannot::NoElement { wanted, there: there.join(", ") }
}

/// The option with this value or, ignoring case, this label.
pub(super) fn find_option(action_id: &str, options: &[Value], wanted: &str) -> Result<Value, Cannot> {
    let label = |option: &Value| option["text"]["text"].as_str().unwrap_or_default().to_owned();
    let by_value = options.iter().find(|o| o["value"] == wanted);
    let by_label = || options.iter().find(|o| label(o).to_lowercase() == wanted.to_lowercase());
    by_value.or_else(by_label).cloned().ok_or_else(|| {
        let offered: Vec<String> = options.iter().take(20).map(label).collect();
        Cannot::NoOption { action_id: action_id.into(), wanted: wanted.into(), offered: offered.join(", ") }
    })
}
