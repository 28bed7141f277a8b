//! The rules for the parts of a manifest that we use: required and optional keys, and their values (Slack's
//! manifest reference and its published schema, version 2). Used by `manifest`.

use serde_json::{Value, json};
use std::collections::BTreeSet;

enum Rule {
    /// A text with a minimum and a maximum of characters.
    Text(usize, usize),
    /// `#rrggbb`.
    Color,
    /// A slash and a word, with a maximum of characters.
    Command(usize),
    /// An https address, with a maximum of characters.
    Url(usize),
    Bool,
    OneOf(&'static [&'static str]),
    /// A minimum and a maximum of items that follow a rule.
    List(usize, usize, &'static Self),
    /// A maximum of different items.
    Set(usize, &'static Self),
    /// An object with these keys and no others.
    Object(&'static [(&'static str, Presence, Self)]),
}

#[derive(PartialEq, Eq)]
enum Presence {
    Required,
    Optional,
}

use Presence::{Optional, Required};
use Rule::{Bool, Color, Command, List, Object, OneOf, Set, Text, Url};

const MANIFEST: Rule = Object(&[
    ("display_information", Required, DISPLAY),
    ("features", Optional, FEATURES),
    (
        "oauth_config",
        Optional,
        Object(&[("scopes", Optional, Object(&[("bot", Optional, List(0, 255, &Text(1, 50)))]))]),
    ),
    ("settings", Optional, SETTINGS),
]);

const DISPLAY: Rule = Object(&[
    ("name", Required, Text(1, 35)),
    ("description", Optional, Text(1, 140)),
    ("background_color", Optional, Color),
    ("long_description", Optional, Text(175, 4000)),
]);

const FEATURES: Rule = Object(&[
    (
        "app_home",
        Optional,
        Object(&[
            ("home_tab_enabled", Optional, Bool),
            ("messages_tab_enabled", Optional, Bool),
            ("messages_tab_read_only_enabled", Optional, Bool),
        ]),
    ),
    (
        "bot_user",
        Optional,
        Object(&[("display_name", Required, Text(1, 80)), ("always_online", Optional, Bool)]),
    ),
    ("shortcuts", Optional, List(1, 10, &SHORTCUT)),
    ("slash_commands", Optional, List(1, 50, &COMMAND)),
]);

const SHORTCUT: Rule = Object(&[
    ("name", Required, Text(1, 24)),
    ("type", Required, OneOf(&["global", "message"])),
    ("callback_id", Required, Text(1, 255)),
    ("description", Required, Text(1, 150)),
]);

const COMMAND: Rule = Object(&[
    ("command", Required, Command(32)),
    ("url", Optional, Url(3000)),
    ("description", Required, Text(1, 2000)),
    ("usage_hint", Optional, Text(1, 1000)),
    ("should_escape", Optional, Bool),
]);

const SETTINGS: Rule = Object(&[
    (
        "event_subscriptions",
        Optional,
        Object(&[("request_url", Optional, Url(3500)), ("bot_events", Optional, Set(100, &Text(1, 50)))]),
    ),
    (
        "interactivity",
        Optional,
        Object(&[
            ("is_enabled", Required, Bool),
            ("request_url", Optional, Url(3500)),
            ("message_menu_options_url", Optional, Url(3500)),
        ]),
    ),
    ("org_deploy_enabled", Optional, Bool),
    ("socket_mode_enabled", Optional, Bool),
    ("token_rotation_enabled", Optional, Bool),
]);

/// Violations of the rules, each with its path.
pub fn violations(manifest: &Value) -> Vec<String> {
    let mut violations = Vec::new();
    MANIFEST.check(manifest, "manifest", &mut violations);
    violations
}

impl Rule {
    fn check(&self, value: &Value, place: &str, violations: &mut Vec<String>) {
        let text = value.as_str().unwrap_or_default();
        let length = text.chars().count();
        let lowercase = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
        let is_right = match self {
            Self::Text(least, most) => (*least..=*most).contains(&length),
            Self::Color => text
                .strip_prefix('#')
                .is_some_and(|it| length == 7 && it.chars().all(|c| c.is_ascii_hexdigit())),
            Self::Command(most) => {
                (2..=*most).contains(&length)
                    && text.strip_prefix('/').is_some_and(|word| word.chars().all(lowercase))
            }
            Self::Url(most) => text.starts_with("https://") && length <= *most,
            Self::Bool => value.is_boolean(),
            Self::OneOf(words) => words.contains(&text),
            Self::List(least, most, each) => {
                let items = value.as_array();
                for (number, item) in items.into_iter().flatten().enumerate() {
                    each.check(item, &format!("{place}[{number}]"), violations);
                }
                items.is_some_and(|items| (*least..=*most).contains(&items.len()))
            }
            Self::Set(most, each) => {
                List(0, *most, each).check(value, place, violations);
                let items = value.as_array().into_iter().flatten();
                let different: BTreeSet<String> = items.clone().map(Value::to_string).collect();
                different.len() == items.count()
            }
            Self::Object(keys) => return check_keys(keys, value, place, violations),
        };
        if !is_right {
            violations.push(format!("{place}: {value}"));
        }
    }
}

fn check_keys(keys: &[(&str, Presence, Rule)], value: &Value, place: &str, violations: &mut Vec<String>) {
    let Some(object) = value.as_object() else { return violations.push(format!("{place}: {value}")) };
    for (key, presence, rule) in keys {
        let place = format!("{place}.{key}");
        match object.get(*key) {
            Some(value) => rule.check(value, &place, violations),
            None if *presence == Required => violations.push(format!("{place} is missing")),
            None => {}
        }
    }
    let unknown = object.keys().filter(|key| keys.iter().all(|(known, ..)| known != key));
    violations.extend(unknown.map(|key| format!("{place}.{key} is not known")));
}

#[test]
fn violations_are_reported_with_their_path() {
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
    assert_eq!(violations(&wrong), expected);
    assert_eq!(violations(&json!({})), ["manifest.display_information is missing"]);
}
