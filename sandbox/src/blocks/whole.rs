//! Checks across blocks: unique ids, and the submit button that inputs require.
//!
//! Owns: those checks. Must not: check a block by itself. Called by: `blocks`.

use std::collections::HashSet;

use serde_json::Value;

use super::rules::Problems;

/// Checks blocks against each other.
pub(super) fn check(blocks: &[Value], at: &str, problems: &mut Problems) {
    let mut block_ids = HashSet::new();
    let mut focused = 0;
    for (n, block) in blocks.iter().enumerate() {
        if let Some(id) = block["block_id"].as_str()
            && !block_ids.insert(id)
        {
            problems.add(&format!("{at}/{n}/block_id"), format!("block_id \"{id}\" already exists"));
        }
        let mut action_ids = HashSet::new();
        for element in elements_of(block) {
            focused += usize::from(element["focus_on_load"] == true);
            if let Some(id) = element["action_id"].as_str()
                && !action_ids.insert(id)
            {
                problems
                    .add(&format!("{at}/{n}"), format!("action_id \"{id}\" already exists in this block"));
            }
        }
    }
    if focused > 1 {
        problems.add(at, "focus_on_load may be set on one element only");
    }
}

/// A modal with an input must have a button that submits it.
pub(super) fn check_submit(view: &Value, at: &str, problems: &mut Problems) {
    let blocks = view["blocks"].as_array().map_or(&[][..], Vec::as_slice);
    if view["submit"].is_null() && blocks.iter().any(|b| b["type"] == "input") {
        problems.add(at, "missing required field: submit, as there is an input block");
    }
}

/// The elements of a block that may carry an action id.
pub(super) fn elements_of(block: &Value) -> impl Iterator<Item = &Value> {
    let many = if block["type"] == "actions" { block["elements"].as_array() } else { None };
    let one = [&block["accessory"], &block["element"]];
    one.into_iter().filter(|v| v.is_object()).chain(many.into_iter().flatten())
}
