//! Tests each limit of Block Kit, at the limit and beyond it.

use serde_json::{Value, json};

use super::{Surface, check_message, check_suggestions, check_view, complete};
use crate::ids::Ids;

fn plain(text: &str) -> Value {
    json!({"type": "plain_text", "text": text})
}

fn mrkdwn(text: &str) -> Value {
    json!({"type": "mrkdwn", "text": text})
}

fn chars(count: usize) -> String {
    // Four bytes each: limits count characters.
    "🪚".repeat(count)
}

fn many(count: usize, item: &Value) -> Value {
    json!(vec![item.clone(); count])
}

fn option() -> Value {
    json!({"text": plain("Oak"), "value": "oak"})
}

fn options(count: usize) -> Value {
    many(count, &option())
}

fn modal(blocks: Value) -> Value {
    json!({"type": "modal", "title": plain("T"), "submit": plain("S"), "blocks": blocks})
}

fn input(element: Value) -> Value {
    json!({"type": "input", "label": plain("L"), "element": element})
}

fn actions(elements: Value) -> Value {
    json!({"type": "actions", "elements": elements})
}

/// The problems of a modal with one block.
fn problems_of(block: Value) -> Vec<String> {
    check_view(&modal(json!([block])), Surface::Modal, "/view").iter().map(ToString::to_string).collect()
}

/// A block is accepted at its limit and rejected beyond it, with a pointer to the place.
#[track_caller]
fn limit(limit: usize, pointer: &str, block: impl Fn(usize) -> Value) {
    assert_eq!(problems_of(block(limit)), Vec::<String>::new(), "{limit} is allowed at {pointer}");
    let problems = problems_of(block(limit + 1));
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(problems[0].contains(&format!("[json-pointer:/view/blocks/0{pointer}]")), "{problems:?}");
}

/// A block is rejected, once, with these words.
#[track_caller]
fn refused(words: &str, block: Value) {
    let problems = problems_of(block);
    assert!(problems.len() == 1 && problems[0].contains(words), "{words}: {problems:?}");
}

#[test]
fn texts_of_blocks() {
    limit(3000, "/text/text", |n| json!({"type": "section", "text": mrkdwn(&chars(n))}));
    limit(10, "/fields", |n| json!({"type": "section", "fields": many(n, &mrkdwn("f"))}));
    limit(2000, "/fields/0/text", |n| json!({"type": "section", "fields": [mrkdwn(&chars(n))]}));
    limit(150, "/text/text", |n| json!({"type": "header", "text": plain(&chars(n))}));
    limit(10, "/elements", |n| json!({"type": "context", "elements": many(n, &mrkdwn("c"))}));
    limit(255, "/block_id", |n| json!({"type": "divider", "block_id": chars(n)}));
    let input_with = |key: &str, n| {
        let mut block = input(json!({"type": "plain_text_input"}));
        block[key] = plain(&chars(n));
        block
    };
    limit(2000, "/label/text", |n| input_with("label", n));
    limit(2000, "/hint/text", |n| input_with("hint", n));
}

#[test]
fn elements_of_an_actions_block() {
    let button = json!({"type": "button", "text": plain("B")});
    limit(25, "/elements", |n| actions(many(n, &button)));
    limit(5, "/elements/0/options", |n| actions(json!([{"type": "overflow", "options": options(n)}])));
    let button_with = |key: &str, value: Value| {
        let mut button = button.clone();
        button[key] = value;
        actions(json!([button]))
    };
    limit(75, "/elements/0/text/text", |n| button_with("text", plain(&chars(n))));
    limit(2000, "/elements/0/value", |n| button_with("value", json!(chars(n))));
    limit(255, "/elements/0/action_id", |n| button_with("action_id", json!(chars(n))));
    limit(3000, "/elements/0/url", |n| button_with("url", json!(format!("https://{}", chars(n - 8)))));
    let confirm = |title: usize, text: usize, word: usize| {
        let words = plain(&chars(word));
        let confirm = json!({"title": plain(&chars(title)), "text": plain(&chars(text)), "confirm": words, "deny": plain("No")});
        button_with("confirm", confirm)
    };
    limit(100, "/elements/0/confirm/title/text", |n| confirm(n, 1, 1));
    limit(300, "/elements/0/confirm/text/text", |n| confirm(1, n, 1));
    limit(30, "/elements/0/confirm/confirm/text", |n| confirm(1, 1, n));
}

#[test]
fn elements_of_inputs() {
    let group = |n| json!({"label": plain("G"), "options": options(n)});
    let select = |key: &str, value: Value| input(json!({"type": "static_select", key: value}));
    limit(100, "/element/options", |n| select("options", options(n)));
    limit(100, "/element/option_groups", |n| select("option_groups", many(n, &group(1))));
    limit(100, "/element/option_groups/0/options", |n| select("option_groups", json!([group(n)])));
    let with_option = |option: Value| select("options", json!([option]));
    limit(75, "/element/options/0/text/text", |n| {
        with_option(json!({"text": plain(&chars(n)), "value": "v"}))
    });
    limit(75, "/element/options/0/value", |n| with_option(json!({"text": plain("T"), "value": chars(n)})));
    limit(75, "/element/options/0/description/text", |n| {
        with_option(json!({"text": plain("T"), "value": "v", "description": plain(&chars(n))}))
    });
    limit(75, "/element/option_groups/0/label/text", |n| {
        select("option_groups", json!([{"label": plain(&chars(n)), "options": options(1)}]))
    });
    limit(10, "/element/options", |n| input(json!({"type": "radio_buttons", "options": options(n)})));
    limit(10, "/element/options", |n| input(json!({"type": "checkboxes", "options": options(n)})));
    limit(150, "/element/placeholder/text", |n| {
        input(json!({"type": "external_select", "placeholder": plain(&chars(n))}))
    });
    limit(3000, "/element/initial_value", |n| {
        input(json!({"type": "plain_text_input", "initial_value": chars(n)}))
    });
    limit(3000, "/element/max_length", |n| input(json!({"type": "plain_text_input", "max_length": n})));
    limit(10, "/element/max_files", |n| input(json!({"type": "file_input", "max_files": n})));
}

#[test]
fn what_a_view_may_carry() {
    let view_with = |key: &str, value: Value| {
        let mut view = modal(json!([]));
        view[key] = value;
        check_view(&view, Surface::Modal, "/view").len()
    };
    for key in ["title", "submit", "close"] {
        assert_eq!((view_with(key, plain(&chars(24))), view_with(key, plain(&chars(25)))), (0, 1), "{key}");
    }
    let metadata = |n| view_with("private_metadata", json!(chars(n)));
    assert_eq!((metadata(3000), metadata(3001)), (0, 1));
    for key in ["callback_id", "external_id"] {
        assert_eq!((view_with(key, json!(chars(255))), view_with(key, json!(chars(256)))), (0, 1), "{key}");
    }
    let divider = json!({"type": "divider"});
    let blocks = |n| view_with("blocks", many(n, &divider));
    assert_eq!((blocks(100), blocks(101)), (0, 1));
    assert_eq!(view_with("colour", json!("red")), 1, "no unknown keys");
    assert_eq!(view_with("type", json!("home")), 1, "a modal is a modal");

    let home =
        |n| check_view(&json!({"type": "home", "blocks": many(n, &divider)}), Surface::Home, "/view").len();
    assert_eq!((home(100), home(101)), (0, 1));
    let message = |n: usize| check_message(&vec![divider.clone(); n]).len();
    assert_eq!((message(50), message(51)), (0, 1));
}

#[test]
fn input_needs_a_button_to_submit() {
    let mut view = modal(json!([input(json!({"type": "plain_text_input"}))]));
    assert!(check_view(&view, Surface::Modal, "/view").is_empty());
    view.as_object_mut().unwrap().remove("submit");
    let problems = check_view(&view, Surface::Modal, "/view");
    assert!(problems[0].to_string().contains("submit"), "{problems:?}");
}

#[test]
fn ids_differ() {
    let twice = json!([{"type": "divider", "block_id": "a"}, {"type": "divider", "block_id": "a"}]);
    let problems = check_view(&modal(twice), Surface::Modal, "/view");
    assert_eq!(
        problems[0].to_string(),
        r#"block_id "a" already exists [json-pointer:/view/blocks/1/block_id]"#
    );
    let button = json!({"type": "button", "text": plain("B"), "action_id": "a"});
    refused("action_id \"a\" already exists", actions(json!([button, button])));
}

#[test]
fn what_is_preselected_is_offered() {
    let select = |initial: Value| {
        input(json!({"type": "static_select", "options": [option()], "initial_option": initial}))
    };
    assert!(problems_of(select(option())).is_empty());
    let written_out = json!({"text": {"type": "plain_text", "text": "Oak", "emoji": true}, "value": "oak"});
    assert!(problems_of(select(written_out)).is_empty(), "defaults make no difference");
    refused("must be one of the provided options", select(json!({"text": plain("oak"), "value": "oak"})));
    let grouped = json!({"type": "static_select", "option_groups": [{"label": plain("G"), "options": [option()]}],
        "initial_option": option()});
    assert!(problems_of(input(grouped)).is_empty());
    refused(
        "initial_options/0",
        input(json!({"type": "checkboxes", "options": [option()],
            "initial_options": [{"text": plain("Ash"), "value": "ash"}]})),
    );
}

#[test]
fn what_is_missing_empty_or_unknown() {
    refused("must be more than 0 characters", json!({"type": "section", "text": mrkdwn("")}));
    refused("missing required field: text or fields", json!({"type": "section"}));
    refused("missing required field: text", json!({"type": "header"}));
    refused("missing required field: element", json!({"type": "input", "label": plain("L")}));
    refused("missing required field: options", input(json!({"type": "static_select"})));
    refused("unsupported type: carousel", json!({"type": "carousel"}));
    refused("unsupported type: button", input(json!({"type": "button", "text": plain("B")})));
    refused("unsupported type: plain_text_input", actions(json!([{"type": "plain_text_input"}])));
    refused("invalid additional property: colour", json!({"type": "divider", "colour": "red"}));
    refused("must be one of: plain_text", json!({"type": "header", "text": mrkdwn("x")}));
    refused("must be a text object", json!({"type": "header", "text": "x"}));
    refused("missing required field: type", json!({"text": plain("x")}));
    refused("date", input(json!({"type": "datepicker", "initial_date": "31.1.2026"})));
    refused(
        "must be a valid URL",
        actions(json!([{"type": "button", "text": plain("B"), "url": "example.org"}])),
    );
    refused("image_url or slack_file", json!({"type": "image", "alt_text": "A"}));
    refused("must not be more than max_length", {
        input(json!({"type": "plain_text_input", "min_length": 5, "max_length": 4}))
    });
    refused("no fewer than 1 items", actions(json!([])));
    refused("must be an object", json!("x"));
}

#[test]
fn only_one_element_takes_the_focus() {
    let focused = input(json!({"type": "plain_text_input", "focus_on_load": true}));
    assert_eq!(check_view(&modal(json!([focused])), Surface::Modal, "/view").len(), 0);
    assert_eq!(check_view(&modal(json!([focused, focused])), Surface::Modal, "/view").len(), 1);
}

#[test]
fn suggestions_are_options_or_groups() {
    let count = |payload: Value| check_suggestions(&payload).len();
    assert_eq!((count(json!({"options": options(100)})), count(json!({"options": options(101)}))), (0, 1));
    assert_eq!(count(json!({"options": []})), 0, "no results");
    assert_eq!(count(json!({"option_groups": [{"label": plain("G"), "options": options(1)}]})), 0);
    assert_eq!(count(json!({})), 1);
    assert_eq!(count(json!({"options": [], "option_groups": []})), 1);
}

#[test]
fn what_was_left_out_is_completed() {
    let mut blocks =
        vec![actions(json!([{"type": "button", "text": plain("B")}])), json!({"type": "divider"})];
    complete(&mut blocks, &mut Ids::new());
    assert!(blocks.iter().all(|b| b["block_id"].is_string()));
    assert!(blocks[0]["elements"][0]["action_id"].is_string());
    assert_eq!(blocks[0]["elements"][0]["text"]["emoji"], true);
}
