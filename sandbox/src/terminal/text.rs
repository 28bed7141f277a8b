//! Messages and views as plain text.
//!
//! Owns: the text form of each block and element. Must not: depend on the caller. Called by: `terminal`,
//! `Message::shown`, `View::shown`.

use serde_json::Value;

use crate::{
    messages::Message,
    views::{View, values},
};

/// All visible content of a message.
pub(crate) fn message_text(message: &Message) -> String {
    if message.blocks.is_empty() {
        return message.text.clone();
    }
    let lines: Vec<String> = message.blocks.iter().flat_map(|block| block_lines(block, None)).collect();
    lines.join("\n")
}

/// All visible content of a view: title, blocks, values of inputs, errors, buttons.
pub(crate) fn view_text(view: &View) -> String {
    let mut lines = Vec::new();
    if !view.title().is_empty() {
        lines.push(format!("=== {} ===", view.title()));
    }
    for block in view.blocks() {
        lines.extend(block_lines(block, Some(view)));
    }
    let beneath = ["submit", "close"].map(|key| view.json[key]["text"].as_str());
    let buttons: Vec<String> = beneath.into_iter().flatten().map(|label| format!("[ {label} ]")).collect();
    if !buttons.is_empty() {
        lines.push(buttons.join("  "));
    }
    lines.join("\n")
}

fn text_of(object: &Value) -> &str {
    object["text"].as_str().unwrap_or_default()
}

fn block_lines(block: &Value, view: Option<&View>) -> Vec<String> {
    let elements = || block["elements"].as_array().into_iter().flatten();
    match block["type"].as_str().unwrap_or_default() {
        "header" => vec![format!("# {}", text_of(&block["text"]))],
        "divider" => vec!["---".into()],
        "section" => section_lines(block, view),
        "context" => vec![elements().map(context_text).collect::<Vec<_>>().join(" ")],
        "actions" => vec![elements().map(|e| element_text(block, e, view)).collect::<Vec<_>>().join("  ")],
        "input" => input_lines(block, view),
        "image" => vec![format!("(picture: {})", block["alt_text"].as_str().unwrap_or_default())],
        "markdown" => vec![block["text"].as_str().unwrap_or_default().into()],
        "rich_text" => vec![rich_text(&block["elements"])],
        _ => Vec::new(),
    }
}

fn section_lines(block: &Value, view: Option<&View>) -> Vec<String> {
    let mut lines = Vec::new();
    if block["text"].is_object() {
        lines.push(text_of(&block["text"]).to_owned());
    }
    lines.extend(block["fields"].as_array().into_iter().flatten().map(|field| text_of(field).to_owned()));
    if block["accessory"].is_object() {
        lines.push(element_text(block, &block["accessory"], view));
    }
    lines
}

fn input_lines(block: &Value, view: Option<&View>) -> Vec<String> {
    let optional = if block["optional"] == true { " (optional)" } else { "" };
    let mut lines = vec![
        format!("{}{optional}", text_of(&block["label"])),
        format!("  {}", element_text(block, &block["element"], view)),
    ];
    if block["hint"].is_object() {
        lines.push(format!("  ({})", text_of(&block["hint"])));
    }
    lines.extend(meanings(&block["element"]));
    let error = view.and_then(|v| v.errors.get(block["block_id"].as_str().unwrap_or_default()));
    lines.extend(error.map(|error| format!("  ! {error}")));
    lines
}

/// The options that have descriptions.
fn meanings(element: &Value) -> impl Iterator<Item = String> {
    let explained = |option: Value| {
        let meaning = option["description"]["text"].as_str()?;
        Some(format!("  - {}: {meaning}", text_of(&option["text"])))
    };
    values::all_options(element).into_iter().filter_map(explained)
}

fn context_text(element: &Value) -> String {
    match element["type"].as_str() {
        Some("image") => format!("({})", element["alt_text"].as_str().unwrap_or_default()),
        _ => text_of(element).to_owned(),
    }
}

/// The text of rich text, without formatting.
fn rich_text(part: &Value) -> String {
    match part {
        Value::Array(parts) => parts.iter().map(rich_text).collect(),
        Value::Object(_) if part["text"].is_string() => text_of(part).to_owned(),
        Value::Object(_) => rich_text(&part["elements"]),
        _ => String::new(),
    }
}

/// An element with its action id, which tests and the terminal use.
fn element_text(block: &Value, element: &Value, view: Option<&View>) -> String {
    let id = element["action_id"].as_str().unwrap_or_default();
    let kind = element["type"].as_str().unwrap_or_default();
    let label = || text_of(&element["text"]);
    match kind {
        "button" => match element["value"].as_str().or(element["url"].as_str()) {
            Some(value) => format!("[ {} ] {id} {value}", label()),
            None => format!("[ {} ] {id}", label()),
        },
        "overflow" => format!("[ ... ] {id}: {}", labels(element).join(" | ")),
        "image" => format!("(picture: {})", element["alt_text"].as_str().unwrap_or_default()),
        _ => {
            let block_id = block["block_id"].as_str().unwrap_or_default();
            let standing = view.map(|v| values::shown(v.state_in(block_id, id))).unwrap_or_default();
            format!("{id}: {}", standing_text(element, kind, &standing))
        }
    }
}

fn labels(element: &Value) -> Vec<String> {
    values::all_options(element).iter().map(|option| text_of(&option["text"]).to_owned()).collect()
}

fn standing_text(element: &Value, kind: &str, standing: &[String]) -> String {
    let marked = |on: &str, off: &str| {
        let mark = |label: String| format!("{} {label}", if standing.contains(&label) { on } else { off });
        labels(element).into_iter().map(mark).collect::<Vec<_>>().join("  ")
    };
    match kind {
        "checkboxes" => marked("[x]", "[ ]"),
        "radio_buttons" => marked("(o)", "( )"),
        _ if !standing.is_empty() => standing.join(", "),
        _ => match text_of(&element["placeholder"]) {
            "" => "____".into(),
            placeholder => format!("____ ({placeholder})"),
        },
    }
}
