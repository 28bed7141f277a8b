//! Layout blocks: their allowed fields and elements.
//!
//! Owns: the table of blocks. Must not: compare several blocks (that is `whole`).
//! Called by: `blocks`. Source: docs.slack.dev/reference/block-kit/blocks.

use serde_json::{Map, Value};

use super::{
    elements::{self as e, ID},
    objects::SLACK_FILE,
    rules::{Key, Problems, Rule, Shape, need, opt},
};

const BLOCK_ID: Key = opt("block_id", ID);

const fn block(kind: &'static str, keys: &'static [Key]) -> Shape {
    Shape { kind, keys, also: None }
}

static IN_SECTION: &[&Shape] = &[
    &e::BUTTON,
    &e::STATIC_SELECT,
    &e::MULTI_STATIC_SELECT,
    &e::EXTERNAL_SELECT,
    &e::MULTI_EXTERNAL_SELECT,
    &e::USERS_SELECT,
    &e::MULTI_USERS_SELECT,
    &e::CONVERSATIONS_SELECT,
    &e::CHANNELS_SELECT,
    &e::RADIO_BUTTONS,
    &e::CHECKBOXES,
    &e::OVERFLOW,
    &e::DATEPICKER,
    &e::TIMEPICKER,
    &e::IMAGE,
];

static IN_ACTIONS: &[&Shape] = &[
    &e::BUTTON,
    &e::STATIC_SELECT,
    &e::EXTERNAL_SELECT,
    &e::USERS_SELECT,
    &e::CONVERSATIONS_SELECT,
    &e::CHANNELS_SELECT,
    &e::RADIO_BUTTONS,
    &e::CHECKBOXES,
    &e::OVERFLOW,
    &e::DATEPICKER,
    &e::TIMEPICKER,
    &e::DATETIMEPICKER,
];

static IN_INPUT: &[&Shape] = &[
    &e::PLAIN_TEXT_INPUT,
    &e::EMAIL_TEXT_INPUT,
    &e::URL_TEXT_INPUT,
    &e::NUMBER_INPUT,
    &e::STATIC_SELECT,
    &e::MULTI_STATIC_SELECT,
    &e::EXTERNAL_SELECT,
    &e::MULTI_EXTERNAL_SELECT,
    &e::USERS_SELECT,
    &e::MULTI_USERS_SELECT,
    &e::CONVERSATIONS_SELECT,
    &e::CHANNELS_SELECT,
    &e::RADIO_BUTTONS,
    &e::CHECKBOXES,
    &e::DATEPICKER,
    &e::TIMEPICKER,
    &e::DATETIMEPICKER,
    &e::FILE_INPUT,
];

static PLAIN: Shape = block("plain_text", &[need("text", Rule::Chars(1, 3000)), opt("emoji", Rule::Flag)]);
static MRKDWN: Shape = block("mrkdwn", &[need("text", Rule::Chars(1, 3000)), opt("verbatim", Rule::Flag)]);

static SECTION: Shape = Shape {
    also: Some(text_or_fields),
    ..block(
        "section",
        &[
            BLOCK_ID,
            opt("text", Rule::Text(3000)),
            opt("fields", Rule::List(1, 10, &Rule::Text(2000))),
            opt("accessory", Rule::Typed(IN_SECTION)),
            opt("expand", Rule::Flag),
        ],
    )
};
static HEADER: Shape = block("header", &[BLOCK_ID, need("text", Rule::Plain(150))]);
static DIVIDER: Shape = block("divider", &[BLOCK_ID]);
static CONTEXT: Shape = block(
    "context",
    &[BLOCK_ID, need("elements", Rule::List(1, 10, &Rule::Typed(&[&PLAIN, &MRKDWN, &e::IMAGE])))],
);
static ACTIONS: Shape =
    block("actions", &[BLOCK_ID, need("elements", Rule::List(1, 25, &Rule::Typed(IN_ACTIONS)))]);
static INPUT: Shape = block(
    "input",
    &[
        BLOCK_ID,
        need("label", Rule::Plain(2000)),
        need("element", Rule::Typed(IN_INPUT)),
        opt("dispatch_action", Rule::Flag),
        opt("hint", Rule::Plain(2000)),
        opt("optional", Rule::Flag),
    ],
);
static IMAGE: Shape = Shape {
    also: Some(e::image_source),
    ..block(
        "image",
        &[
            BLOCK_ID,
            need("alt_text", Rule::Chars(1, 2000)),
            opt("image_url", Rule::Url(3000)),
            opt("slack_file", Rule::Object(&SLACK_FILE)),
            opt("title", Rule::Plain(2000)),
        ],
    )
};
static RICH_TEXT: Shape = block("rich_text", &[BLOCK_ID, need("elements", Rule::List(1, 1000, &Rule::Any))]);
static MARKDOWN: Shape = block("markdown", &[BLOCK_ID, need("text", Rule::Chars(1, 12_000))]);

/// Blocks of messages.
pub(super) static MESSAGE: &[&Shape] =
    &[&SECTION, &HEADER, &DIVIDER, &CONTEXT, &ACTIONS, &INPUT, &IMAGE, &RICH_TEXT, &MARKDOWN];
/// Blocks of modals and Home tabs.
pub(super) static VIEW: &[&Shape] =
    &[&SECTION, &HEADER, &DIVIDER, &CONTEXT, &ACTIONS, &INPUT, &IMAGE, &RICH_TEXT];

fn text_or_fields(object: &Map<String, Value>, at: &str, problems: &mut Problems) {
    if !object.contains_key("text") && !object.contains_key("fields") {
        problems.add(at, "missing required field: text or fields");
    }
}
