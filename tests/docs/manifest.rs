//! `manifest.yaml`, and the manifest that the program generates for HTTP, declare exactly what the code uses
//! and are valid for Slack (`manifest_rules`).

use super::manifest_rules::violations;
use super::read;
use esb::clients::slack_api::{OPTIONAL_SCOPES, REQUIRED_SCOPES};
use esb::slack::ids::{command, event, shortcut};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::process::Command;

fn manifest() -> Value {
    serde_saphyr::from_str(&read("manifest.yaml")).unwrap()
}

/// The manifest that the program generates for requests over HTTP.
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
fn manifest_has_only_parts_that_code_serves() {
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
fn settings_are_socket_mode_interactivity_and_events() {
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
fn subscribed_events_are_the_dispatched_ones() {
    let kind = |event: &&'static str| event.split('.').next().unwrap_or_default();
    let asked: BTreeSet<&str> = event::SUBSCRIBED.iter().map(kind).collect();
    assert_eq!(asked, event::ALL.iter().copied().collect());
}

/// The scope that Slack requires for each event (Slack's event reference).
#[test]
fn each_event_has_its_scope() {
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
fn shortcuts_are_the_dispatched_ones() {
    let shortcuts = shortcuts();
    let values = |key: &'static str| shortcuts.iter().map(move |it| it[key].as_str().unwrap());
    assert_eq!(values("callback_id").collect::<Vec<_>>(), shortcut::ALL);
    assert_eq!(values("type").collect::<Vec<_>>(), ["global", "message"]);
}

#[test]
fn home_and_messages_tabs_are_enabled() {
    let expected = json!({
        "home_tab_enabled": true,
        "messages_tab_enabled": true,
        "messages_tab_read_only_enabled": false,
    });
    assert_eq!(manifest()["features"]["app_home"], expected);
}

#[test]
fn commands_are_the_dispatched_ones() {
    let commands = commands();
    let names: Vec<&str> = commands.iter().map(|command| command["command"].as_str().unwrap()).collect();
    assert_eq!(names, command::ALL);
}

#[test]
fn command_descriptions_are_stable() {
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
fn scopes_are_the_used_ones() {
    let manifest = manifest();
    let requested: Vec<&str> = manifest["oauth_config"]["scopes"]["bot"]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| s.as_str().unwrap())
        .collect();
    let mut used = [REQUIRED_SCOPES, OPTIONAL_SCOPES].concat();
    used.sort_unstable();
    assert_eq!(requested, used);
}

#[test]
fn manifest_is_valid_for_both_transports() {
    for manifest in [manifest(), for_http()] {
        assert_eq!(violations(&manifest), Vec::<String>::new());
    }
    for command in commands() {
        assert_eq!(command["should_escape"], false, "names are typed, not mentioned");
    }
}

/// So that the other tests cover both transports.
#[test]
fn http_manifest_differs_only_in_addresses() {
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
