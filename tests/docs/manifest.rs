//! `manifest.yaml`, and what the program makes of it for HTTP, against what the code uses and what Slack takes
//! (`manifest_rules`). It declares no more than there is.

use super::manifest_rules::faults;
use super::read;
use esb::clients::slack_api::{OPTIONAL_SCOPES, REQUIRED_SCOPES};
use esb::slack::ids::{command, event, shortcut};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::process::Command;

fn manifest() -> Value {
    serde_saphyr::from_str(&read("manifest.yaml")).unwrap()
}

/// As the program gives it to whoever has requests sent over HTTP.
fn for_http() -> Value {
    let mut esb = Command::new(env!("CARGO_BIN_EXE_esb"));
    let output = esb.args(["manifest", "--http", "https://esb.example.org"]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    serde_saphyr::from_str(&String::from_utf8(output.stdout).unwrap()).unwrap()
}

#[track_caller]
fn keys(object: &Value) -> Vec<&str> {
    object.as_object().unwrap().keys().map(String::as_str).collect()
}

fn shortcuts() -> Vec<Value> {
    manifest()["features"]["shortcuts"].as_array().unwrap().clone()
}

fn commands() -> Vec<Value> {
    manifest()["features"]["slash_commands"].as_array().unwrap().clone()
}

#[test]
fn it_has_only_the_parts_that_the_code_serves() {
    let manifest = manifest();
    assert_eq!(keys(&manifest), ["display_information", "features", "oauth_config", "settings"]);
    assert_eq!(keys(&manifest["display_information"]), ["background_color", "description", "name"]);
    assert_eq!(keys(&manifest["features"]), ["app_home", "bot_user", "shortcuts", "slash_commands"]);
    assert_eq!(keys(&manifest["features"]["bot_user"]), ["always_online", "display_name"]);
    for command in commands() {
        assert_eq!(keys(&command), ["command", "description", "should_escape", "usage_hint"]);
    }
    for shortcut in shortcuts() {
        assert_eq!(keys(&shortcut), ["callback_id", "description", "name", "type"]);
    }
    assert_eq!(keys(&manifest["oauth_config"]), ["scopes"]);
    assert_eq!(keys(&manifest["oauth_config"]["scopes"]), ["bot"]);
}

#[test]
fn it_is_for_socket_mode_with_modals_and_the_events_that_are_dispatched() {
    let expected = json!({
        "event_subscriptions": { "bot_events": event::SUBSCRIBED },
        "interactivity": { "is_enabled": true },
        "org_deploy_enabled": false,
        "socket_mode_enabled": true,
        "token_rotation_enabled": false,
    });
    assert_eq!(manifest()["settings"], expected);
}

#[test]
fn every_event_that_it_asks_for_is_dispatched_and_no_other() {
    let kind = |event: &&'static str| event.split('.').next().unwrap_or_default();
    let asked: BTreeSet<&str> = event::SUBSCRIBED.iter().map(kind).collect();
    assert_eq!(asked, event::ALL.iter().copied().collect());
}

/// What Slack wants before it sends an event to a bot (its event reference); others need no scope.
#[test]
fn it_has_the_scope_that_each_event_needs() {
    let scopes = [REQUIRED_SCOPES, OPTIONAL_SCOPES].concat();
    for event in event::SUBSCRIBED {
        let needs = match *event {
            "app_mention" => "app_mentions:read",
            // Of private channels groups:read.
            "member_joined_channel" => "channels:read",
            "message.channels" => "channels:history",
            "message.groups" => "groups:history",
            "message.im" => "im:history",
            "reaction_added" => "reactions:read",
            "user_change" => "users:read",
            "app_home_opened" => continue,
            other => panic!("which scope does {other} need?"),
        };
        assert!(scopes.contains(&needs), "{event} needs {needs}");
    }
}

#[test]
fn its_shortcuts_are_those_that_are_dispatched() {
    let shortcuts = shortcuts();
    let told = |key: &'static str| shortcuts.iter().map(move |it| it[key].as_str().unwrap());
    assert_eq!(told("callback_id").collect::<Vec<_>>(), shortcut::ALL);
    assert_eq!(told("type").collect::<Vec<_>>(), ["global", "message"]);
}

#[test]
fn people_find_the_home_tab_and_may_write_to_the_bot() {
    let expected = json!({
        "home_tab_enabled": true,
        "messages_tab_enabled": true,
        "messages_tab_read_only_enabled": false,
    });
    assert_eq!(manifest()["features"]["app_home"], expected);
}

#[test]
fn its_commands_are_those_that_are_dispatched() {
    let commands = commands();
    let names: Vec<&str> = commands.iter().map(|command| command["command"].as_str().unwrap()).collect();
    assert_eq!(names, command::ALL);
}

#[test]
fn commands_say_what_they_have_always_said() {
    let described: Vec<(String, String)> = commands()
        .iter()
        .map(|command| ["command", "description"].map(|key| command[key].as_str().unwrap().to_owned()).into())
        .collect();
    let expected = [
        ("/esb-report", "Report an equipment problem"),
        ("/esb-status", "Check equipment status (area or equipment name)"),
        ("/esb-repair", "Technician dispatcher (no args) or create a repair record (with arg)"),
        ("/esb-update", "Update a repair record (full edit)"),
    ];
    assert_eq!(described, expected.map(|(command, text)| (command.to_owned(), text.to_owned())));
}

#[test]
fn it_asks_for_just_the_scopes_that_the_code_uses() {
    let manifest = manifest();
    let asked: Vec<&str> = manifest["oauth_config"]["scopes"]["bot"]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| s.as_str().unwrap())
        .collect();
    let mut wanted = [REQUIRED_SCOPES, OPTIONAL_SCOPES].concat();
    wanted.sort_unstable();
    assert_eq!(asked, wanted);
}

#[test]
fn slack_takes_it_for_either_transport() {
    for manifest in [manifest(), for_http()] {
        assert_eq!(faults(&manifest), Vec::<String>::new());
    }
    for command in commands() {
        assert_eq!(command["should_escape"], false, "names are typed, not mentioned");
    }
}

/// So that whatever holds of the one holds of the other.
#[test]
fn over_http_it_is_the_same_with_an_address_wherever_slack_sends_to() {
    let mut over_http = for_http();
    let settings = over_http["settings"].as_object_mut().unwrap();
    assert_eq!(settings.insert("socket_mode_enabled".into(), true.into()), Some(false.into()));
    let mut addresses = vec![
        settings["event_subscriptions"].as_object_mut().unwrap().remove("request_url"),
        settings["interactivity"].as_object_mut().unwrap().remove("request_url"),
        settings["interactivity"].as_object_mut().unwrap().remove("message_menu_options_url"),
    ];
    for command in over_http["features"]["slash_commands"].as_array_mut().unwrap() {
        addresses.push(command.as_object_mut().unwrap().remove("url"));
    }
    assert_eq!(addresses, vec![Some(json!("https://esb.example.org/slack/events")); 3 + command::ALL.len()]);
    assert_eq!(over_http, manifest());
}
