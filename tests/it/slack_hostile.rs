//! Commands and interactions that no person's Slack sends, through the program's own dispatcher: each is
//! answered once, never with a fault of ours, and a form closes if and only if its report is kept.

use crate::support::app::choose_tls;
use crate::support::ops::{TestOps, with_saw};
use esb::clients::slack_api::SlackApi;
use esb::config::{Config, Environment};
use esb::domain::ids::EquipmentId;
use esb::metrics::Metrics;
use esb::ops::board::equipment;
use esb::people::People;
use esb::render::links::Links;
use esb::render::slack::Blocks;
use esb::slack::dispatch::Dispatcher;
use esb::slack::edge::SlackEdge;
use esb::slack::envelope::{Parsed, Source};
use esb::slack::ids::{action, command, event, input, shortcut, view};
use esb::slack::intake::{Intake, Limits};
use proptest::prelude::*;
use serde_json::{Map, Value, json};
use std::cell::Cell;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, mpsc};
use tokio::runtime::{Builder, Runtime};

/// The Slack edge over a database. Without tokens no call leaves: each is refused at once.
struct Rig {
    runtime: Runtime,
    ops: TestOps,
    saw: EquipmentId,
    intake: Intake,
    triggers: AtomicU32,
}

impl Rig {
    fn new() -> Self {
        choose_tls();
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let (ops, saw) = runtime.block_on(with_saw());
        let config = Config::parse(&Environment::new()).unwrap();
        let api = SlackApi::new(&config.slack, Metrics::new()).unwrap();
        let edge = SlackEdge {
            ctx: ops.ctx.clone(),
            people: People::new(ops.store.clone(), ops.clock.clone(), api.clone()),
            api,
            blocks: Arc::new(Blocks::new().unwrap()),
            links: Links::new(None),
            summary: Arc::default(),
            identity: Arc::default(),
            conflicts: Arc::default(),
        };
        let dispatcher = Arc::new(Dispatcher::new(edge));
        let intake = Intake::new(dispatcher, ops.clock.clone(), Metrics::new(), Limits::default());
        Self { runtime, ops, saw, intake, triggers: AtomicU32::new(0) }
    }

    /// Every answer to a payload, and how many reports it left.
    fn answers(&self, source: Source, mut payload: Value) -> (Vec<Option<Value>>, usize) {
        let open = || self.runtime.block_on(equipment(&self.ops.ctx, self.saw)).unwrap().open_count;
        let before = open();
        let new = format!("t.{}", self.triggers.fetch_add(1, Ordering::Relaxed));
        (payload["trigger_id"], payload["event_id"]) = (json!(new), json!(new));
        let (reply, replies) = mpsc::channel();
        let _inside = self.runtime.enter();
        self.intake.accept(None, Parsed::new(source, payload), move |answer| reply.send(answer).unwrap());
        self.runtime.block_on(self.intake.idle());
        (replies.iter().collect(), open() - before)
    }
}

fn typed() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "(saw|[ -~]{0,30}|<!channel>|\u{0}|\n)",
        (0..4_000usize).prop_map(|n| "🪚".repeat(n))
    ]
}

fn metadata() -> impl Strategy<Value = String> {
    let ours = |id: [u8; 8]| {
        let id: String = id.iter().map(|byte| format!("{byte:02x}")).collect();
        json!({"request_id": id, "response_url": null, "opened_at": "2026-03-01T12:00:00Z"}).to_string()
    };
    prop_oneof![3 => any::<[u8; 8]>().prop_map(ours), 1 => "(1|2|0|saw|)", 1 => any::<String>()]
}

fn any_view() -> impl Strategy<Value = Value> {
    let option = |choices: &'static str| prop_oneof![4 => choices.prop_map(String::from), 1 => typed()];
    let inputs = (option("1"), option("(Down|Degraded|Not Sure)"), typed(), typed(), any::<bool>());
    let callback =
        prop_oneof![6 => Just(view::REPORT_PROBLEM), 4 => prop::sample::select(view::ALL), 1 => Just("x")];
    (callback, metadata(), inputs, prop::array::uniform6(prop::bool::weighted(0.95))).prop_map(
        |(callback, kept, inputs, there)| {
            let (machine, severity, name, description, risk) = inputs;
            let ticks: Vec<Value> = risk.then(|| json!({"value": input::SAFETY_RISK})).into_iter().collect();
            let filled = [
                (input::EQUIPMENT, json!({"selected_option": {"value": machine}})),
                (input::SEVERITY, json!({"selected_option": {"value": severity}})),
                (input::REPORTER_NAME, json!({"value": name})),
                (input::DESCRIPTION, json!({"value": description})),
                (input::SAFETY_RISK, json!({"selected_options": ticks})),
                (input::CONSUMABLE, json!({"selected_options": null})),
            ];
            let values: Map<String, Value> = filled
                .into_iter()
                .zip(there)
                .filter(|(_, there)| *there)
                .map(|((name, content), _)| (name.to_owned(), json!({ name: content })))
                .collect();
            json!({"id": "V1", "callback_id": callback, "private_metadata": kept, "state": {"values": values},
            "blocks": [{"type": "input", "block_id": input::EQUIPMENT}]})
        },
    )
}

fn any_payload() -> impl Strategy<Value = (Source, Value)> {
    let names = prop_oneof![4 => prop::sample::select(action::ALL).prop_map(String::from), 1 => typed()];
    let value = prop_oneof!["[0-9]{1,3}".prop_map(String::from), typed()];
    let who = |mut payload: Value| {
        payload["team"] = json!({"id": "T1"});
        payload["user"] = json!({"id": "U1", "name": "ana"});
        (Source::Interaction, payload)
    };
    let pressed = (any_view(), names, value).prop_map(move |(view, name, value)| {
        let option = json!({ "value": value });
        who(json!({"type": "block_actions", "view": view,
            "actions": [{"action_id": name, "value": value, "selected_option": option}]}))
    });
    let asked = typed().prop_map(move |text| {
        who(json!({"type": "block_suggestion", "action_id": input::EQUIPMENT, "value": text}))
    });
    let command = (prop::sample::select(command::ALL), typed()).prop_map(|(name, text)| {
        let payload = json!({"command": name, "text": text, "team_id": "T1", "user_id": "U1",
            "user_name": "ana", "response_url": "https://example.org/not-slack"});
        (Source::Command, payload)
    });
    let sent = any_view().prop_map(move |view| who(json!({"type": "view_submission", "view": view})));
    let used = (prop::sample::select(shortcut::ALL), typed()).prop_map(move |(name, text)| {
        who(json!({"type": "message_action", "callback_id": name, "channel": {"id": "C1"},
            "message": {"ts": "1.2", "text": text}, "response_url": "https://example.org/not-slack"}))
    });
    let words = ("(status |report |#|)", typed()).prop_map(|(word, text)| word + &text);
    let happened = (prop::sample::select(event::ALL), words).prop_map(|(kind, text)| {
        let body = json!({"type": kind, "user": "U1", "tab": "home", "channel": "D1", "channel_type": "im",
            "ts": "1.2", "text": text});
        (Source::Event(None), json!({"team_id": "T1", "event": body}))
    });
    prop_oneof![4 => sent, 3 => pressed, 1 => asked, 1 => command, 1 => used, 1 => happened]
}

#[test]
fn whatever_slack_sends_is_answered_once_and_a_form_closes_when_its_report_is_kept() {
    let rig = Rig::new();
    let kept = Cell::new(0);
    let cases = ProptestConfig::with_cases(96);
    proptest!(cases, |((source, payload) in any_payload())| {
        let is_form = payload["type"] == "view_submission";
        let (answers, added) = rig.answers(source, payload);
        prop_assert_eq!(answers.len(), 1);
        let said = answers[0].clone().unwrap_or_default();
        prop_assert!(!said.to_string().contains("Something went wrong"), "{}", said);
        match said["response_action"].as_str() {
            Some("clear") => prop_assert!(is_form && added == 1),
            Some("errors") => {
                let errors = said["errors"].as_object().unwrap();
                prop_assert!(is_form && added == 0 && !errors.is_empty());
                let ours = errors.keys().all(|name| input::ALL.contains(&name.as_str()));
                prop_assert!(ours, "{}", said);
            }
            _ => prop_assert!(!is_form && added == 0, "{}", said),
        }
        kept.set(kept.get() + added);
    });
    assert!(kept.get() > 0, "no form was right: does this law look at anything?");
}
