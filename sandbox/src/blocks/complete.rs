//! What Slack adds to blocks that it takes: ids that were left out, and defaults of text objects.
//!
//! Owns: the form in which blocks come back in answers and payloads. Must not: check them.
//! Called by: `api` and `views` for blocks that were accepted.

use serde_json::{Value, json};

use crate::ids::Ids;

/// Gives every block and every element an id, and every text object its defaults.
pub(crate) fn complete(blocks: &mut [Value], ids: &mut Ids) {
    for block in blocks {
        add_defaults(block);
        if block["block_id"].is_null() {
            block["block_id"] = json!(ids.id("b"));
        }
        let holds_elements = block["type"] == "actions";
        for part in ["element", "accessory"] {
            if let Some(element) = block.get_mut(part) {
                name_action(element, ids);
            }
        }
        let elements = block.get_mut("elements").and_then(Value::as_array_mut);
        for element in elements.filter(|_| holds_elements).into_iter().flatten() {
            name_action(element, ids);
        }
    }
}

fn name_action(element: &mut Value, ids: &mut Ids) {
    if element.is_object() && element["type"] != "image" && element["action_id"].is_null() {
        element["action_id"] = json!(ids.id("a"));
    }
}

/// A copy with every text object's defaults, so that two ways of writing one thing compare equal.
pub(crate) fn with_defaults(value: &Value) -> Value {
    let mut value = value.clone();
    add_defaults(&mut value);
    value
}

fn add_defaults(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(add_defaults),
        Value::Object(object) => {
            let default = match object.get("type").and_then(Value::as_str) {
                Some("plain_text") => Some(("emoji", true)),
                Some("mrkdwn") => Some(("verbatim", false)),
                _ => None,
            };
            if let Some((key, value)) = default {
                object.entry(key).or_insert(json!(value));
            }
            object.values_mut().for_each(add_defaults);
        }
        _ => {}
    }
}
