//! Interactive elements and their allowed fields.
//!
//! Owns: the table of elements. Must not: decide where they may be used (that is `layout`). Called by: the tables of
//! `layout`. Source: docs.slack.dev/reference/block-kit/block-elements.

use serde_json::{Map, Value};

use super::{
    complete::with_defaults,
    objects::{
        A_GROUP, A_LINK_OPTION, A_RICH_OPTION, AN_OPTION, CONFIRM, DISPATCH, FILTER, SLACK_FILE,
        options_or_groups,
    },
    rules::{Key, Problems, Rule, Shape, need, opt},
};

pub(super) const ID: Rule = Rule::Chars(1, 255);
const ACTION: Key = opt("action_id", ID);
const ASK: Key = opt("confirm", Rule::Object(&CONFIRM));
const HINT: Key = opt("placeholder", Rule::Plain(150));
const FOCUS: Key = opt("focus_on_load", Rule::Flag);
const DISPATCHES: Key = opt("dispatch_action_config", Rule::Object(&DISPATCH));
const OPTIONS: Key = opt("options", Rule::List(1, 100, &AN_OPTION));
const GROUPS: Key = opt("option_groups", Rule::List(1, 100, &A_GROUP));
const INITIAL: Key = opt("initial_option", AN_OPTION);
const INITIALS: Key = opt("initial_options", Rule::List(1, 100, &AN_OPTION));
const MOST: Key = opt("max_selected_items", Rule::Whole(1, 100));
const MIN_QUERY: Key = opt("min_query_length", Rule::Whole(0, 75));

const fn element(kind: &'static str, keys: &'static [Key]) -> Shape {
    Shape { kind, keys, also: None }
}

pub(super) static BUTTON: Shape = element(
    "button",
    &[
        need("text", Rule::Plain(75)),
        ACTION,
        opt("url", Rule::Url(3000)),
        opt("value", Rule::Chars(1, 2000)),
        opt("style", Rule::Word(&["primary", "danger"])),
        ASK,
        opt("accessibility_label", Rule::Chars(1, 75)),
    ],
);
pub(super) static STATIC_SELECT: Shape = Shape {
    also: Some(select),
    ..element("static_select", &[ACTION, HINT, OPTIONS, GROUPS, INITIAL, ASK, FOCUS])
};
pub(super) static MULTI_STATIC_SELECT: Shape = Shape {
    also: Some(select),
    ..element("multi_static_select", &[ACTION, HINT, OPTIONS, GROUPS, INITIALS, MOST, ASK, FOCUS])
};
pub(super) static EXTERNAL_SELECT: Shape =
    element("external_select", &[ACTION, HINT, INITIAL, MIN_QUERY, ASK, FOCUS]);
pub(super) static MULTI_EXTERNAL_SELECT: Shape =
    element("multi_external_select", &[ACTION, HINT, INITIALS, MIN_QUERY, MOST, ASK, FOCUS]);
pub(super) static USERS_SELECT: Shape =
    element("users_select", &[ACTION, HINT, opt("initial_user", ID), ASK, FOCUS]);
pub(super) static MULTI_USERS_SELECT: Shape = element(
    "multi_users_select",
    &[ACTION, HINT, opt("initial_users", Rule::List(1, 100, &ID)), MOST, ASK, FOCUS],
);
pub(super) static CONVERSATIONS_SELECT: Shape = element(
    "conversations_select",
    &[
        ACTION,
        HINT,
        opt("initial_conversation", ID),
        opt("default_to_current_conversation", Rule::Flag),
        opt("response_url_enabled", Rule::Flag),
        opt("filter", Rule::Object(&FILTER)),
        ASK,
        FOCUS,
    ],
);
pub(super) static CHANNELS_SELECT: Shape = element(
    "channels_select",
    &[ACTION, HINT, opt("initial_channel", ID), opt("response_url_enabled", Rule::Flag), ASK, FOCUS],
);
pub(super) static RADIO_BUTTONS: Shape = Shape {
    also: Some(initial_among_options),
    ..element(
        "radio_buttons",
        &[
            ACTION,
            need("options", Rule::List(1, 10, &A_RICH_OPTION)),
            opt("initial_option", A_RICH_OPTION),
            ASK,
            FOCUS,
        ],
    )
};
pub(super) static CHECKBOXES: Shape = Shape {
    also: Some(initial_among_options),
    ..element(
        "checkboxes",
        &[
            ACTION,
            need("options", Rule::List(1, 10, &A_RICH_OPTION)),
            opt("initial_options", Rule::List(1, 10, &A_RICH_OPTION)),
            ASK,
            FOCUS,
        ],
    )
};
pub(super) static OVERFLOW: Shape =
    element("overflow", &[ACTION, need("options", Rule::List(1, 5, &A_LINK_OPTION)), ASK]);
pub(super) static DATEPICKER: Shape =
    element("datepicker", &[ACTION, HINT, opt("initial_date", Rule::Date), ASK, FOCUS]);
pub(super) static TIMEPICKER: Shape = element(
    "timepicker",
    &[ACTION, HINT, opt("initial_time", Rule::Time), opt("timezone", Rule::Chars(1, 255)), ASK, FOCUS],
);
pub(super) static DATETIMEPICKER: Shape = element(
    "datetimepicker",
    &[ACTION, opt("initial_date_time", Rule::Whole(1_000_000_000, 9_999_999_999)), ASK, FOCUS],
);
pub(super) static PLAIN_TEXT_INPUT: Shape = Shape {
    also: Some(lengths),
    ..element(
        "plain_text_input",
        &[
            ACTION,
            HINT,
            opt("initial_value", Rule::Chars(1, 3000)),
            opt("multiline", Rule::Flag),
            opt("min_length", Rule::Whole(0, 3000)),
            opt("max_length", Rule::Whole(1, 3000)),
            DISPATCHES,
            FOCUS,
        ],
    )
};
pub(super) static EMAIL_TEXT_INPUT: Shape = element(
    "email_text_input",
    &[ACTION, HINT, opt("initial_value", Rule::Chars(1, 3000)), DISPATCHES, FOCUS],
);
pub(super) static URL_TEXT_INPUT: Shape =
    element("url_text_input", &[ACTION, HINT, opt("initial_value", Rule::Url(3000)), DISPATCHES, FOCUS]);
pub(super) static NUMBER_INPUT: Shape = element(
    "number_input",
    &[
        ACTION,
        HINT,
        need("is_decimal_allowed", Rule::Flag),
        opt("initial_value", Rule::Number),
        opt("min_value", Rule::Number),
        opt("max_value", Rule::Number),
        DISPATCHES,
        FOCUS,
    ],
);
pub(super) static FILE_INPUT: Shape = element(
    "file_input",
    &[ACTION, opt("filetypes", Rule::List(1, 100, &ID)), opt("max_files", Rule::Whole(1, 10))],
);
pub(super) static IMAGE: Shape = Shape {
    also: Some(image_source),
    ..element(
        "image",
        &[
            need("alt_text", Rule::Chars(1, 2000)),
            opt("image_url", Rule::Url(3000)),
            opt("slack_file", Rule::Object(&SLACK_FILE)),
        ],
    )
};

fn select(object: &Map<String, Value>, at: &str, problems: &mut Problems) {
    options_or_groups(object, at, problems);
    initial_among_options(object, at, problems);
}

/// A preselected option must equal one of the options exactly.
fn initial_among_options(object: &Map<String, Value>, at: &str, problems: &mut Problems) {
    let items = |value: Option<&Value>| value.and_then(Value::as_array).cloned().unwrap_or_default();
    let mut options = items(object.get("options"));
    for group in items(object.get("option_groups")) {
        options.extend(items(group.get("options")));
    }
    let options: Vec<Value> = options.iter().map(with_defaults).collect();
    let mut look = |initial: &Value, key: String| {
        if !options.contains(&with_defaults(initial)) {
            problems.add(&format!("{at}/{key}"), "must be one of the provided options");
        }
    };
    if let Some(initial) = object.get("initial_option").filter(|v| !v.is_null()) {
        look(initial, "initial_option".into());
    }
    for (n, initial) in items(object.get("initial_options")).iter().enumerate() {
        look(initial, format!("initial_options/{n}"));
    }
}

fn lengths(object: &Map<String, Value>, at: &str, problems: &mut Problems) {
    let number = |key: &str| object.get(key).and_then(Value::as_u64);
    let most = number("max_length").unwrap_or(3000);
    if number("min_length").is_some_and(|least| least > most) {
        problems.add(&format!("{at}/min_length"), "must not be more than max_length");
    }
    let initial = object.get("initial_value").and_then(Value::as_str).map_or(0, |s| s.chars().count());
    if object.contains_key("max_length") && initial as u64 > most {
        problems.add(&format!("{at}/initial_value"), "must not be longer than max_length");
    }
}

/// Requires exactly one image source.
pub(super) fn image_source(object: &Map<String, Value>, at: &str, problems: &mut Problems) {
    if object.contains_key("image_url") == object.contains_key("slack_file") {
        problems.add(at, "must have either image_url or slack_file");
    }
}
