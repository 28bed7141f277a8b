//! What Slack takes as a manifest, as far as ours goes: which keys there may be and must be, and what stands
//! under each (Slack's manifest reference and its published schema, version 2). Read by `manifest`.

use serde_json::{Value, json};
use std::collections::BTreeSet;

/// What stands in one place.
enum Rule {
    /// A text of so many characters.
    Text(usize, usize),
    /// `#rrggbb`.
    Colour,
    /// A slash and a word, so long together.
    Command(usize),
    /// Where Slack sends to, so long.
    Address(usize),
    Flag,
    OneOf(&'static [&'static str]),
    /// So many of these.
    List(usize, usize, &'static Self),
    /// As many, each once.
    Set(usize, &'static Self),
    /// These keys and no others.
    Part(&'static [(&'static str, Presence, Self)]),
}

#[derive(PartialEq, Eq)]
enum Presence {
    Must,
    May,
}

use Presence::{May, Must};
use Rule::{Address, Colour, Command, Flag, List, OneOf, Part, Set, Text};

const MANIFEST: Rule = Part(&[
    ("display_information", Must, DISPLAY),
    ("features", May, FEATURES),
    ("oauth_config", May, Part(&[("scopes", May, Part(&[("bot", May, List(0, 255, &Text(1, 50)))]))])),
    ("settings", May, SETTINGS),
]);

const DISPLAY: Rule = Part(&[
    ("name", Must, Text(1, 35)),
    ("description", May, Text(1, 140)),
    ("background_color", May, Colour),
    ("long_description", May, Text(175, 4000)),
]);

const FEATURES: Rule = Part(&[
    (
        "app_home",
        May,
        Part(&[
            ("home_tab_enabled", May, Flag),
            ("messages_tab_enabled", May, Flag),
            ("messages_tab_read_only_enabled", May, Flag),
        ]),
    ),
    ("bot_user", May, Part(&[("display_name", Must, Text(1, 80)), ("always_online", May, Flag)])),
    ("shortcuts", May, List(1, 10, &SHORTCUT)),
    ("slash_commands", May, List(1, 50, &COMMAND)),
]);

const SHORTCUT: Rule = Part(&[
    ("name", Must, Text(1, 24)),
    ("type", Must, OneOf(&["global", "message"])),
    ("callback_id", Must, Text(1, 255)),
    ("description", Must, Text(1, 150)),
]);

const COMMAND: Rule = Part(&[
    ("command", Must, Command(32)),
    ("url", May, Address(3000)),
    ("description", Must, Text(1, 2000)),
    ("usage_hint", May, Text(1, 1000)),
    ("should_escape", May, Flag),
]);

const SETTINGS: Rule = Part(&[
    (
        "event_subscriptions",
        May,
        Part(&[("request_url", May, Address(3500)), ("bot_events", May, Set(100, &Text(1, 50)))]),
    ),
    (
        "interactivity",
        May,
        Part(&[
            ("is_enabled", Must, Flag),
            ("request_url", May, Address(3500)),
            ("message_menu_options_url", May, Address(3500)),
        ]),
    ),
    ("org_deploy_enabled", May, Flag),
    ("socket_mode_enabled", May, Flag),
    ("token_rotation_enabled", May, Flag),
]);

/// What Slack would not take, each with its place.
pub fn faults(manifest: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    MANIFEST.hold(manifest, "manifest", &mut faults);
    faults
}

impl Rule {
    fn hold(&self, value: &Value, place: &str, faults: &mut Vec<String>) {
        let text = value.as_str().unwrap_or_default();
        let length = text.chars().count();
        let lowercase = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
        let is_right = match self {
            Self::Text(least, most) => (*least..=*most).contains(&length),
            Self::Colour => text
                .strip_prefix('#')
                .is_some_and(|it| length == 7 && it.chars().all(|c| c.is_ascii_hexdigit())),
            Self::Command(most) => {
                (2..=*most).contains(&length)
                    && text.strip_prefix('/').is_some_and(|word| word.chars().all(lowercase))
            }
            Self::Address(most) => text.starts_with("https://") && length <= *most,
            Self::Flag => value.is_boolean(),
            Self::OneOf(words) => words.contains(&text),
            Self::List(least, most, each) => {
                let items = value.as_array();
                for (number, item) in items.into_iter().flatten().enumerate() {
                    each.hold(item, &format!("{place}[{number}]"), faults);
                }
                items.is_some_and(|items| (*least..=*most).contains(&items.len()))
            }
            Self::Set(most, each) => {
                List(0, *most, each).hold(value, place, faults);
                let items = value.as_array().into_iter().flatten();
                let different: BTreeSet<String> = items.clone().map(Value::to_string).collect();
                different.len() == items.count()
            }
            Self::Part(keys) => return hold_keys(keys, value, place, faults),
        };
        if !is_right {
            faults.push(format!("{place}: {value}"));
        }
    }
}

fn hold_keys(keys: &[(&str, Presence, Rule)], value: &Value, place: &str, faults: &mut Vec<String>) {
    let Some(object) = value.as_object() else { return faults.push(format!("{place}: {value}")) };
    for (key, presence, rule) in keys {
        let place = format!("{place}.{key}");
        match object.get(*key) {
            Some(value) => rule.hold(value, &place, faults),
            None if *presence == Must => faults.push(format!("{place} is missing")),
            None => {}
        }
    }
    let unknown = object.keys().filter(|key| keys.iter().all(|(known, ..)| known != key));
    faults.extend(unknown.map(|key| format!("{place}.{key} is not known")));
}

#[test]
fn what_slack_refuses_is_found_and_placed() {
    let wrong = json!({
        "display_information": { "background_color": "1f2937", "colour": "red" },
        "features": {
            "app_home": { "home_tab_enabled": "yes" },
            "bot_user": {},
            "shortcuts": [],
            "slash_commands": [{ "command": "esb", "url": "http://esb.example.org", "description": "" }],
        },
        "oauth_config": { "scopes": { "bot": "chat:write" } },
        "settings": {
            "event_subscriptions": { "bot_events": ["app_mention", "app_mention"] },
            "interactivity": true,
        },
    });
    let expected = [
        "manifest.display_information.name is missing",
        "manifest.display_information.background_color: \"1f2937\"",
        "manifest.display_information.colour is not known",
        "manifest.features.app_home.home_tab_enabled: \"yes\"",
        "manifest.features.bot_user.display_name is missing",
        "manifest.features.shortcuts: []",
        "manifest.features.slash_commands[0].command: \"esb\"",
        "manifest.features.slash_commands[0].url: \"http://esb.example.org\"",
        "manifest.features.slash_commands[0].description: \"\"",
        "manifest.oauth_config.scopes.bot: \"chat:write\"",
        "manifest.settings.event_subscriptions.bot_events: [\"app_mention\",\"app_mention\"]",
        "manifest.settings.interactivity: true",
    ];
    assert_eq!(faults(&wrong), expected);
    assert_eq!(faults(&json!({})), ["manifest.display_information is missing"]);
}
