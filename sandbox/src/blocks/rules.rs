//! The engine that interprets the tables of Block Kit.
//!
//! Owns: the rules and the text of problems. Must not: name a block or an element. Called by: `blocks`, whose tables
//! consist of rules.

use std::fmt;

use serde_json::{Map, Value};

/// One thing that Slack rejects, with a JSON pointer to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    at: String,
    text: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} [json-pointer:{}]", self.text, self.at)
    }
}

/// The problems found so far.
#[derive(Debug, Default)]
pub(super) struct Problems(Vec<Problem>);

impl Problems {
    pub(super) fn add(&mut self, at: &str, text: impl Into<String>) {
        self.0.push(Problem { at: at.into(), text: text.into() });
    }

    pub(super) fn into_list(self) -> Vec<Problem> {
        self.0
    }
}

/// The allowed values.
#[derive(Clone, Copy)]
pub(super) enum Rule {
    /// Any value, for parts that this sandbox does not check.
    Any,
    /// `true` or `false`.
    Flag,
    /// A string with a length in this range.
    Chars(usize, usize),
    /// A whole number within bounds.
    Whole(i64, i64),
    /// A number, as JSON or as the string that number inputs use.
    Number,
    /// `YYYY-MM-DD`.
    Date,
    /// `HH:MM`.
    Time,
    /// An http, https or mailto address of at most this many characters.
    Url(usize),
    Word(&'static [&'static str]),
    /// A `plain_text` object of at most this many characters.
    Plain(usize),
    /// A `plain_text` or `mrkdwn` object of at most this many characters.
    Text(usize),
    /// A list with a length in this range.
    List(usize, usize, &'static Rule),
    /// An object of one shape, without a `type`.
    Object(&'static Shape),
    /// An object whose `type` names one of these shapes.
    Typed(&'static [&'static Shape]),
}

/// A key of an object.
#[derive(Clone, Copy)]
pub(super) struct Key {
    name: &'static str,
    required: bool,
    rule: Rule,
}

/// A required key.
pub(super) const fn need(name: &'static str, rule: Rule) -> Key {
    Key { name, required: true, rule }
}

/// An optional key.
pub(super) const fn opt(name: &'static str, rule: Rule) -> Key {
    Key { name, required: false, rule }
}

/// A check of keys against each other.
pub(super) type Also = fn(&Map<String, Value>, &str, &mut Problems);

/// The keys that an object may have; any other is rejected.
pub(super) struct Shape {
    /// The value of `type`; empty for objects that have none.
    pub(super) kind: &'static str,
    pub(super) keys: &'static [Key],
    pub(super) also: Option<Also>,
}

impl Shape {
    /// Checks an object's keys; its `type` is already checked.
    pub(super) fn check_keys(&self, object: &Map<String, Value>, at: &str, problems: &mut Problems) {
        for key in self.keys {
            match object.get(key.name) {
                Some(Value::Null) if !key.required => {}
                Some(value) => key.rule.check(value, &format!("{at}/{}", key.name), problems),
                None if key.required => problems.add(at, format!("missing required field: {}", key.name)),
                None => {}
            }
        }
        let known = |name: &str| {
            (name == "type" && !self.kind.is_empty()) || self.keys.iter().any(|k| k.name == name)
        };
        for name in object.keys().filter(|name| !known(name)) {
            problems.add(at, format!("invalid additional property: {name}"));
        }
        if let Some(also) = self.also {
            also(object, at, problems);
        }
    }
}

impl Rule {
    /// Adds every problem of a value.
    pub(super) fn check(&self, value: &Value, at: &str, problems: &mut Problems) {
        match self {
            Self::Any => {}
            Self::Flag => must(value.is_boolean(), at, "must be a boolean", problems),
            Self::Chars(min, max) => check_chars(value, *min, *max, at, problems),
            Self::Whole(min, max) => {
                let fits = value.as_i64().is_some_and(|n| (*min..=*max).contains(&n));
                must(fits, at, &format!("must be a whole number from {min} to {max}"), problems);
            }
            Self::Number => must(is_number(value), at, "must be a number", problems),
            Self::Date => must(is_date(value), at, "must be a date in the form YYYY-MM-DD", problems),
            Self::Time => must(is_time(value), at, "must be a time in the form HH:MM", problems),
            Self::Url(max) => {
                check_chars(value, 1, *max, at, problems);
                let schemes = ["http://", "https://", "mailto:"];
                let is_url =
                    value.as_str().is_some_and(|s| schemes.iter().any(|scheme| s.starts_with(scheme)));
                must(is_url, at, "must be a valid URL", problems);
            }
            Self::Word(words) => {
                let known = value.as_str().is_some_and(|s| words.contains(&s));
                must(known, at, &format!("must be one of: {}", words.join(", ")), problems);
            }
            Self::Plain(max) => check_text(value, &["plain_text"], *max, at, problems),
            Self::Text(max) => check_text(value, &["plain_text", "mrkdwn"], *max, at, problems),
            Self::List(min, max, rule) => check_list(value, *min, *max, rule, at, problems),
            Self::Object(shape) => match value.as_object() {
                Some(object) => shape.check_keys(object, at, problems),
                None => problems.add(at, "must be an object"),
            },
            Self::Typed(shapes) => check_typed(value, shapes, at, problems),
        }
    }
}

fn must(holds: bool, at: &str, else_say: &str, problems: &mut Problems) {
    if !holds {
        problems.add(at, else_say);
    }
}

fn check_chars(value: &Value, min: usize, max: usize, at: &str, problems: &mut Problems) {
    let Some(text) = value.as_str() else { return problems.add(at, "must be a string") };
    let count = text.chars().count();
    if count < min {
        problems.add(at, format!("must be more than {} characters", min - 1));
    }
    if count > max {
        problems.add(at, format!("must be less than {} characters", max + 1));
    }
}

fn check_text(value: &Value, kinds: &[&str], max: usize, at: &str, problems: &mut Problems) {
    let Some(object) = value.as_object() else { return problems.add(at, "must be a text object") };
    let kind = value["type"].as_str().unwrap_or_default();
    if !kinds.contains(&kind) {
        return problems.add(&format!("{at}/type"), format!("must be one of: {}", kinds.join(", ")));
    }
    match object.get("text") {
        Some(text) => check_chars(text, 1, max, &format!("{at}/text"), problems),
        None => problems.add(at, "missing required field: text"),
    }
    let extra = if kind == "plain_text" { "emoji" } else { "verbatim" };
    for (name, value) in object.iter().filter(|(name, _)| *name != "type" && *name != "text") {
        must(name == extra, at, &format!("invalid additional property: {name}"), problems);
        must(value.is_boolean(), &format!("{at}/{name}"), "must be a boolean", problems);
    }
}

fn check_list(value: &Value, min: usize, max: usize, rule: &Rule, at: &str, problems: &mut Problems) {
    let Some(items) = value.as_array() else { return problems.add(at, "must be an array") };
    if items.len() < min {
        problems.add(at, format!("no fewer than {min} items required"));
    }
    if items.len() > max {
        problems.add(at, format!("no more than {max} items allowed"));
    }
    for (n, item) in items.iter().enumerate() {
        rule.check(item, &format!("{at}/{n}"), problems);
    }
}

fn check_typed(value: &Value, shapes: &[&Shape], at: &str, problems: &mut Problems) {
    let Some(object) = value.as_object() else { return problems.add(at, "must be an object") };
    let Some(kind) = value["type"].as_str() else { return problems.add(at, "missing required field: type") };
    match shapes.iter().find(|shape| shape.kind == kind) {
        Some(shape) => shape.check_keys(object, at, problems),
        None => problems.add(&format!("{at}/type"), format!("unsupported type: {kind}")),
    }
}

fn is_number(value: &Value) -> bool {
    value.is_number() || value.as_str().is_some_and(|s| s.parse::<f64>().is_ok())
}

pub(crate) fn is_date(value: &Value) -> bool {
    value.as_str().is_some_and(|s| s.len() == 10 && chrono::NaiveDate::parse_from_str(s, "%Y-%m-%d").is_ok())
}

pub(crate) fn is_time(value: &Value) -> bool {
    value.as_str().is_some_and(|s| s.len() == 5 && chrono::NaiveTime::parse_from_str(s, "%H:%M").is_ok())
}
