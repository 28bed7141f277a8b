//! Fields that Slack adds to accepted blocks: missing ids, and defaults of text objects.
//!
//! Owns: the form of blocks in responses and payloads. Must not: check them. Called by: `api` and `views` for accepted
//! blocks.

use serde_json::{Value, json};

use crate::ids::Ids;

/// Adds missing ids of blocks and elements, and the defaults of text objects.
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

/// A copy with the defaults of text objects, so that equivalent blocks compare equal.
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
