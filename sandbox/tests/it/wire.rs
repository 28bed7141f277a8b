//! Socket Mode by hand.

use std::time::Duration;

use esb_sandbox::{APP_TOKEN, EventFate, Fault, Options, Outcome, Sandbox};
use futures_util::{SinkExt, StreamExt};
use serde_json::json;
use tokio_tungstenite::tungstenite::Message as Frame;

use crate::app::{Caller, Link, SOON, run, start, workshop};

#[tokio::test]
async fn hello_names_the_app_and_its_connections() {
    let sandbox = start();
    let caller = Caller::new(&sandbox);
    let _first = Link::open(&caller).await;
    let mut second = Link::open_mute(&caller).await;
    let hello = second.next().await.unwrap();
    assert_eq!((&hello["type"], &hello["num_connections"]), (&json!("hello"), &json!(2)));
    assert_eq!(hello["connection_info"]["app_id"], "A0SANDBOX");
    assert!(hello["debug_info"]["approximate_connection_time"].is_u64());

    sandbox.wire().set_hello(false);
    let mut third = Link::open_mute(&caller).await;
    assert!(sandbox.wire().wait_for_connections(3, SOON).await);
    sandbox.wire().send_text(r#"{"type":"first"}"#);
    sandbox.wire().send_text(r#"{"type":"first"}"#);
    sandbox.wire().send_text(r#"{"type":"first"}"#);
    assert_eq!(third.next().await.unwrap()["type"], "first", "no hello came before");
}

#[tokio::test]
async fn ticket_works_once_and_ten_connections_at_most() {
    let sandbox = start();
    let caller = Caller::new(&sandbox);
    let url =
        caller.with_token("apps.connections.open", Some(APP_TOKEN)).await["url"].as_str().unwrap().to_owned();
    let mut links = vec![tokio_tungstenite::connect_async(&url).await.unwrap().0];
    assert!(tokio_tungstenite::connect_async(&url).await.is_err());
    assert_eq!(sandbox.unexpected().len(), 1);
    for _ in 0..9 {
        links.push(Link::open(&caller).await.0);
    }
    let refused = Link::open_mute(&caller).await.next().await.unwrap();
    assert_eq!(refused["reason"], "too_many_websockets");
    assert_eq!(sandbox.wire().open_connections(), 10);
}

#[tokio::test]
async fn envelopes_take_turns() {
    let sandbox = start();
    let caller = Caller::new(&sandbox);
    for _ in 0..2 {
        run(Link::open(&caller).await, |_| async { None });
    }
    let mut over = Vec::new();
    for _ in 0..4 {
        let outcome = sandbox.command("ana", "wood", "/x", "").await.unwrap();
        over.push(outcome.ack().unwrap().connection);
    }
    over.sort_unstable();
    assert_eq!(over, [1, 1, 2, 2]);

    sandbox.wire().disconnect(1, "refresh_requested");
    for _ in 0..3 {
        let outcome = sandbox.command("ana", "wood", "/x", "").await.unwrap();
        assert_eq!(outcome.ack().unwrap().connection, 2, "the first is being left");
    }
}

#[tokio::test]
async fn app_is_late_or_not_there() {
    let options = Options { ack_timeout: Duration::from_millis(50), ..Options::default() };
    let sandbox = Sandbox::start(workshop(), options).unwrap();
    let caller = Caller::new(&sandbox);
    assert!(matches!(sandbox.command("ana", "wood", "/x", "").await.unwrap(), Outcome::NoConnection));
    let mut link = Link::open(&caller).await;
    assert!(matches!(sandbox.command("ana", "wood", "/x", "").await.unwrap(), Outcome::TimedOut));
    let envelope = link.next().await.unwrap();
    link.ack(&envelope, None).await;
    let id = envelope["envelope_id"].as_str().unwrap();
    let late = sandbox.wire().wait_for_ack(id, SOON).await.unwrap();
    assert!(late.latency >= Duration::from_millis(50));
}

#[tokio::test]
async fn envelope_comes_again() {
    let sandbox = start();
    let caller = Caller::new(&sandbox);
    run(Link::open(&caller).await, |_| async { None });
    let event = sandbox.event(json!({"type": "app_home_opened", "tab": "home"})).await;
    assert!(event.outcome.is_acknowledged());
    assert!(sandbox.wire().send_again(&event.envelope_id));
    assert!(sandbox.wire().wait_for_acks(&event.envelope_id, 2, SOON).await);
    let again = sandbox.redeliver(&event, 1, "timeout").await.unwrap();
    assert_eq!(again.event_id, event.event_id);
    assert_ne!(again.envelope_id, event.envelope_id);
    assert!(sandbox.wire().send_envelope(json!({"envelope_id": "odd", "type": "weather", "payload": {}})));
    assert!(sandbox.wire().wait_for_ack("odd", SOON).await.is_some());
    assert_eq!(sandbox.unexpected(), Vec::<String>::new());
}

/// A Slack that soon sends again what is not acknowledged.
fn start_with_redelivery() -> Sandbox {
    let redelivery = vec![Duration::ZERO, Duration::from_millis(20), Duration::from_millis(40)];
    let options = Options { ack_timeout: Duration::from_millis(100), redelivery, ..Options::default() };
    Sandbox::start(workshop(), options).unwrap()
}

#[tokio::test]
async fn unacknowledged_event_is_sent_again() {
    let sandbox = start_with_redelivery();
    let mut link = Link::open(&Caller::new(&sandbox)).await;
    let event = sandbox.event(json!({"type": "app_home_opened", "tab": "home"})).await;
    assert!(matches!(event.outcome, Outcome::TimedOut));
    assert_eq!(sandbox.event_record(&event.event_id).unwrap().fate, EventFate::Open);
    let (first, again) = (link.next().await.unwrap(), link.next().await.unwrap());
    link.ack(&again, None).await;
    assert_eq!(first["payload"], again["payload"]);
    assert_eq!((&first["retry_attempt"], &again["retry_attempt"]), (&json!(0), &json!(1)));
    assert_ne!(first["envelope_id"], again["envelope_id"]);
    let record = sandbox.wait_for_fate(&event.event_id, SOON).await.unwrap();
    assert_eq!((record.fate, record.sent), (EventFate::Acknowledged, 2));
}

#[tokio::test]
async fn event_is_given_up_after_three_repetitions() {
    let sandbox = start_with_redelivery();
    let event = sandbox.event(json!({"type": "app_home_opened", "tab": "home"})).await;
    assert!(matches!(event.outcome, Outcome::NoConnection));
    let record = sandbox.wait_for_fate(&event.event_id, SOON).await.unwrap();
    assert_eq!((record.fate, record.sent), (EventFate::GivenUp, 4));
}

#[tokio::test]
async fn acknowledgements_that_no_app_should_send() {
    let sandbox = start();
    let caller = Caller::new(&sandbox);
    let mut link = Link::open(&caller).await;
    sandbox
        .wire()
        .send_envelope(json!({"envelope_id": "e", "type": "events_api", "accepts_response_payload": false}));
    let envelope = link.next().await.unwrap();
    link.ack(&envelope, Some(json!({"text": "x"}))).await;
    link.ack(&envelope, None).await;
    link.ack(&json!({"envelope_id": "never sent"}), None).await;
    link.0.send(Frame::text("not json")).await.unwrap();
    sandbox
        .wait_for(SOON, |s| (s.unexpected().len() == 4).then_some(()))
        .await
        .expect("four faults are noted");
}

#[tokio::test]
async fn ways_a_connection_ends() {
    let sandbox = start();
    let caller = Caller::new(&sandbox);
    let wire = sandbox.wire();

    let mut cut = Link::open(&caller).await;
    assert!(wire.cut(1));
    assert!(cut.next().await.is_none());
    assert!(wire.wait_for_connections(0, SOON).await);
    assert!(!wire.connections()[0].closed_by_app);

    let mut closed = Link::open(&caller).await;
    wire.close(2);
    assert!(matches!(closed.0.next().await, Some(Ok(Frame::Close(_)))), "a handshake, not a cut");

    let mut leaving = Link::open(&caller).await;
    leaving.0.close(None).await.unwrap();
    assert!(matches!(leaving.0.next().await, Some(Ok(Frame::Close(_)))));
    // Like Slack, the sandbox leaves TCP open after the close frame.
    sandbox.wait_for(SOON, |s| s.wire().connections()[2].closed_by_app.then_some(())).await.unwrap();
    assert!(!wire.cut(3), "it is closed");
}

#[tokio::test]
async fn frozen_connection_answers_no_ping() {
    let sandbox = start();
    let caller = Caller::new(&sandbox);
    let mut link = Link::open(&caller).await;
    link.0.send(Frame::Ping("1".into())).await.unwrap();
    assert!(matches!(link.0.next().await, Some(Ok(Frame::Pong(_)))));
    assert!(sandbox.wire().freeze(1));
    // The order may still be on its way, so the first ping after it may yet be answered.
    let silence = async {
        loop {
            link.0.send(Frame::Ping("2".into())).await.unwrap();
            if tokio::time::timeout(Duration::from_millis(100), link.0.next()).await.is_err() {
                return;
            }
        }
    };
    tokio::time::timeout(SOON, silence).await.expect("it falls silent");
    assert_eq!(sandbox.wire().open_connections(), 1, "Slack would not know either");
    sandbox.wire().cut(1);
    assert!(sandbox.wire().wait_for_connections(0, SOON).await);
}

#[tokio::test]
async fn pings_and_refusals() {
    let options = Options { ping_every: Duration::from_millis(10), ..Options::default() };
    let sandbox = Sandbox::start(workshop(), options).unwrap();
    let caller = Caller::new(&sandbox);
    run(Link::open(&caller).await, |_| async { None });
    sandbox.wait_for(SOON, |s| (s.wire().connections()[0].pongs > 0).then_some(())).await.unwrap();

    sandbox.fail_next("apps.connections.open", Fault::Error("invalid_auth"));
    assert_eq!(caller.with_token("apps.connections.open", Some(APP_TOKEN)).await["error"], "invalid_auth");
}
