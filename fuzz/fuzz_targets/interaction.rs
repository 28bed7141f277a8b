//! An interaction (a submitted form, a pressed button, a select that asks for options) through the program's
//! dispatcher, with a database: it is answered once, in the format of its kind, never with "Something went wrong". The
//! form closes if and only if its report is in the database.

#![no_main]

use esb::ops::board::equipment;
use esb::slack::envelope::{Envelope, Parsed, Source};
use esb::slack::ids::input;
use esb::slack::intake::Intake;
use esb_fuzz::{Installation, SAW, runtime};
use libfuzzer_sys::{Corpus, fuzz_target};
use serde_json::{Value, json};
use std::cell::Cell;
use std::sync::mpsc;
use tokio::runtime::Runtime;

thread_local! {
    static INSTALLATION: (Runtime, Installation, Intake) = {
        let runtime = runtime();
        let installation = runtime.block_on(Installation::new());
        let intake = installation.intake();
        (runtime, installation, intake)
    };
    static NEXT: Cell<u64> = const { Cell::new(0) };
}

/// Takes the ways out of a payload (an answer would leave through them) and makes its trigger new.
fn tame(payload: &mut Value) -> Option<()> {
    let object = payload.as_object_mut()?;
    object.remove("response_url");
    let number = NEXT.replace(NEXT.get() + 1);
    object.insert("trigger_id".into(), json!(format!("t.{number}")));
    if let Some(kept) = payload.pointer_mut("/view/private_metadata") {
        let mut metadata: Value = serde_json::from_str(kept.as_str().unwrap_or_default()).unwrap_or_default();
        if let Some(metadata) = metadata.as_object_mut() {
            metadata.insert("response_url".into(), Value::Null);
            *kept = json!(Value::from(metadata.clone()).to_string());
        }
    }
    Some(())
}

fn open_repairs(runtime: &Runtime, installation: &Installation) -> usize {
    runtime.block_on(equipment(&installation.ctx, SAW)).expect("the saw").open_count
}

fuzz_target!(|text: &str| -> Corpus {
    let Ok(mut payload) = serde_json::from_str::<Value>(text) else { return Corpus::Reject };
    if tame(&mut payload).is_none() {
        return Corpus::Reject;
    }
    let parsed = Parsed::new(Source::Interaction, payload);
    let kind = parsed.envelope.as_ref().map(Envelope::kind).ok();
    INSTALLATION.with(|(runtime, installation, intake)| {
        let before = open_repairs(runtime, installation);
        let (reply, replies) = mpsc::channel();
        let _inside = runtime.enter();
        intake.accept(None, parsed, move |payload| reply.send(payload).expect("a listener"));
        runtime.block_on(intake.idle());
        let mut answers: Vec<Option<Value>> = replies.iter().collect();
        assert_eq!(answers.len(), 1, "acknowledged {} times", answers.len());
        let answer = answers.remove(0).unwrap_or_default();
        let added = open_repairs(runtime, installation) - before;
        if kind.is_some() {
            assert!(!answer.to_string().contains("Something went wrong"), "{answer}");
        }
        match answer.get("response_action").and_then(Value::as_str) {
            Some("clear") => assert!(kind == Some("view_submission") && added <= 1, "{added} reports"),
            Some("errors") => {
                let errors = answer["errors"].as_object().expect("errors by block");
                assert!(added == 0 && !errors.is_empty());
                let known = errors.keys().all(|name| input::ALL.contains(&name.as_str()));
                assert!(known || errors.len() == 1, "an error at no input of ours: {answer}");
            }
            _ => assert_eq!(added, 0, "a report without a word"),
        }
    });
    Corpus::Keep
});
