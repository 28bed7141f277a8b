//! Envelopes as Slack sends them, and invalid ones.

use super::*;
use proptest::prelude::*;
use secrecy::ExposeSecret;
use serde_json::json;

fn parse(frame: &Value) -> Delivery {
    match Frame::parse(&frame.to_string()) {
        Ok(Frame::Delivery(delivery)) => *delivery,
        other => panic!("{other:?}"),
    }
}

fn envelope(kind: &str, payload: Value) -> Envelope {
    let frame = json!({"envelope_id": "e1", "type": kind, "accepts_response_payload": true,
        "payload": payload, "brand_new": [1]});
    parse(&frame).parsed.envelope.unwrap()
}

fn command() -> Value {
    json!({"command": "/esb-report", "text": "saw", "user_id": "U1", "user_name": "ana",
        "channel_id": "C1", "team_id": "T1", "response_url": "https://hooks.slack.com/commands/1",
        "trigger_id": "13345224609.738474920.8088930838d88f", "is_enterprise_install": "false"})
}

fn submission() -> Value {
    let option = |value: &str| json!({"text": {"type": "plain_text", "text": "x"}, "value": value});
    json!({"type": "view_submission", "team": {"id": "T1", "domain": "shop"},
    "user": {"id": "U1", "username": "ana", "name": "ana", "team_id": "T1"},
    "trigger_id": "t.1", "response_urls": [],
    "view": {"id": "V1", "type": "modal", "callback_id": "report_problem", "hash": "156.abc",
        "private_metadata": "{\"response_url\":\"https://hooks.slack.com/x\"}",
        "blocks": [{"type": "section", "block_id": "known"}, {"type": "input", "block_id": "equipment"}],
        "state": {"values": {
            "equipment": {"equipment": {"type": "external_select", "selected_option": option("7")}},
            "description": {"description": {"type": "plain_text_input", "value": "Belt slips"}},
            "note": {"note": {"type": "plain_text_input", "value": null}},
            "severity": {"severity": {"type": "static_select", "selected_option": null}},
            "safety_risk": {"safety_risk":
                {"type": "checkboxes", "selected_options": [option("safety_risk")]}},
            "eta": {"eta": {"type": "datepicker", "selected_date": "2026-02-28"}},
            "photos": {"photos": {"type": "file_input", "files": [{"id": "F1", "name": "a.jpg"}]}},
        }}}})
}

/// An error at the first of these inputs.
fn on_inputs(ids: &[&str]) -> FallbackResponse {
    let blocks: Vec<Value> = ids.iter().map(|id| json!({"type": "input", "block_id": id})).collect();
    FallbackResponse::of(
        &Source::Interaction,
        &json!({"type": "view_submission", "view": {"blocks": blocks}}),
    )
}

#[test]
fn people_of_other_workspaces_act_on_ours() {
    let outside = |mut payload: Value| {
        (payload["team"]["id"], payload["user"]["team_id"]) = (json!("T2"), json!("T2"));
        payload
    };
    let mut submitted = outside(submission());
    submitted["view"]["team_id"] = json!("T2");
    assert!(!envelope("interactive", submitted.clone()).is_for_team("T1"), "nothing says that it is ours");
    submitted["view"]["app_installed_team_id"] = json!("T1");
    let submitted = envelope("interactive", submitted);
    assert!(submitted.is_for_team("T1") && !submitted.is_for_team("T3"));
    assert_eq!(submitted.sender().unwrap().home_team_id.as_deref(), Some("T2"));

    let event = |team: &str, authorizations: Value| {
        envelope(
            "events_api",
            json!({"team_id": team, "event_id": "Ev1", "authorizations": authorizations,
            "event": {"type": "message", "user": "U2", "user_team": "T2", "source_team": "T2"}}),
        )
    };
    let ours = json!([{"enterprise_id": null, "team_id": "T1", "is_bot": true}]);
    assert!(event("T2", ours.clone()).is_for_team("T1") && event("T1", json!(null)).is_for_team("T1"));
    for others in [json!(null), json!([]), json!([{"team_id": null}, {"team_id": "T3"}])] {
        assert!(!event("T2", others.clone()).is_for_team("T1"), "{others}");
    }
    let Envelope::Event(event) = event("T2", ours) else { panic!() };
    assert_eq!(event.sender().unwrap().home_team_id.as_deref(), Some("T2"));
}

#[test]
fn command_is_parsed_and_hides_secrets() {
    let Envelope::Command(it) = envelope("slash_commands", command()) else { panic!() };
    assert_eq!((it.command.as_str(), it.text.as_str()), ("/esb-report", "saw"));
    let mut escaped = command();
    escaped["text"] = json!("R&amp;D &lt;x&gt; &amp;lt; &quot;");
    let Envelope::Command(typed) = envelope("slash_commands", escaped) else { panic!() };
    assert_eq!(typed.text, "R&D <x> &lt; &quot;", "three signs, once");
    let sender =
        Sender { team_id: "T1".into(), home_team_id: None, user_id: "U1".into(), user_name: "ana".into() };
    assert_eq!(it.sender, sender);
    assert_eq!(it.response_url.expose_secret(), "https://hooks.slack.com/commands/1");
    assert!(!format!("{it:?}").contains("hooks"), "{it:?}");
    assert!(!format!("{it:?}").contains("13345224609"), "{it:?}");
}

#[test]
fn submission_is_parsed_with_its_state() {
    let Envelope::ViewSubmission(it) = envelope("interactive", submission()) else { panic!() };
    let state = &it.view.state;
    assert_eq!((it.view.id.as_str(), it.view.callback_id.as_str()), ("V1", "report_problem"));
    assert_eq!(state.selected("equipment"), Some("7"));
    assert_eq!(state.text("description"), Some("Belt slips"));
    assert_eq!(state.text("note"), None);
    assert_eq!(state.selected("severity"), None);
    assert_eq!(state.ticked("safety_risk"), ["safety_risk"]);
    assert_eq!(state.date("eta").unwrap().to_string(), "2026-02-28");
    let files: Vec<_> = state.files("photos").iter().map(|it| (it.id.as_str(), it.name.as_deref())).collect();
    assert_eq!(files, [("F1", Some("a.jpg"))]);
    assert!(state.get("severity").is_some() && state.get("assignee").is_none());
    assert!(!format!("{it:?}").contains("hooks"), "{it:?}");
}

#[test]
fn actions_in_messages_and_views_are_parsed() {
    let Envelope::BlockActions(it) = envelope(
        "interactive",
        json!({"type": "block_actions", "team": {"id": "T1"}, "user": {"id": "U1", "name": "ana"},
            "trigger_id": "t.2", "response_url": "https://hooks.slack.com/actions/1",
            "container": {"type": "message", "message_ts": "1.2", "channel_id": "C1", "is_ephemeral": false},
            "channel": {"id": "C1", "name": "wood"}, "message": {"ts": "1.2", "text": "Saw", "blocks": []},
            "actions": [{"type": "button", "action_id": "card_claim", "block_id": "b", "value": "42",
                "action_ts": "1.3"}]}),
    ) else {
        panic!()
    };
    let [action] = it.actions.as_slice() else { panic!() };
    assert_eq!((action.action_id.as_str(), action.input.value.as_deref()), ("card_claim", Some("42")));
    assert_eq!(it.container.message_ts.as_deref(), Some("1.2"));
    assert!(!format!("{it:?}").contains("hooks"), "{it:?}");

    let Envelope::BlockActions(it) = envelope(
        "interactive",
        json!({"type": "block_actions", "team": null, "user": {"id": "U1", "team_id": "T9"},
            "trigger_id": "t.3", "view": submission()["view"], "container": {"type": "view", "view_id": "V1"},
            "actions": [{"type": "radio_buttons", "action_id": "action", "block_id": "action",
                "selected_option": {"value": "claim"}}]}),
    ) else {
        panic!()
    };
    assert_eq!(it.sender.team_id, "T9");
    assert_eq!(it.actions[0].input.selected_option.as_deref(), Some("claim"));
    assert_eq!(it.view.unwrap().state.selected("equipment"), Some("7"));
}

#[test]
fn suggestion_and_shortcuts_are_parsed() {
    let who = |mut rest: Value| {
        rest["team"] = json!({"id": "T1"});
        rest["user"] = json!({"id": "U1"});
        envelope("interactive", rest)
    };
    let Envelope::BlockSuggestion(it) = who(json!({"type": "block_suggestion", "action_id": "equipment",
        "block_id": "equipment", "value": "sa", "view": submission()["view"]}))
    else {
        panic!()
    };
    assert_eq!((it.action_id.as_str(), it.value.as_str()), ("equipment", "sa"));
    let shortcut = who(json!({"type": "shortcut", "callback_id": "r", "trigger_id": "t"}));
    assert_eq!(shortcut.kind(), "shortcut");
    let shortcut = who(json!({"type": "message_action", "callback_id": "r", "trigger_id": "t",
        "response_url": "https://x", "channel": {"id": "C1"}, "message": {"ts": "1.2", "user": "U2"}}));
    assert!(shortcut.kind() == "message_action" && shortcut.is_for_team("T1") && !shortcut.is_for_team("T2"));
}

#[test]
fn event_and_its_retry_are_parsed() {
    let payload = json!({"team_id": "T1", "event_id": "Ev1", "type": "event_callback",
        "event": {"type": "app_home_opened", "user": "U1"}});
    let Envelope::Event(first) = envelope("events_api", payload.clone()) else { panic!() };
    assert_eq!((first.kind(), first.event_id.as_str()), ("app_home_opened", "Ev1"));
    assert_eq!(first.retry, None);
    let again = json!({"envelope_id": "e2", "type": "events_api", "payload": payload,
        "retry_attempt": 1, "retry_reason": "timeout"});
    let Envelope::Event(again) = parse(&again).parsed.envelope.unwrap() else { panic!() };
    assert_eq!(again.retry, Some(Retry { attempt: 1, reason: "timeout".into() }));
}

#[test]
fn hello_and_disconnect_need_only_their_type() {
    let hello = r#"{"type":"hello","num_connections":2,"debug_info":{"approximate_connection_time":18060}}"#;
    let Frame::Hello(hello) = Frame::parse(hello).unwrap() else { panic!() };
    assert_eq!(hello, Hello { connections: Some(2), lives_for: Some(18_060) });
    assert!(matches!(Frame::parse(r#"{"type":"hello"}"#), Ok(Frame::Hello(_))));
    for (frame, reason) in [
        (r#"{"type":"disconnect","reason":"warning"}"#, DisconnectReason::Warning),
        (r#"{"type":"disconnect","reason":"refresh_requested"}"#, DisconnectReason::RefreshRequested),
        (r#"{"type":"disconnect","reason":"link_disabled"}"#, DisconnectReason::LinkDisabled),
        (r#"{"type":"disconnect","reason":"too_many_websockets"}"#, DisconnectReason::TooManyWebsockets),
        (r#"{"type":"disconnect","reason":7}"#, DisconnectReason::Other),
        (r#"{"type":"disconnect"}"#, DisconnectReason::Other),
    ] {
        assert!(matches!(Frame::parse(frame), Ok(Frame::Disconnect(it)) if it == reason), "{frame}");
    }
}

#[test]
fn malformed_envelope_keeps_id_and_names_missing_field() {
    let mut payload = command();
    payload.as_object_mut().unwrap().remove("trigger_id");
    let delivery = parse(&json!({"envelope_id": "e1", "type": "slash_commands", "payload": payload}));
    assert_eq!(delivery.envelope_id, "e1");
    assert_eq!(delivery.parsed.fallback_response, FallbackResponse::Private);
    assert_eq!(
        delivery.parsed.envelope.unwrap_err().to_string(),
        "malformed command: missing field `trigger_id`"
    );

    let mut payload = submission();
    payload["view"]["state"]["values"]["eta"]["eta"]["selected_date"] = json!("https://hooks.slack.com/x");
    let delivery = parse(&json!({"envelope_id": "e1", "type": "interactive", "payload": payload}));
    assert_eq!(delivery.parsed.fallback_response, on_inputs(&["equipment"]));
    let words = delivery.parsed.envelope.unwrap_err().to_string();
    assert_eq!(words, "malformed view_submission: a field of a wrong type");
}

#[test]
fn unknown_kinds_keep_id_and_are_truncated() {
    for (kind, payload) in [("brand_new", json!(null)), ("interactive", json!({"type": "x".repeat(9000)}))] {
        let delivery = parse(&json!({"envelope_id": "e1", "type": kind, "payload": payload}));
        let error = delivery.parsed.envelope.unwrap_err();
        assert!(matches!(&error, EnvelopeError::Unknown(_)), "{error}");
        assert!(error.to_string().len() < 100, "{error}");
    }
}

#[test]
fn unreadable_envelope_keeps_its_id() {
    let deep = |id: &str| format!(r#"{{{id}"payload":{}{}}}"#, "[".repeat(50_000), "]".repeat(50_000));
    for frame in [
        deep(r#""envelope_id":"e1","#),
        r#"{"envelope_id":"e1","type":"slash_commands","payload":{"text":"\ud800"}}"#.to_owned(),
    ] {
        let Ok(Frame::Delivery(delivery)) = Frame::parse(&frame) else { panic!() };
        assert_eq!(delivery.envelope_id, "e1");
        assert_eq!(delivery.parsed.envelope.unwrap_err(), EnvelopeError::Unreadable);
    }
    let endless = format!(r#"{{"envelope_id":"{}","type":"slash_commands"}}"#, "e".repeat(256));
    for frame in [&deep(""), &endless, "", "null", "{", "[]", r#"{"type":"slash_commands"}"#] {
        assert!(Frame::parse(frame).is_err(), "{}", &frame[..frame.len().min(40)]);
    }
}

#[test]
fn fallback_response_matches_envelope_kind() {
    let said = |last: FallbackResponse| last.say("Sorry.");
    assert_eq!(
        said(FallbackResponse::Private),
        Some(json!({"response_type": "ephemeral", "text": ":x: Sorry."}))
    );
    assert_eq!(
        said(on_inputs(&["equipment"])),
        Some(json!({"response_action": "errors", "errors": {"equipment": "Sorry."}}))
    );
    assert_eq!(said(FallbackResponse::NoOptions), Some(json!({"options": []})));
    assert_eq!(said(FallbackResponse::Nothing), None);
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(
                "(team|user|view|id|type|envelope_id|state|values|actions|event|blocks|.{0,4})",
                inner,
                0..5
            )
            .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

/// An envelope of every kind, as Slack sends it: the frame's `type` and its payload.
fn real() -> Vec<(&'static str, Value)> {
    let interaction = |mut rest: Value| {
        rest["team"] = json!({"id": "T1"});
        rest["user"] = json!({"id": "U1", "name": "ana"});
        ("interactive", rest)
    };
    let view = submission()["view"].clone();
    vec![
        ("slash_commands", command()),
        ("interactive", submission()),
        interaction(json!({"type": "view_closed", "view": view})),
        interaction(json!({"type": "block_actions", "trigger_id": "t.1", "response_url": HOOK,
            "container": {"type": "view", "view_id": "V1"}, "view": view,
            "message": {"ts": "1.2"}, "actions": [{"action_id": "me_too", "block_id": "b", "value": "1"}]})),
        interaction(json!({"type": "block_suggestion", "action_id": "equipment", "value": "sa"})),
        interaction(json!({"type": "shortcut", "callback_id": "r", "trigger_id": "t.1"})),
        interaction(json!({"type": "message_action", "callback_id": "r", "trigger_id": "t.1",
            "response_url": HOOK, "channel": {"id": "C1"}, "message": {"ts": "1.2"}})),
        ("events_api", json!({"team_id": "T1", "event_id": "Ev1", "event": {"type": "app_home_opened"}})),
    ]
}

/// A credential for a channel.
const HOOK: &str = "https://hooks.slack.com/actions/T1/2/secret";

/// Properties of every payload with an id: it can be acknowledged, its error fits a log line and contains no input
/// except a short kind, and its fallback response has one of four forms.
fn check_delivery(delivery: &Delivery) -> Result<(), TestCaseError> {
    prop_assert_eq!(delivery.envelope_id.as_str(), "e1");
    match &delivery.parsed.envelope {
        Ok(envelope) => prop_assert!(!format!("{envelope:?}").contains("/secret"), "{:?}", envelope),
        Err(error) => {
            let words = error.to_string();
            prop_assert!(words.len() < 700 && !words.contains("/secret"), "{}", words);
            prop_assert!(!words.chars().any(char::is_control), "{:?}", words);
        }
    }
    match (&delivery.parsed.fallback_response, delivery.parsed.fallback_response.say("Sorry.")) {
        (FallbackResponse::Private, Some(said)) => prop_assert_eq!(&said["text"], ":x: Sorry."),
        (FallbackResponse::OnInputs(_), Some(said)) => {
            let errors = said["errors"].as_object().unwrap();
            prop_assert_eq!(Vec::from_iter(errors.values()), [&json!("Sorry.")]);
        }
        (FallbackResponse::NoOptions, Some(said)) => prop_assert_eq!(said, json!({"options": []})),
        (FallbackResponse::Nothing, None) => {}
        (form, said) => prop_assert!(false, "{:?} says {:?}", form, said),
    }
    Ok(())
}

#[test]
fn every_real_envelope_is_read() {
    for (kind, payload) in real() {
        let delivery = parse(&json!({"envelope_id": "e1", "type": kind, "payload": payload}));
        let expected = match kind {
            "slash_commands" => "command",
            "events_api" => "event",
            _ => payload["type"].as_str().unwrap(),
        };
        assert_eq!(delivery.parsed.envelope.unwrap().kind(), expected);
    }
}

proptest! {
    #[test]
    fn only_envelopes_with_id_are_acknowledged(mut frame in any_json(), id in proptest::option::of(any_json())) {
        if let (Some(frame), Some(id)) = (frame.as_object_mut(), id) {
            frame.insert("envelope_id".into(), id);
        }
        let about_connection = matches!(frame["type"].as_str(), Some("hello" | "disconnect"));
        let id = frame["envelope_id"].as_str().filter(|id| !about_connection && !id.is_empty());
        let acknowledged = match Frame::parse(&frame.to_string()) {
            Ok(Frame::Delivery(delivery)) => Some(delivery.envelope_id),
            _ => None,
        };
        prop_assert_eq!(acknowledged.as_deref(), id);
    }

    #[test]
    fn bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Frame::parse(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn any_payload_of_any_kind_is_acknowledged(
        kind in "(slash_commands|interactive|events_api|other)",
        inner in "(view_submission|view_closed|block_actions|block_suggestion|shortcut|message_action|x)",
        mut payload in any_json(),
    ) {
        if let Some(map) = payload.as_object_mut() {
            map.insert("type".into(), inner.into());
        }
        check_delivery(&parse(&json!({"envelope_id": "e1", "type": kind, "payload": payload})))?;
    }

    #[test]
    fn mutated_envelope_is_acknowledged(
        of in 0..8usize,
        at in any::<prop::sample::Index>(),
        part in any_json(),
        goes in any::<bool>(),
    ) {
        let (kind, mut payload) = real().swap_remove(of);
        let mut paths = Vec::new();
        pointers(&payload, String::new(), &mut paths);
        let path = at.get(&paths);
        match path.rsplit_once('/').filter(|_| goes) {
            Some((parent, name)) => {
                if let Some(parent) = payload.pointer_mut(parent).and_then(Value::as_object_mut) {
                    parent.remove(name);
                }
            }
            None => *payload.pointer_mut(path).unwrap() = part,
        }
        check_delivery(&parse(&json!({"envelope_id": "e1", "type": kind, "payload": payload})))?;
    }

    #[test]
    fn mutated_frame_is_acknowledged_while_it_is_json(
        of in 0..8usize,
        at in prop::collection::vec((any::<prop::sample::Index>(), any::<char>()), 1..4),
    ) {
        let (kind, payload) = real().swap_remove(of);
        let frame = json!({"envelope_id": "e1", "type": kind, "payload": payload}).to_string();
        let mut letters: Vec<char> = frame.chars().collect();
        for (at, letter) in at {
            *at.get_mut(&mut letters) = letter;
        }
        let frame: String = letters.into_iter().collect();
        let read: Value = serde_json::from_str(&frame).unwrap_or_default();
        match Frame::parse(&frame) {
            Ok(Frame::Delivery(delivery)) => {
                let id = read["envelope_id"].as_str().unwrap_or(&delivery.envelope_id);
                prop_assert_eq!(&delivery.envelope_id, id);
            }
            other => prop_assert!(read["envelope_id"].as_str().is_none_or(str::is_empty), "{:?}", other),
        }
    }
}

fn pointers(value: &Value, path: String, into: &mut Vec<String>) {
    match value {
        Value::Object(map) => map.iter().for_each(|(key, it)| pointers(it, format!("{path}/{key}"), into)),
        Value::Array(list) => {
            list.iter().enumerate().for_each(|(at, it)| pointers(it, format!("{path}/{at}"), into));
        }
        _ => {}
    }
    into.push(path);
}
