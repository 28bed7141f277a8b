//! Block Kit as Slack enforces it.
//!
//! Owns: what a message, a modal and a Home tab may contain. Must not: depend on who sent it, or store it. Called by:
//! `api` for the content of calls, `act` for the content of acknowledgements.
//!
//! The limits are tables (`layout`, `elements`, `objects`) interpreted by one engine (`rules`); checks across blocks
//! are in `whole`. Source: docs.slack.dev/reference/block-kit and /reference/views.

mod complete;
mod elements;
mod layout;
mod objects;
mod rules;
#[cfg(test)]
mod tests;
mod whole;

use serde_json::{Map, Value};

pub(crate) use complete::{complete, with_defaults};
use rules::{Key, Problems, Rule, Shape, need, opt};
pub(crate) use rules::{Problem, is_date, is_time};

/// Where blocks are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Surface {
    Modal,
    Home,
}

static MESSAGE_BLOCKS: Rule = Rule::List(0, 50, &Rule::Typed(layout::MESSAGE));
static IN_VIEW: Rule = Rule::Typed(layout::VIEW);
const VIEW_BLOCKS: Key = need("blocks", Rule::List(0, 100, &IN_VIEW));

static MODAL: Shape = Shape {
    kind: "modal",
    keys: &[
        need("title", Rule::Plain(24)),
        VIEW_BLOCKS,
        opt("submit", Rule::Plain(24)),
        opt("close", Rule::Plain(24)),
        opt("clear_on_close", Rule::Flag),
        opt("notify_on_close", Rule::Flag),
        opt("submit_disabled", Rule::Flag),
        COMMON[0],
        COMMON[1],
        COMMON[2],
    ],
    also: None,
};

static A_MODAL: Rule = Rule::Typed(&[&MODAL]);

static HOME: Shape =
    Shape { kind: "home", keys: &[VIEW_BLOCKS, COMMON[0], COMMON[1], COMMON[2]], also: None };

static A_HOME: Rule = Rule::Typed(&[&HOME]);

/// Fields of every kind of view. Empty ones are accepted: Slack itself returns absent ones as empty.
const COMMON: [Key; 3] = [
    opt("private_metadata", Rule::Chars(0, 3000)),
    opt("callback_id", Rule::Chars(0, 255)),
    opt("external_id", Rule::Chars(0, 255)),
];

pub(crate) fn check_message(blocks: &[Value]) -> Vec<Problem> {
    let mut problems = Problems::default();
    MESSAGE_BLOCKS.check(&Value::Array(blocks.to_vec()), "/blocks", &mut problems);
    whole::check(blocks, "/blocks", &mut problems);
    problems.into_list()
}

/// Checks a view; `at` is its JSON pointer in the call, such as `/view`.
pub(crate) fn check_view(view: &Value, surface: Surface, at: &str) -> Vec<Problem> {
    let mut problems = Problems::default();
    let rule = match surface {
        Surface::Modal => &A_MODAL,
        Surface::Home => &A_HOME,
    };
    rule.check(view, at, &mut problems);
    let blocks = view["blocks"].as_array().map_or(&[][..], Vec::as_slice);
    whole::check(blocks, &format!("{at}/blocks"), &mut problems);
    if surface == Surface::Modal {
        whole::check_submit(view, at, &mut problems);
    }
    problems.into_list()
}

/// Checks the response to a `block_suggestion`: options, or groups of them, but not both.
pub(crate) fn check_suggestions(payload: &Value) -> Vec<Problem> {
    let mut problems = Problems::default();
    objects::SUGGESTIONS.check_keys(payload.as_object().unwrap_or(&Map::new()), "", &mut problems);
    problems.into_list()
}
