//! Hostile commands, interactions and technician forms are answered once; a form closes only if its report is saved.

use crate::support::app::choose_tls;
use crate::support::block_kit::faults_of_view;
use crate::support::ops::{TestOps, ana, report, user, with_saw};
use esb::clients::slack_api::SlackApi;
use esb::config::{Config, Environment};
use esb::domain::actor::{Role, SlackUserId};
use esb::domain::ids::EquipmentId;
use esb::metrics::Metrics;
use esb::ops::board::equipment;
use esb::ops::repairs::report_problem::report_problem;
use esb::people::People;
use esb::render::links::Links;
use esb::render::slack::Blocks;
use esb::slack::context::SlackContext;
use esb::slack::dispatch::Dispatcher;
use esb::slack::envelope::{Parsed, Source};
use esb::slack::ids::{action, command, event, input, shortcut, view};
use esb::slack::intake::{Intake, Limits};
use esb::store;
use esb::store::entities::{repair, timeline};
use esb::store::slack_people::SlackPerson;
use proptest::prelude::*;
use sea_orm::{EntityTrait, PaginatorTrait};
use serde_json::{Map, Value, json};
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
        let edge = SlackContext {
            ctx: ops.ctx.clone(),
            people: People::new(ops.store.clone(), ops.clock.clone(), api.clone()),
            api,
            blocks: Arc::new(Blocks::new(|| chrono::NaiveDate::MIN).unwrap()),
            links: Links::new(None),
            summary: Arc::default(),
            identity: Arc::default(),
            conflicts: Arc::default(),
        };
        let dispatcher = Arc::new(Dispatcher::new(edge));
        let intake = Intake::new(dispatcher, ops.clock.clone(), Metrics::new(), Limits::default());
        Self { runtime, ops, saw, intake, triggers: AtomicU32::new(0) }
    }

    /// The same, where whoever acts is a technician and two repairs are open.
    fn of_technicians() -> Self {
        let rig = Self::new();
        rig.runtime.block_on(async {
            let ctx = &rig.ops.ctx;
            for n in 1..=2 {
                report_problem(ctx, &ana(), report(rig.saw, n)).await.unwrap();
            }
            let technician = user(ctx, "ana", Role::Technician).await;
            store::users::link(ctx.store.write(), technician, &SlackUserId("U1".into())).await.unwrap();
            let person = SlackPerson {
                slack_user_id: "U1".into(),
                name: "Ana".into(),
                email_key: None,
                is_member: Some(true),
                asked_at: ctx.clock.now(),
            };
            store::slack_people::keep(ctx.store.write(), person).await.unwrap();
        });
        rig
    }

    /// How many repairs there are, and entries of their timelines.
    fn written(&self) -> (u64, u64) {
        let db = self.ops.store.read();
        self.runtime.block_on(async {
            let repairs = repair::Entity::find().count(db).await.unwrap();
            (repairs, timeline::Entity::find().count(db).await.unwrap())
        })
    }

    /// Every answer to a payload, and how many reports it left.
    fn answers(&self, source: Source, payload: Value) -> (Vec<Option<Value>>, usize) {
        let open = || self.runtime.block_on(equipment(&self.ops.ctx, self.saw)).unwrap().open_count;
        let before = open();
        let answers = self.answers_alone(source, payload);
        (answers, open() - before)
    }

    /// Every answer to a payload.
    fn answers_alone(&self, source: Source, mut payload: Value) -> Vec<Option<Value>> {
        let new = format!("t.{}", self.triggers.fetch_add(1, Ordering::Relaxed));
        (payload["trigger_id"], payload["event_id"]) = (json!(new), json!(new));
        let (reply, replies) = mpsc::channel();
        let _inside = self.runtime.enter();
        self.intake.accept(None, Parsed::new(source, payload), move |answer| reply.send(answer).unwrap());
        self.runtime.block_on(self.intake.idle());
        replies.iter().collect()
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
    let text = || prop_oneof![1 => "[ -~]{1,30}".prop_map(String::from), 1 => typed()];
    let inputs = (option("1"), option("(Down|Degraded|Not Sure)"), text(), text(), any::<bool>());
    let callback =
        prop_oneof![6 => Just(view::REPORT_PROBLEM), 4 => prop::sample::select(view::ALL), 1 => Just("x")];
    (callback, metadata(), inputs, prop::array::uniform6(prop::bool::weighted(0.95))).prop_map(
        |(callback, kept, inputs, there)| {
            let (equipment, severity, name, description, risk) = inputs;
            let ticks: Vec<Value> = risk.then(|| json!({"value": input::SAFETY_RISK})).into_iter().collect();
            let filled = [
                (input::EQUIPMENT, json!({"selected_option": {"value": equipment}})),
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

fn option(value: &str) -> Value {
    json!({"selected_option": {"value": value}})
}

/// A form that nothing is wrong with: machine 1 is dull, and what else its kind wants.
fn right_form(callback: &str, more: impl IntoIterator<Item = (&'static str, Value)>) -> Value {
    let filled = [(input::EQUIPMENT, option("1")), (input::DESCRIPTION, json!({"value": "Dull"}))];
    let filled = filled.into_iter().chain(more);
    let values: Map<String, Value> = filled.map(|(name, it)| (name.into(), json!({ name: it }))).collect();
    let kept =
        json!({"request_id": "ab".repeat(8), "response_url": null, "opened_at": "2026-03-01T12:00:00Z"});
    json!({"type": "view_submission", "team": {"id": "T1"}, "user": {"id": "U1", "name": "ana"},
        "view": {"id": "V1", "callback_id": callback, "private_metadata": kept.to_string(),
            "state": {"values": values}, "blocks": []}})
}

#[test]
fn hostile_payloads_are_answered_once() {
    let rig = Rig::new();
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
    });
    let more = [(input::SEVERITY, option("Down")), (input::REPORTER_NAME, json!({"value": "Ana"}))];
    let (answers, added) = rig.answers(Source::Interaction, right_form(view::REPORT_PROBLEM, more));
    let closed = vec![Some(json!({"response_action": "clear"}))];
    assert_eq!((answers, added), (closed, 1), "a form that is right is kept");
}

/// Forms for technicians alone.
const TECHNICIANS: [&str; 5] = [
    view::CHOOSE_REPAIR,
    view::ACT_ON_REPAIR,
    view::CREATE_REPAIR,
    view::UPDATE_REPAIR,
    view::RESOLVE_REPAIR,
];

/// What such a form keeps: mostly of a repair that is there.
fn kept() -> impl Strategy<Value = String> {
    let version = prop_oneof![6 => 0..6i64, 1 => any::<i64>()];
    let request = prop_oneof![9 => "[0-9a-f]{16}".prop_map(|id| {
        json!({"request_id": id, "response_url": null, "opened_at": "2026-03-01T12:00:00Z"}).to_string()
    }), 1 => metadata()];
    let ours = (request, 1..3i64, version, "(act|update)", any::<bool>(), typed());
    ours.prop_map(|(kept, repair, version, then, has_eta, note)| {
        let Ok(Value::Object(mut kept)) = serde_json::from_str(&kept) else { return kept };
        let more =
            json!({"repair": repair, "version": version, "then": then, "has_eta": has_eta, "note": note});
        kept.extend(more.as_object().cloned().unwrap_or_default());
        Value::Object(kept).to_string()
    })
}

/// What stands in an input of that name: mostly what it offers.
fn content(name: &'static str) -> BoxedStrategy<Value> {
    let option = |offered: &'static str| {
        let value = prop_oneof![12 => offered.prop_map(String::from), 1 => typed()];
        prop_oneof![9 => value.prop_map(|value| json!({"selected_option": {"value": value}})),
            1 => Just(json!({"selected_option": null}))]
        .boxed()
    };
    match name {
        input::ACTION => option("(claim|set_eta|set_status|resolve_with_note)"),
        input::STATUS => {
            option("(New|Assigned|In Progress|Parts Needed|Resolved|Closed - (Duplicate|No Issue Found))")
        }
        input::SEVERITY => option("(Down|Degraded|Not Sure)"),
        input::EQUIPMENT | input::ASSIGNEE => option("(1|1|1|1|1|1|2)"),
        input::REPAIR | input::DUPLICATE_OF => option("[1-3]"),
        input::ETA => prop::sample::select(vec![
            json!(null),
            json!("2026-03-09"),
            json!("0001-01-01"),
            json!("9999-12-31"),
        ])
        .prop_map(|date| json!({"selected_date": date}))
        .boxed(),
        input::SAFETY_RISK | input::CONSUMABLE => any::<bool>()
            .prop_map(move |ticked| {
                let ticks: Vec<Value> = ticked.then(|| json!({"value": name})).into_iter().collect();
                json!({"selected_options": ticks})
            })
            .boxed(),
        input::PHOTOS => (prop_oneof![4 => Just(0), 1 => 1..7usize], typed())
            .prop_map(|(count, word)| {
                let file = json!({"id": word, "name": word, "mimetype": word, "url_private": word});
                json!({"files": vec![file; count]})
            })
            .boxed(),
        _ => {
            prop_oneof![typed().prop_map(|text| json!({"value": text})), Just(json!({"value": null}))].boxed()
        }
    }
}

/// A technicians' form with some of all inputs, the first of which is its first one.
fn technicians_view() -> impl Strategy<Value = Value> {
    let inputs: Vec<_> = input::ALL.iter().map(|name| prop::option::weighted(0.9, content(name))).collect();
    (prop::sample::select(&TECHNICIANS[..]), kept(), inputs).prop_map(|(callback, kept, inputs)| {
        let there = input::ALL.iter().zip(inputs).filter_map(|(name, content)| Some((*name, content?)));
        let values: Map<String, Value> =
            there.map(|(name, content)| (name.to_owned(), json!({ name: content }))).collect();
        let first = values.keys().next().cloned().unwrap_or_else(|| "context".into());
        json!({"id": "V1", "callback_id": callback, "private_metadata": kept, "state": {"values": values},
            "blocks": [{"type": "input", "block_id": first}]})
    })
}

fn of_a_technician() -> impl Strategy<Value = Value> {
    let kind =
        prop_oneof![6 => Just("view_submission"), 1 => Just("block_actions"), 1 => Just("block_suggestion")];
    let names = prop_oneof![prop::sample::select(action::ALL), prop::sample::select(input::ALL)];
    (kind, technicians_view(), names, typed()).prop_map(|(kind, view, name, value)| {
        json!({"type": kind, "team": {"id": "T1"}, "user": {"id": "U1", "name": "ana"}, "view": view,
            "action_id": name, "value": value, "actions": [{"action_id": name, "value": value}]})
    })
}

#[test]
fn hostile_technician_forms_are_saved_or_refused() {
    let rig = Rig::of_technicians();
    let cases = ProptestConfig::with_cases(96);
    proptest!(cases, |(payload in of_a_technician())| {
        let (view, before) = (payload["view"].clone(), rig.written());
        let form = payload["type"].as_str().filter(|kind| *kind == "view_submission");
        let form = form.and_then(|_| view["callback_id"].as_str());
        let answers = rig.answers_alone(Source::Interaction, payload.clone());
        let after = rig.written();
        prop_assert_eq!(answers.len(), 1);
        let said = answers[0].clone().unwrap_or_default();
        prop_assert!(!said.to_string().contains("Something went wrong"), "{}", said);
        let is_new = form == Some(view::CREATE_REPAIR);
        match said["response_action"].as_str() {
            Some("clear") => {
                prop_assert!(form.is_some_and(|form| form != view::CHOOSE_REPAIR));
                prop_assert_eq!(after.0 - before.0, u64::from(is_new));
            }
            Some("errors") => {
                prop_assert!(form.is_some() && after == before);
                let errors = said["errors"].as_object().unwrap();
                let first = view["blocks"][0]["block_id"].as_str().unwrap();
                let is_there = |name: &String| name == first || view["state"]["values"].get(name).is_some();
                prop_assert!(!errors.is_empty() && errors.keys().all(is_there), "{}", said);
                let is_said = |words: &Value| words.as_str().is_some_and(|words| !words.trim().is_empty());
                prop_assert!(errors.values().all(is_said), "{}", said);
            }
            Some("push") => {
                prop_assert!(form == Some(view::CHOOSE_REPAIR) && after == before);
                prop_assert_eq!(faults_of_view(&said["view"]), Vec::<String>::new());
            }
            _ => prop_assert!(form.is_none() && after == before, "{}", said),
        }
    });
    let right = right_form(view::CREATE_REPAIR, [(input::STATUS, option("New"))]);
    let answers = rig.answers_alone(Source::Interaction, right);
    assert_eq!(answers, [Some(json!({"response_action": "clear"}))], "a form that is right is taken");
}
