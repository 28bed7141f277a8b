//! The parts that elements are made of: options, groups of them, confirmation dialogues.
//!
//! Owns: their limits. Must not: check elements. Called by: the tables of `elements` and `layout`.

use serde_json::{Map, Value};

use super::rules::{Problems, Rule, Shape, need, opt};

/// Slack's documents disagree on 75 or 150 characters for an option's value; the smaller limit applies here.
const OPTION_VALUE: Rule = Rule::Chars(1, 75);

static OPTION: Shape = Shape {
    kind: "",
    keys: &[need("text", Rule::Plain(75)), need("value", OPTION_VALUE), opt("description", Rule::Plain(75))],
    also: None,
};

/// An option as an item of a list.
pub(super) static AN_OPTION: Rule = Rule::Object(&OPTION);

/// Radio buttons and checkboxes may use mrkdwn.
static RICH_OPTION: Shape = Shape {
    kind: "",
    keys: &[need("text", Rule::Text(75)), need("value", OPTION_VALUE), opt("description", Rule::Text(75))],
    also: None,
};

/// A rich option as an item of a list.
pub(super) static A_RICH_OPTION: Rule = Rule::Object(&RICH_OPTION);

/// Overflow menus may have links.
static LINK_OPTION: Shape = Shape {
    kind: "",
    keys: &[
        need("text", Rule::Plain(75)),
        need("value", OPTION_VALUE),
        opt("description", Rule::Plain(75)),
        opt("url", Rule::Url(3000)),
    ],
    also: None,
};

/// A link option as an item of a list.
pub(super) static A_LINK_OPTION: Rule = Rule::Object(&LINK_OPTION);

static GROUP: Shape = Shape {
    kind: "",
    keys: &[need("label", Rule::Plain(75)), need("options", Rule::List(1, 100, &AN_OPTION))],
    also: None,
};

/// A group as an item of a list.
pub(super) static A_GROUP: Rule = Rule::Object(&GROUP);

/// A response to a `block_suggestion`: it may be empty ("no results").
pub(super) static SUGGESTIONS: Shape = Shape {
    kind: "",
    keys: &[
        opt("options", Rule::List(0, 100, &AN_OPTION)),
        opt("option_groups", Rule::List(0, 100, &A_GROUP)),
    ],
    also: Some(options_or_groups),
};

pub(super) static CONFIRM: Shape = Shape {
    kind: "",
    keys: &[
        need("title", Rule::Plain(100)),
        need("text", Rule::Text(300)),
        need("confirm", Rule::Plain(30)),
        need("deny", Rule::Plain(30)),
        opt("style", Rule::Word(&["primary", "danger"])),
    ],
    also: None,
};

pub(super) static DISPATCH: Shape = Shape {
    kind: "",
    keys: &[opt(
        "trigger_actions_on",
        Rule::List(1, 2, &Rule::Word(&["on_enter_pressed", "on_character_entered"])),
    )],
    also: None,
};

pub(super) static FILTER: Shape = Shape {
    kind: "",
    keys: &[
        opt("include", Rule::List(1, 4, &Rule::Word(&["im", "mpim", "private", "public"]))),
        opt("exclude_external_shared_channels", Rule::Flag),
        opt("exclude_bot_users", Rule::Flag),
    ],
    also: None,
};

pub(super) static SLACK_FILE: Shape =
    Shape { kind: "", keys: &[opt("id", Rule::Chars(1, 255)), opt("url", Rule::Url(3000))], also: None };

/// Requires exactly one of the two lists.
pub(super) fn options_or_groups(object: &Map<String, Value>, at: &str, problems: &mut Problems) {
    match (object.contains_key("options"), object.contains_key("option_groups")) {
        (true, true) => problems.add(at, "options and option_groups exclude each other"),
        (false, false) => problems.add(at, "missing required field: options"),
        _ => {}
    }
}
