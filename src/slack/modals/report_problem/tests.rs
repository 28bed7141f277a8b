//! Invalid inputs of the form.

use super::*;
use crate::domain::actor::SlackUserId;
use chrono::DateTime;
use proptest::prelude::*;
use secrecy::SecretString;
use serde_json::{Map, Value};

/// Any text, often an invalid one: invisible, too long, with U+0000.
fn typed() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<String>().prop_map(Value::from),
        "[ -~]{1,40}".prop_map(Value::from),
        "[\u{0}\u{7}\n\r\u{200b} ]{0,4}a?".prop_map(Value::from),
        (150..5_000usize, any::<char>()).prop_map(|(times, c)| c.to_string().repeat(times).into()),
    ]
}

/// An input as Slack sends it: typed or chosen, or of another type than the form has there.
fn any_input(choices: &'static str) -> impl Strategy<Value = Value> {
    let chosen = prop_oneof![choices.prop_map(Value::from), typed()];
    let option = chosen.prop_map(|value| match value {
        Value::Null => Value::Null,
        value => json!({ "value": value }),
    });
    prop_oneof![
        3 => option.clone().prop_map(|option| json!({ "selected_option": option })),
        3 => typed().prop_map(|value| json!({ "value": value })),
        1 => option.prop_map(|option| match option {
            Value::Null => json!({ "selected_options": null }),
            option => json!({ "selected_options": [option] }),
        }),
        1 => Just(json!({})),
    ]
}

/// A form with some of its inputs, in blocks of any name.
fn any_state() -> impl Strategy<Value = State> {
    let inputs = [
        (input::EQUIPMENT, any_input("(0|1|7|-1|99999999999999999999|x)").boxed()),
        (input::SEVERITY, any_input("(Down|Degraded|Not Sure|down|)").boxed()),
        (input::REPORTER_NAME, any_input("x").boxed()),
        (input::DESCRIPTION, any_input("x").boxed()),
        (input::SAFETY_RISK, any_input("(safety_risk|consumable)").boxed()),
        (input::CONSUMABLE, any_input("(safety_risk|consumable)").boxed()),
    ];
    let blocks: Vec<_> = inputs
        .into_iter()
        .map(|(name, content)| {
            let block = prop::option::weighted(0.9, (".{1,4}", content));
            block.prop_map(move |block| {
                block.map(|(id, content)| (format!("{name}{id}"), json!({ name: content })))
            })
        })
        .collect();
    blocks.prop_map(|blocks| {
        let values: Map<String, Value> = blocks.into_iter().flatten().collect();
        serde_json::from_value(json!({ "values": values })).unwrap()
    })
}

proptest! {
    #[test]
    fn form_is_report_or_names_faulty_inputs(state in any_state()) {
        let request_id = RequestId::from_random([7; 16]);
        let typed = |name| state.text(name).unwrap_or_default();
        let faults: Vec<&str> = [
            (input::DESCRIPTION, Description::parse(typed(input::DESCRIPTION)).is_err()),
            (input::EQUIPMENT, state.selected(input::EQUIPMENT).is_none_or(|id| id.parse::<EquipmentId>().is_err())),
            (input::REPORTER_NAME, PersonName::parse(typed(input::REPORTER_NAME)).is_err()),
            (input::SEVERITY, state.selected(input::SEVERITY).is_none_or(|it| it.parse::<Severity>().is_err())),
        ]
        .into_iter()
        .filter_map(|(name, at_fault)| at_fault.then_some(name))
        .collect();
        match parse(&state, request_id.clone()) {
            Ok((report, photos)) => {
                prop_assert_eq!(photos.fetch.len(), 0);
                prop_assert_eq!(faults, Vec::<&str>::new());
                prop_assert_eq!(&report.request_id, &request_id);
                let (name, description) = (report.reporter_name.as_str(), report.description.as_str());
                prop_assert!((1..=PersonName::MAX).contains(&name.chars().count()));
                prop_assert!((1..=Description::MAX).contains(&description.chars().count()));
                prop_assert!(!name.chars().any(char::is_control), "{:?}", name);
                let odd = |c: char| c.is_control() && !matches!(c, '\n' | '\t');
                prop_assert!(!description.chars().any(odd), "{:?}", description);
                let ticked = |name: &str| state.ticked(name).iter().any(|it| it == name);
                prop_assert_eq!(report.safety_risk, ticked(input::SAFETY_RISK));
                prop_assert_eq!(report.consumable, ticked(input::CONSUMABLE));
            }
            Err(errors) => {
                let mut named: Vec<&str> = errors.keys().copied().collect();
                named.sort_unstable();
                prop_assert_eq!(named, faults);
                for words in errors.values() {
                    prop_assert!((1..=150).contains(&words.chars().count()), "{}", words);
                }
            }
        }
    }

    #[test]
    fn foreign_or_malformed_metadata_is_stale(kept in prop_oneof![any::<String>(), "[{}\\[\\]:,\"a-z_0-9]{0,60}"]) {
        let view: View = serde_json::from_value(json!({ "id": "V1", "private_metadata": kept })).unwrap();
        prop_assert!(matches!(Metadata::of(&view, STALE), Err(EdgeError::Unfit(STALE))));
    }
}

#[test]
fn metadata_comes_back_as_it_was_written() {
    let user = SlackUserId("U1".into());
    let url = SecretString::from("https://hooks.slack.com/commands/1");
    let to = ReplyTo { user, response_url: Some((url, DateTime::UNIX_EPOCH)) };
    let written = Metadata::new(&to, ReportMetadata::default());
    let view = json!({ "id": "V1", "private_metadata": written.to_json() });
    let read = Metadata::of(&serde_json::from_value(view).unwrap(), STALE).ok().unwrap();
    assert_eq!(read.to_json(), written.to_json());
}

#[test]
fn metadata_with_foreign_request_id_is_stale() {
    for id in ["", "short", "0123456789abcdef\u{0}", &"x".repeat(65)] {
        let kept = json!({ "request_id": id, "response_url": null, "opened_at": DateTime::UNIX_EPOCH });
        let view = json!({ "id": "V1", "private_metadata": kept.to_string() });
        assert!(Metadata::of(&serde_json::from_value(view).unwrap(), STALE).is_err(), "{id:?}");
    }
}
