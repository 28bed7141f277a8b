//! Socket Mode: shutdown finishes the envelopes in flight.

use crate::support::lines::Lines;
use crate::support::wire::{Rig, Setup, sandbox, until};
use esb_sandbox::Fault;
use serde_json::json;
use std::time::Duration;

#[tokio::test]
async fn envelopes_in_flight_are_finished_and_acknowledged() {
    let mut rig = Setup { connections: 2, ..Setup::default() }.start().await;
    for n in 0..50 {
        rig.command(&format!("e{n}"), "hold");
    }
    rig.script.wait_for(50).await;
    rig.shutdown.cancel();
    // The end has begun when a new command is sent away; an event is left for our successor.
    loop {
        let late = format!("late-{}", rig.sandbox.wire().acks().len());
        rig.command(&late, "fine");
        if let Some(said) = rig.acked(&late).await {
            assert!(said["text"].as_str().unwrap().contains("restarting"), "{said}");
            break;
        }
    }
    let event = json!({"envelope_id": "event", "type": "events_api",
        "payload": {"team_id": "T0SANDBOX", "event_id": "Ev1", "event": {"type": "app_mention"}}});
    assert!(rig.sandbox.wire().send_envelope(event));
    assert!(!rig.running.is_finished());
    rig.script.release();
    rig.stop().await;
    for n in 0..50 {
        assert_eq!(rig.acked(&format!("e{n}")).await, None);
    }
    assert!(rig.sandbox.wire().wait_for_ack("event", Duration::ZERO).await.is_none());
    assert!(rig.closed(1).await && rig.closed(2).await, "both are closed by a close frame");
    assert_eq!(rig.intake.in_flight(), 0);
    assert!(!rig.script.acted().contains(&"app_mention".to_owned()));
}

#[tokio::test]
async fn work_that_does_not_end_is_abandoned() {
    let lines = Lines::from(tracing::Level::WARN);
    let mut setup = Setup::default();
    setup.timings.drain = Duration::from_millis(200);
    let mut rig = setup.start().await;
    rig.command("a", "busy");
    assert_eq!(rig.acked("a").await, None);
    rig.stop().await;
    assert_eq!(rig.intake.in_flight(), 0);
    assert_eq!(lines.with("was abandoned at shutdown").len(), 1);
}

#[tokio::test]
async fn shutdown_works_while_connecting_fails() {
    let slack = sandbox();
    slack.fail_always("apps.connections.open", Fault::Silence);
    let mut rig = Setup { sandbox: slack, ..Setup::default() }.launch();
    until(|| (!rig.sandbox.calls("apps.connections.open").is_empty()).then_some(())).await;
    rig.stop().await;
    assert!(!rig.metrics.is_socket_connected());
}

#[tokio::test]
async fn shutdown_ignores_open_tcp() {
    let mut rig = Rig::start().await;
    rig.sandbox.wire().freeze(1);
    let began = std::time::Instant::now();
    rig.stop().await;
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
}
