//! Socket Mode: every envelope is acknowledged in time and handled once.

use crate::support::lines::Lines;
use crate::support::wire::{DEADLINE, Rig, Setup, command, search, submission, until};
use chrono::TimeDelta;
use esb::slack::intake::Limits;
use serde_json::{Value, json};
use std::time::Duration;

fn impatient() -> Setup {
    let limits = Limits { acknowledge: Duration::from_millis(300), ..Limits::default() };
    Setup { limits, ..Setup::default() }
}

/// The reference in what a person reads.
fn reference(text: &Value) -> &str {
    let text = text.as_str().unwrap();
    text.split("(ref ").nth(1).and_then(|rest| rest.split(')').next()).unwrap()
}

#[tokio::test]
async fn answer_goes_out_with_or_without_content() {
    let rig = Rig::start().await;
    rig.command("a", "fine");
    rig.command("b", "words");
    assert_eq!(rig.acked("a").await, None);
    assert_eq!(rig.acked("b").await, Some(json!({"text": "Done."})));
    let mut text = String::new();
    prometheus_client::encoding::text::encode(&mut text, rig.metrics.registry()).unwrap();
    let histogram = r#"esb_slack_request_duration_seconds_count{kind="command",name="/esb-report"} 2"#;
    assert!(text.contains(histogram), "{text}");
}

#[tokio::test]
async fn slow_handler_gets_fallback_without_blocking() {
    let lines = Lines::from(tracing::Level::ERROR);
    let rig = impatient().start().await;
    rig.command("slow", "hold");
    for n in 0..20 {
        rig.serves(&format!("quick-{n}")).await;
    }
    let said = rig.acked("slow").await.unwrap();
    assert_eq!(said["response_type"], "ephemeral");
    assert_eq!(lines.with(reference(&said["text"])).len(), 1);
    let slow = rig.sandbox.wire().wait_for_ack("slow", DEADLINE).await.unwrap();
    assert!(slow.latency < Duration::from_secs(3), "{:?}", slow.latency);
    rig.script.release();
    rig.intake.idle().await;
    assert_eq!(rig.sandbox.unexpected(), [""; 0], "the handler's own late answer is dropped");
    assert_eq!(Limits::default().acknowledge, Duration::from_millis(2_500));
}

#[tokio::test]
async fn panicking_handler_gets_fallback_of_its_kind() {
    let lines = Lines::from(tracing::Level::ERROR);
    let rig = Rig::start().await;
    rig.command("command", "panic");
    let said = rig.acked("command").await.unwrap();
    assert_eq!(lines.with(reference(&said["text"])).len(), 1);
    assert_eq!(lines.with("panicked: told to").len(), 1);
    assert_eq!(rig.script.acted(), ["panic"], "the acknowledgement has said so");

    assert!(rig.sandbox.wire().send_envelope(submission("submission", "panic")));
    let said = rig.acked("submission").await.unwrap();
    assert_eq!(said["response_action"], "errors");
    assert_eq!(lines.with(reference(&said["errors"]["equipment"])).len(), 1);

    assert!(rig.sandbox.wire().send_envelope(search("search", "panic")));
    assert_eq!(rig.acked("search").await, Some(json!({"options": []})));

    rig.serves("a").await;
}

#[tokio::test]
async fn forgotten_answer_is_given_too() {
    let lines = Lines::from(tracing::Level::ERROR);
    let rig = Rig::start().await;
    rig.command("a", "silent");
    let said = rig.acked("a").await.unwrap();
    rig.intake.idle().await;
    assert_eq!(lines.with("was left unanswered").len(), 1);
    assert_eq!(lines.with(reference(&said["text"])).len(), 1);
}

#[tokio::test]
async fn work_after_acknowledgement_is_bounded() {
    let lines = Lines::from(tracing::Level::ERROR);
    let limits = Limits { work: Duration::from_millis(200), ..Limits::default() };
    let rig = Setup { limits, ..Setup::default() }.start().await;
    rig.command("a", "busy");
    assert_eq!(rig.acked("a").await, None);
    tokio::time::timeout(DEADLINE, rig.intake.idle()).await.unwrap();
    assert_eq!(rig.intake.in_flight(), 0);
    assert_eq!(lines.with("took too long").len(), 1);
    rig.command("b", "panic_later");
    assert_eq!(rig.acked("b").await, None);
    tokio::time::timeout(DEADLINE, rig.intake.idle()).await.unwrap();
    assert_eq!(lines.with("panicked: told to").len(), 1);
    let acted = ["busy", "apologized for busy", "panic_later", "apologized for panic_later"];
    assert_eq!(rig.script.acted(), acted, "and the person hears of both");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn blocking_handler_gets_fallback() {
    use esb::slack::envelope::Envelope;
    use esb::slack::intake::{Dispatch, Intake, Received};
    use futures_util::future::BoxFuture;
    use std::sync::{Arc, Mutex, mpsc};

    struct Hog(Arc<Mutex<mpsc::Receiver<()>>>);
    impl Dispatch for Hog {
        fn name(&self, _: &Envelope) -> &'static str {
            "other"
        }
        fn dispatch(&self, received: Received) -> BoxFuture<'static, ()> {
            let wait = Arc::clone(&self.0);
            Box::pin(async move {
                let _ = wait.lock().unwrap().recv();
                received.ack.empty();
            })
        }
    }

    let (release, wait) = mpsc::channel();
    let hog = Arc::new(Hog(Arc::new(Mutex::new(wait))));
    let limits = Limits { acknowledge: Duration::from_millis(300), ..Limits::default() };
    let metrics = esb::metrics::Metrics::new();
    let intake = Intake::new(hog, esb::clock::Clock::system(), metrics, limits);
    let frame = esb::slack::envelope::Frame::parse(&command("a", "x").to_string()).unwrap();
    let esb::slack::envelope::Frame::Delivery(delivery) = frame else { panic!() };
    let (reply, answer) = tokio::sync::oneshot::channel();
    intake.accept(Some("a"), delivery.parsed, move |payload| reply.send(payload).unwrap());
    let said = tokio::time::timeout(DEADLINE, answer).await.unwrap().unwrap().unwrap();
    assert_eq!(said["response_type"], "ephemeral");
    release.send(()).unwrap();
    intake.idle().await;
}

#[tokio::test]
async fn same_envelope_event_or_trigger_acts_once() {
    let rig = Setup { connections: 2, ..Setup::default() }.start().await;
    rig.serves("a").await;
    for _ in 0..2 {
        assert!(rig.sandbox.wire().send_again("a"));
    }
    assert!(rig.sandbox.wire().wait_for_acks("a", 3, DEADLINE).await);

    let mut twin = command("b", "fine");
    twin["payload"]["trigger_id"] = json!("trigger-a");
    assert!(rig.sandbox.wire().send_envelope(twin));
    assert_eq!(rig.acked("b").await, None);
    assert_eq!(rig.script.acted(), ["fine"]);

    let first = rig.sandbox.event(json!({"type": "app_home_opened"})).await;
    let second = rig.sandbox.redeliver(&first, 1, "timeout").await.unwrap();
    assert!(first.outcome.is_acknowledged() && second.outcome.is_acknowledged());
    assert_eq!(rig.script.acted(), ["fine", "app_home_opened"]);

    rig.clock.advance(TimeDelta::minutes(16));
    let third = rig.sandbox.redeliver(&first, 2, "timeout").await.unwrap();
    assert!(third.outcome.is_acknowledged());
    assert_eq!(rig.script.acted().len(), 3, "forgotten after a quarter of an hour");
    assert_eq!(rig.sandbox.unexpected(), [""; 0]);
}

/// An event of this type; the same event for the same type.
fn event(envelope_id: &str, kind: &str) -> Value {
    json!({"envelope_id": envelope_id, "type": "events_api", "payload": {"team_id": "T0SANDBOX",
        "event_id": format!("Ev{kind}"), "event": {"type": kind}}})
}

impl Rig {
    /// Sends an event and waits until it is handled, or refused where it is one that holds; whether it was acknowledged.
    async fn hears(&self, envelope_id: &str, kind: &str) -> bool {
        let wire = self.sandbox.wire();
        assert!(wire.send_envelope(event(envelope_id, kind)));
        // Frames of one connection are read, and answered, in their order.
        self.serves(&format!("read-{}", wire.acks().len())).await;
        if kind != "hold" {
            self.intake.idle().await;
            self.serves(&format!("idle-{}", wire.acks().len())).await;
        }
        wire.acks().iter().any(|ack| ack.envelope_id == envelope_id)
    }

    /// How often such an event was acted upon.
    fn acts(&self, kind: &str) -> usize {
        self.script.acted().iter().filter(|acted| *acted == kind).count()
    }
}

#[tokio::test]
async fn event_that_failed_is_acted_upon_again() {
    let lines = Lines::from(tracing::Level::ERROR);
    let rig = Rig::start().await;
    for (kind, complaint) in [("withhold", None), ("panic", Some("panicked")), ("silent", Some("unanswered"))]
    {
        for (acts, envelope) in ["first", "second", "first"].into_iter().enumerate() {
            assert!(!rig.hears(&format!("{kind}-{envelope}"), kind).await, "{kind}");
            assert_eq!(rig.acts(kind), acts + 1, "{kind}");
        }
        assert_eq!(complaint.map_or(0, |words| lines.with(words).len()), complaint.map_or(0, |_| 3));
    }
    assert_eq!(lines.with("ERROR").len(), 6, "whoever withholds says why");
    assert!(rig.hears("a", "app_mention").await && rig.hears("b", "app_mention").await);
    assert_eq!(rig.acts("app_mention"), 1);
}

#[tokio::test]
async fn late_event_is_acknowledged_when_sent_again() {
    let lines = Lines::from(tracing::Level::WARN);
    let rig = impatient().start().await;
    let wire = rig.sandbox.wire();
    assert!(wire.send_envelope(event("first", "hold")));
    rig.script.wait_for(1).await;
    until(|| lines.with("is not done in time").pop()).await;
    assert!(!rig.hears("second", "hold").await, "the work still goes on");
    assert_eq!(rig.acts("hold"), 1);
    rig.script.release();
    rig.intake.idle().await;
    assert!(rig.hears("third", "hold").await, "it is done");
    assert_eq!(rig.acts("hold"), 1);
    assert!(wire.acks().iter().all(|ack| ack.envelope_id != "first"));
    assert_eq!(rig.sandbox.unexpected(), [""; 0]);
}

#[tokio::test]
async fn redelivered_event_is_handled_if_new() {
    let rig = Rig::start().await;
    let lost = json!({"envelope_id": "e", "type": "events_api", "retry_attempt": 1, "retry_reason": "timeout",
        "payload": {"team_id": "T0SANDBOX", "event_id": "Ev1", "event": {"type": "app_mention"}}});
    assert!(rig.sandbox.wire().send_envelope(lost));
    assert_eq!(rig.acked("e").await, None);
    assert_eq!(rig.script.acted(), ["app_mention"]);
}

#[tokio::test]
async fn malformed_envelope_is_acknowledged_and_logged() {
    let lines = Lines::from(tracing::Level::WARN);
    let rig = Rig::start().await;
    let wire = rig.sandbox.wire();
    let mut torn = command("torn", "fine");
    torn["payload"].as_object_mut().unwrap().remove("trigger_id");
    assert!(wire.send_envelope(torn));
    assert_eq!(rig.acked("torn").await.unwrap()["response_type"], "ephemeral");
    assert_eq!(lines.with("malformed command: missing field `trigger_id`").len(), 1);

    let mut torn = submission("torn-view", "x");
    torn["payload"]["view"]["id"] = json!({"nested": true});
    assert!(wire.send_envelope(torn));
    assert_eq!(rig.acked("torn-view").await.unwrap()["response_action"], "errors");

    assert!(wire.send_envelope(json!({"envelope_id": "new", "type": "brand_new", "payload": {}})));
    assert_eq!(rig.acked("new").await, None);
    assert_eq!(lines.with("unknown kind \"brand_new\"").len(), 1);

    for frame in ["", "not json", "[]", r#"{"type":"brand_new"}"#, &format!("{}1", "[".repeat(9_000))] {
        assert!(wire.send_text(frame));
    }
    assert!(wire.send_binary(vec![0, 159, 146, 150]));
    rig.serves("a").await;
    assert_eq!(lines.with("frame without envelope id").len(), 5);
    assert_eq!(lines.with("binary frame").len(), 1);
    assert_eq!(lines.with("WARN").len(), 9);
    assert_eq!(wire.connections().len(), 1, "none of it costs the connection");
    assert_eq!(rig.script.acted(), ["fine"]);
    assert_eq!(lines.with("hooks.slack.com").len() + lines.with("trigger-").len(), 0);
}

#[tokio::test]
async fn hostile_text_comes_through_as_it_is() {
    let rig = Rig::start().await;
    let hostile = "\"quotes\" \n <!channel> {{x}} \u{1F6A8} \u{0} ".repeat(4_000);
    assert!(hostile.len() > 100_000);
    rig.command("a", &hostile);
    assert_eq!(rig.acked("a").await, None);
    assert_eq!(rig.script.acted(), [hostile]);
}

#[tokio::test]
async fn oversized_frame_costs_only_its_connection() {
    let lines = Lines::from(tracing::Level::INFO);
    let rig = Rig::start().await;
    rig.command("big", &"x".repeat(5 * 1024 * 1024));
    rig.opened(2).await;
    assert!(!rig.closed(1).await);
    rig.serves("a").await;
    assert_eq!(lines.with("broken: Space limit exceeded").len(), 1, "{:?}", lines.with("replaced"));
    assert_eq!(rig.script.acted(), ["fine"]);
}

#[tokio::test]
async fn excess_envelope_is_answered_try_again() {
    let rig = Rig::start().await;
    for n in 0..2_000 {
        rig.command(&format!("e{n}"), "busy");
    }
    rig.script.wait_for(2_000).await;
    assert_eq!(rig.intake.in_flight(), 2_000);
    rig.command("one-more", "fine");
    let said = rig.acked("one-more").await.unwrap();
    assert!(said["text"].as_str().unwrap().contains("try again"), "{said}");
    assert!(rig.sandbox.wire().send_envelope(submission("form", "fine")));
    assert!(rig.acked("form").await.unwrap()["errors"]["equipment"].is_string());
    for n in 0..2_000 {
        assert_eq!(rig.acked(&format!("e{n}")).await, None);
    }
    let wire = rig.sandbox.wire();
    assert!(wire.send_envelope(event("event", "app_mention")));
    rig.command("behind-it", "fine");
    rig.acked("behind-it").await;
    assert!(wire.acks().iter().all(|ack| ack.envelope_id != "event"), "Slack sends it again");
    rig.script.release();
    rig.intake.idle().await;
    assert!(rig.sandbox.wire().send_again("one-more"), "it was not acted upon: it may come again");
    rig.script.wait_for(2_001).await;
    assert_eq!(rig.script.acted().last().unwrap(), "fine");
}
