//! Values of interactive elements, in the form of `state.values`.
//!
//! Owns: for each kind of element, the key of its state and of its initial value; finding elements in blocks. Must not:
//! decide what a person chooses (that is `act::choose`). Called by: `views`, `act`, `terminal`.

use serde_json::{Map, Value, json};

/// How an element stores its value: the key of its state and of its initial value.
struct Keeps {
    kind: &'static str,
    state: &'static str,
    initial: &'static str,
}

const fn keeps(kind: &'static str, state: &'static str, initial: &'static str) -> Keeps {
    Keeps { kind, state, initial }
}

/// Buttons, overflow menus and images have no value and are not listed.
static KEEPS: &[Keeps] = &[
    keeps("plain_text_input", "value", "initial_value"),
    keeps("email_text_input", "value", "initial_value"),
    keeps("url_text_input", "value", "initial_value"),
    keeps("number_input", "value", "initial_value"),
    keeps("static_select", "selected_option", "initial_option"),
    keeps("external_select", "selected_option", "initial_option"),
    keeps("radio_buttons", "selected_option", "initial_option"),
    keeps("checkboxes", "selected_options", "initial_options"),
    keeps("multi_static_select", "selected_options", "initial_options"),
    keeps("multi_external_select", "selected_options", "initial_options"),
    keeps("users_select", "selected_user", "initial_user"),
    keeps("multi_users_select", "selected_users", "initial_users"),
    keeps("conversations_select", "selected_conversation", "initial_conversation"),
    keeps("channels_select", "selected_channel", "initial_channel"),
    keeps("datepicker", "selected_date", "initial_date"),
    keeps("timepicker", "selected_time", "initial_time"),
    keeps("datetimepicker", "selected_date_time", "initial_date_time"),
    keeps("file_input", "files", "initial_files"),
];

/// The key of the value in the state of a kind of element.
pub(crate) fn state_key(kind: &str) -> Option<&'static str> {
    KEEPS.iter().find(|k| k.kind == kind).map(|k| k.state)
}

/// Whether the value of this key is a list.
fn is_list(key: &str) -> bool {
    key.ends_with('s')
}

/// An interactive element and its block.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Element<'a> {
    pub(crate) block: &'a Value,
    pub(crate) element: &'a Value,
    pub(crate) block_id: &'a str,
    pub(crate) action_id: &'a str,
    pub(crate) kind: &'a str,
}

impl Element<'_> {
    pub(crate) fn key(&self) -> (String, String) {
        (self.block_id.to_owned(), self.action_id.to_owned())
    }

    /// Whether it is the element of an input block.
    pub(crate) fn is_input(&self) -> bool {
        self.block["type"] == "input"
    }

    /// Whether an action on it is sent to the app immediately. Outside input blocks it always is.
    pub(crate) fn dispatches(&self) -> bool {
        !self.is_input() || self.block["dispatch_action"] == true
    }

    /// Its static options, including those in groups.
    pub(crate) fn options(&self) -> Vec<Value> {
        all_options(self.element)
    }

    /// Its state when the view opens; `None` for elements without a value.
    pub(super) fn initial(&self) -> Option<Value> {
        let keeps = KEEPS.iter().find(|k| k.kind == self.kind)?;
        let given = self.element.get(keeps.initial).filter(|v| !v.is_null()).cloned();
        let empty = if is_list(keeps.state) { json!([]) } else { Value::Null };
        Some(state_of(self.kind, given.unwrap_or(empty)))
    }

    /// Whether a state from before an update fits this element.
    pub(super) fn can_hold(&self, state: &Value) -> bool {
        if state["type"] != self.kind {
            return false;
        }
        let options = self.options();
        options.is_empty() || chosen(state).iter().all(|chosen| options.contains(chosen))
    }
}

/// The options of an element or of a search response, including those in groups.
pub(crate) fn all_options(holder: &Value) -> Vec<Value> {
    let items = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let mut options = items(&holder["options"]);
    options.extend(items(&holder["option_groups"]).iter().flat_map(|group| items(&group["options"])));
    options
}

pub(crate) fn state_of(kind: &str, value: Value) -> Value {
    let mut state = Map::from_iter([("type".to_owned(), json!(kind))]);
    if let Some(key) = state_key(kind) {
        state.insert(key.to_owned(), value);
    }
    Value::Object(state)
}

/// The values of a state, as a list: none, one or several.
pub(crate) fn chosen(state: &Value) -> Vec<Value> {
    let kind = state["type"].as_str().unwrap_or_default();
    match state_key(kind).map(|key| &state[key]) {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Array(items)) => items.clone(),
        Some(Value::String(text)) if text.is_empty() => Vec::new(),
        Some(value) => vec![value.clone()],
    }
}

/// The values of a state, as shown to a person.
pub(crate) fn shown(state: &Value) -> Vec<String> {
    let read = |value: &Value| match value {
        Value::String(text) => text.clone(),
        Value::Object(_) => {
            value["text"]["text"].as_str().or(value["name"].as_str()).unwrap_or_default().into()
        }
        other => other.to_string(),
    };
    chosen(state).iter().map(read).collect()
}

/// All interactive elements in blocks, in display order.
pub(crate) fn elements(blocks: &[Value]) -> impl Iterator<Item = Element<'_>> {
    blocks.iter().flat_map(|block| {
        let many = block["elements"].as_array().filter(|_| block["type"] == "actions");
        let one = [&block["accessory"], &block["element"]];
        one.into_iter().chain(many.into_iter().flatten()).filter_map(move |element| {
            Some(Element {
                block,
                element,
                block_id: block["block_id"].as_str()?,
                action_id: element["action_id"].as_str()?,
                kind: element["type"].as_str()?,
            })
        })
    })
}
