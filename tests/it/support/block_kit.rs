//! Slack's limits on Block Kit, independent of the templates and the sandbox. Covers what ESB uses; anything
//! else is a fault until it is added here.

use serde_json::{Map, Value};
use std::collections::HashSet;

/// Maximum size of a view in bytes. Slack does not document how it counts characters outside ASCII; this
/// counts them as JSON escapes, the largest form.
const VIEW_BYTES: usize = 250_000;

/// Violations in a modal or a Home tab.
pub fn faults_of_view(view: &Value) -> Vec<String> {
    let mut faults = Faults::default();
    let view = Object::of(view, "view", &mut faults);
    if view.kind() == "home" {
        view.keys(&["type", "callback_id", "private_metadata", "blocks"], &mut faults);
    } else {
        view.keys(
            &["type", "callback_id", "private_metadata", "title", "submit", "close", "blocks"],
            &mut faults,
        );
        view.plain("title", 24, true, &mut faults);
        view.plain("submit", 24, false, &mut faults);
        view.plain("close", 24, false, &mut faults);
    }
    view.chars("callback_id", 255, true, &mut faults);
    view.chars("private_metadata", 3000, false, &mut faults);
    check_blocks(&view.value["blocks"], 100, &mut faults);
    let has_input = view.list("blocks").iter().any(|block| block["type"] == "input");
    faults.unless(!has_input || view.value.contains_key("submit"), "view: inputs without submit");
    let size: usize = Value::Object(view.value.clone()).to_string().chars().map(escaped_size).sum();
    faults.unless(size <= VIEW_BYTES, &format!("view: {size} bytes"));
    faults.0
}

/// Violations in the blocks of a message.
pub fn faults_of_message(blocks: &Value) -> Vec<String> {
    let mut faults = Faults::default();
    check_blocks(blocks, 50, &mut faults);
    faults.0
}

/// Violations in the options of an external select.
pub fn faults_of_options(answer: &Value) -> Vec<String> {
    let mut faults = Faults::default();
    let answer = Object::of(answer, "answer", &mut faults);
    answer.keys(&["options", "option_groups"], &mut faults);
    let groups = answer.list("option_groups");
    faults.unless(groups.len() <= 100, "answer: more than 100 groups");
    faults.unless(groups.is_empty() || !answer.value.contains_key("options"), "answer: options and groups");
    check_options(answer.list("options"), 0, 100, &answer.at, &mut faults);
    let mut all = Vec::new();
    for group in groups {
        let group = Object::of(group, "answer/option_groups", &mut faults);
        group.keys(&["label", "options"], &mut faults);
        group.plain("label", 75, true, &mut faults);
        faults.unless(!group.list("options").is_empty(), "answer: an empty group");
        all.extend(group.list("options").iter().cloned());
    }
    check_options(&all, 0, 100, &answer.at, &mut faults);
    faults.0
}

const fn escaped_size(c: char) -> usize {
    if c.is_ascii() { 1 } else { 6 * c.len_utf16() }
}

#[derive(Default)]
struct Faults(Vec<String>);

impl Faults {
    fn unless(&mut self, holds: bool, words: &str) {
        if !holds {
            self.0.push(words.to_owned());
        }
    }
}

/// A JSON object and its path.
struct Object {
    value: Map<String, Value>,
    at: String,
}

impl Object {
    fn of(value: &Value, at: &str, faults: &mut Faults) -> Self {
        faults.unless(value.is_object(), &format!("{at}: no object"));
        Self { value: value.as_object().cloned().unwrap_or_default(), at: at.to_owned() }
    }

    fn child(&self, name: &str, faults: &mut Faults) -> Self {
        Self::of(&self.value.get(name).cloned().unwrap_or_default(), &format!("{}/{name}", self.at), faults)
    }

    fn kind(&self) -> &str {
        self.value.get("type").and_then(Value::as_str).unwrap_or_default()
    }

    fn list(&self, name: &str) -> &[Value] {
        self.value.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
    }

    fn keys(&self, known: &[&str], faults: &mut Faults) {
        for key in self.value.keys().filter(|key| !known.contains(&key.as_str())) {
            faults.unless(false, &format!("{}: unknown key {key}", self.at));
        }
    }

    /// A string of 1 to `max` characters.
    fn chars(&self, name: &str, max: usize, required: bool, faults: &mut Faults) {
        let Some(text) = self.value.get(name) else {
            return faults.unless(!required, &format!("{}: no {name}", self.at));
        };
        let len = text.as_str().map_or(0, |text| text.chars().count());
        faults.unless((1..=max).contains(&len), &format!("{}/{name}: {len} characters", self.at));
    }

    /// A `plain_text` object of 1 to `max` characters.
    fn plain(&self, name: &str, max: usize, required: bool, faults: &mut Faults) {
        if !self.value.contains_key(name) {
            return faults.unless(!required, &format!("{}: no {name}", self.at));
        }
        let text = self.child(name, faults);
        faults.unless(text.kind() == "plain_text", &format!("{}: no plain_text", text.at));
        text.keys(&["type", "text", "emoji"], faults);
        text.chars("text", max, true, faults);
    }
}

/// Checks an `mrkdwn` object; everything between `<` and `>` must be our own markup.
fn check_mrkdwn(value: &Value, max: usize, at: &str, faults: &mut Faults) {
    let text = Object::of(value, at, faults);
    faults.unless(text.kind() == "mrkdwn", &format!("{at}: no mrkdwn"));
    text.keys(&["type", "text", "verbatim"], faults);
    text.chars("text", max, true, faults);
    let shown = text.value.get("text").and_then(Value::as_str).unwrap_or_default();
    for tag in shown.split('<').skip(1) {
        let is_ours = tag.starts_with("http://esb.test/") || tag.starts_with("!date^0^{time}|00:00 UTC>");
        faults.unless(is_ours, &format!("{at}: a live tag in {shown}"));
    }
}

fn check_blocks(blocks: &Value, max: usize, faults: &mut Faults) {
    let blocks = blocks.as_array().map_or(&[][..], Vec::as_slice);
    faults.unless((1..=max).contains(&blocks.len()), &format!("{} blocks", blocks.len()));
    let mut ids = HashSet::new();
    for (n, block) in blocks.iter().enumerate() {
        let block = Object::of(block, &format!("blocks/{n}"), faults);
        block.chars("block_id", 255, true, faults);
        let id = block.value.get("block_id").cloned().unwrap_or_default();
        faults.unless(ids.insert(id.to_string()), &format!("{}: block_id {id} again", block.at));
        check_block(&block, faults);
    }
}

fn check_block(block: &Object, faults: &mut Faults) {
    match block.kind() {
        "section" => check_section(block, faults),
        "context" => {
            block.keys(&["type", "block_id", "elements"], faults);
            let elements = block.list("elements");
            faults.unless((1..=10).contains(&elements.len()), &format!("{}: elements", block.at));
            elements.iter().for_each(|element| check_mrkdwn(element, 3000, &block.at, faults));
        }
        "actions" => {
            block.keys(&["type", "block_id", "elements"], faults);
            let elements = block.list("elements");
            faults.unless((1..=25).contains(&elements.len()), &format!("{}: elements", block.at));
            for element in elements {
                let element = Object::of(element, &block.at, faults);
                match element.kind() {
                    "external_select" => {
                        element.chars("action_id", 255, true, faults);
                        element.plain("placeholder", 150, false, faults);
                        check_element(&element, faults);
                    }
                    _ => check_button(&element, faults),
                }
            }
        }
        "input" => check_input(block, faults),
        other => faults.unless(false, &format!("{}: a block of type {other}", block.at)),
    }
}

fn check_section(block: &Object, faults: &mut Faults) {
    block.keys(&["type", "block_id", "text", "fields", "accessory"], faults);
    let (text, fields) = (block.value.get("text"), block.list("fields"));
    faults.unless(text.is_some() || !fields.is_empty(), &format!("{}: nothing in it", block.at));
    faults.unless(fields.len() <= 10, &format!("{}: {} fields", block.at, fields.len()));
    text.into_iter().for_each(|text| check_mrkdwn(text, 3000, &block.at, faults));
    fields.iter().for_each(|field| check_mrkdwn(field, 2000, &block.at, faults));
    if block.value.contains_key("accessory") {
        check_button(&block.child("accessory", faults), faults);
    }
}

fn check_button(button: &Object, faults: &mut Faults) {
    faults.unless(button.kind() == "button", &format!("{}: no button", button.at));
    button.keys(&["type", "action_id", "value", "url", "text", "style", "accessibility_label"], faults);
    let style = button.value.get("style").and_then(Value::as_str);
    faults.unless(matches!(style, None | Some("primary" | "danger")), &format!("{}: style", button.at));
    button.chars("action_id", 255, true, faults);
    button.chars("value", 2000, false, faults);
    button.chars("url", 3000, false, faults);
    button.chars("accessibility_label", 75, false, faults);
    button.plain("text", 75, true, faults);
}

fn check_input(block: &Object, faults: &mut Faults) {
    block.keys(&["type", "block_id", "label", "hint", "element", "optional", "dispatch_action"], faults);
    block.plain("label", 2000, true, faults);
    block.plain("hint", 2000, false, faults);
    let element = block.child("element", faults);
    element.chars("action_id", 255, true, faults);
    let same = element.value.get("action_id") == block.value.get("block_id");
    faults.unless(same, &format!("{}: block_id is not action_id", block.at));
    element.plain("placeholder", 150, false, faults);
    check_element(&element, faults);
}

fn check_element(element: &Object, faults: &mut Faults) {
    let (common, options) = (["type", "action_id", "placeholder"], element.list("options"));
    let with = |more: &[&'static str]| [&common[..], more].concat();
    match element.kind() {
        "plain_text_input" => {
            element.keys(&with(&["multiline", "initial_value", "max_length"]), faults);
            let most = element.value.get("max_length").and_then(Value::as_u64).unwrap_or(3000);
            faults.unless((1..=3000).contains(&most), &format!("{}: max_length {most}", element.at));
            element.chars("initial_value", usize::try_from(most).unwrap_or(3000), false, faults);
        }
        "external_select" => {
            element.keys(&with(&["min_query_length", "initial_option"]), faults);
            let initial: Vec<Value> = element.value.get("initial_option").cloned().into_iter().collect();
            check_options(&initial, 0, 1, &element.at, faults);
        }
        "static_select" => {
            element.keys(&with(&["options", "initial_option"]), faults);
            check_options(options, 1, 100, &element.at, faults);
            let initial = element.value.get("initial_option");
            let offered = initial.is_none_or(|initial| options.contains(initial));
            faults.unless(offered, &format!("{}: initial_option is no option", element.at));
        }
        "checkboxes" => {
            element.keys(&with(&["options", "initial_options"]), faults);
            check_options(options, 1, 10, &element.at, faults);
            let ticked = element.list("initial_options").iter().all(|initial| options.contains(initial));
            faults.unless(ticked, &format!("{}: initial_options are no options", element.at));
        }
        "radio_buttons" => {
            element.keys(&with(&["options", "initial_option"]), faults);
            check_options(options, 1, 10, &element.at, faults);
            let offered = element.value.get("initial_option").is_none_or(|initial| options.contains(initial));
            faults.unless(offered, &format!("{}: initial_option is no option", element.at));
        }
        "datepicker" => {
            element.keys(&with(&["initial_date"]), faults);
            let date = element.value.get("initial_date").and_then(Value::as_str);
            let is_date = date.is_none_or(|date| date.parse::<chrono::NaiveDate>().is_ok());
            faults.unless(is_date, &format!("{}: initial_date", element.at));
        }
        "file_input" => {
            element.keys(&["type", "action_id", "filetypes", "max_files"], faults);
            let most = element.value.get("max_files").and_then(Value::as_u64);
            faults.unless(
                most.is_some_and(|most| (1..=10).contains(&most)),
                &format!("{}: max_files", element.at),
            );
            faults.unless(!element.list("filetypes").is_empty(), &format!("{}: filetypes", element.at));
        }
        other => faults.unless(false, &format!("{}: an element of type {other}", element.at)),
    }
}

fn check_options(options: &[Value], min: usize, max: usize, at: &str, faults: &mut Faults) {
    let count = options.len();
    faults.unless((min..=max).contains(&count), &format!("{at}: {count} options"));
    let mut values = HashSet::new();
    for option in options {
        let option = Object::of(option, &format!("{at}/options"), faults);
        option.keys(&["text", "description", "value"], faults);
        option.plain("text", 75, true, faults);
        option.plain("description", 75, false, faults);
        option.chars("value", 75, true, faults);
        let value = option.value.get("value").cloned().unwrap_or_default();
        faults.unless(values.insert(value.to_string()), &format!("{at}: {value} twice"));
    }
}
