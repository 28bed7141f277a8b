//! A Socket Mode frame, from its text to its acknowledgement: every frame with an `envelope_id` is acknowledged once,
//! an invalid one gets no answer that looks like success, and no `Debug` output has a secret.

#![no_main]

use esb::clock::Clock;
use esb::slack::envelope::{Envelope, Frame};
use esb::slack::intake::{Dispatch, Intake, Received};
use esb_fuzz::{intake, runtime};
use libfuzzer_sys::fuzz_target;
use serde_json::{Value, json};
use std::sync::{Arc, LazyLock, mpsc};
use tokio::runtime::Runtime;

/// Answers everything with the kind that it was taken for.
struct Echo;

impl Dispatch for Echo {
    fn name(&self, _: &Envelope) -> &'static str {
        "other"
    }

    fn dispatch(&self, received: Received) -> std::pin::Pin<Box<dyn Future<Output = ()> + Send>> {
        let kind = received.envelope.kind();
        Box::pin(async move { received.ack.with(json!({ "kind": kind })) })
    }
}

static INSTALLATION: LazyLock<(Runtime, Intake)> = LazyLock::new(|| {
    let clock = Clock::manual("2026-03-01T12:00:00Z".parse().expect("a time"));
    (runtime(), intake(Arc::new(Echo), clock))
});

/// The id that Slack waits for, where the frame is JSON and not about the connection.
fn expected_id(text: &str) -> Option<String> {
    let frame: Value = serde_json::from_str(text).ok()?;
    let about_connection = matches!(frame.get("type").and_then(Value::as_str), Some("hello" | "disconnect"));
    let id = frame.get("envelope_id")?.as_str()?;
    (!about_connection && (1..=255).contains(&id.len())).then(|| id.to_owned())
}

/// A placeholder for all secrets.
const SECRET: &str = "hunter2-7c1e";

/// The frame with [`SECRET`] in the places of secrets and nowhere else.
fn planted(text: &str) -> Option<String> {
    let mut frame: Value = serde_json::from_str(&text.replace(SECRET, "")).ok()?;
    let places = ["response_url", "trigger_id", "view/private_metadata", "response_urls/0/response_url"];
    for place in places {
        if let Some(secret) = frame.pointer_mut(&format!("/payload/{place}")).filter(|it| it.is_string()) {
            *secret = json!(SECRET);
        }
    }
    Some(frame.to_string())
}

fuzz_target!(|text: &str| {
    if let Some(Ok(frame)) = planted(text).as_deref().map(Frame::parse) {
        let shown = format!("{frame:?}");
        assert!(!shown.contains(SECRET), "{shown}");
    }
    let expected = expected_id(text);
    let frame = Frame::parse(text);
    let Ok(Frame::Delivery(delivery)) = frame else {
        assert_eq!(expected, None, "a frame with an id is not acknowledged");
        return;
    };
    if let Some(expected) = expected {
        assert_eq!(delivery.envelope_id, expected);
    }
    if let Err(error) = &delivery.parsed.envelope {
        let words = error.to_string();
        assert!(words.len() < 700 && !words.chars().any(char::is_control), "not for a log line: {words}");
    }
    let readable = delivery.parsed.envelope.is_ok();
    let (runtime, intake) = &*INSTALLATION;
    let (reply, replies) = mpsc::channel();
    let _inside = runtime.enter();
    // Without a delivery id: mutations of one seed share theirs, and each shall be acted upon.
    intake.accept(None, delivery.parsed, move |payload| reply.send(payload).expect("a listener"));
    runtime.block_on(intake.idle());
    let answers: Vec<Option<Value>> = replies.iter().collect();
    assert_eq!(answers.len(), 1, "acknowledged {} times", answers.len());
    let acted = answers[0].as_ref().is_some_and(|answer| answer.get("kind").is_some());
    assert!(readable || !acted, "acted upon what cannot be read");
});
