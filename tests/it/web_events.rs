//! Boards update themselves when any process changes something, and listeners are limited.

use crate::support::app::{DEADLINE, TestApp, only};
use crate::support::events::Listener;
use crate::support::lines::Lines;
use crate::support::ops::{ana, empty, poll_revisions, report, with_saw};
use crate::support::web::serving;
use esb::ops::board::revision;
use esb::ops::repairs::report_problem::report_problem;
use http::{Method, StatusCode};
use std::time::Duration;
use tokio::time::timeout;

#[tokio::test]
async fn report_reaches_listeners_of_other_process() {
    let (app, saw) = TestApp::with_saw().await;
    let other = app.another_process().await;
    let mut listeners = [Listener::at(&app.web).await, Listener::at(&other.web).await];
    let before = revision(&app.app.ctx).await.unwrap();
    for listener in &mut listeners {
        listener.until(before).await;
    }
    assert!(!other.web.get("/").await.text().contains("Blade wobbles"));
    report_problem(&app.app.ctx, &ana(), report(saw, 1)).await.unwrap();
    for (listener, web) in listeners.iter_mut().zip([&app.web, &other.web]) {
        assert_eq!(listener.next().await, Some(before + 1));
        assert!(web.get("/").await.text().contains("Blade wobbles"), "a board that asks after hearing");
        assert_eq!(web.get("/status.json").await.json()["revision"], before + 1);
    }
    let stopping = other.stop();
    let (heard, ()) = tokio::join!(listeners[1].next(), stopping);
    assert_eq!(heard, None, "a process that ends tells its listeners");
    app.settle().await;
    only(app.slack.posted_in("#woodshop"));
    only(app.slack.posted_in("#oops"));
    app.finish().await;
}

#[tokio::test]
async fn events_come_as_they_happen_through_the_compression() {
    let (ops, saw) = with_saw().await;
    let web = serving(ops).await;
    let _polling = poll_revisions(&web.ops).await;
    let mut listener = Listener::at(&web).await;
    assert_eq!(listener.status, StatusCode::OK);
    for (name, value) in
        [("content-type", "text/event-stream"), ("cache-control", "no-store"), ("x-accel-buffering", "no")]
    {
        assert_eq!(listener.headers[name], value, "{name}");
    }
    for name in ["content-encoding", "content-length"] {
        assert!(!listener.headers.contains_key(name), "{name}");
    }
    let first = listener.next().await.unwrap();
    for n in 1..4 {
        report_problem(&web.ops, &ana(), report(saw, n)).await.unwrap();
        assert_eq!(listener.next().await, Some(first + i64::from(n)));
    }
    let head = web.ask(Method::HEAD, "/events", &[]).await;
    assert_eq!((head.status, head.body.len()), (StatusCode::OK, 0));
    assert_eq!(head.header("content-type"), "text/event-stream");
}

#[tokio::test]
async fn excess_listener_is_refused_pages_still_served() {
    let web = serving(empty().await).await;
    let mut listeners = Listener::crowd(&web, 1_000).await;
    let reply = web.get("/events").await;
    assert_eq!((reply.status, reply.header("retry-after")), (StatusCode::SERVICE_UNAVAILABLE, "60"));
    assert_eq!(web.get("/").await.status, StatusCode::OK);

    listeners.pop();
    // Whoever goes leaves a place.
    Listener::until_answered(&web, StatusCode::OK).await;
}

#[tokio::test]
async fn one_address_does_not_use_up_the_listeners() {
    let lines = Lines::from(tracing::Level::WARN);
    let web = serving(empty().await).await;
    let mut listeners = Vec::new();
    for _ in 0..50 {
        let listener = Listener::of(&web, "2001:db8:7::1").await;
        assert_eq!(listener.status, StatusCode::OK);
        listeners.push(listener);
    }
    for client in ["2001:db8:7::1", "2001:db8:7::2"] {
        let refused = Listener::of(&web, client).await;
        assert_eq!(
            (refused.status, &refused.headers["retry-after"]),
            (StatusCode::TOO_MANY_REQUESTS, &"60".parse().unwrap())
        );
    }
    assert_eq!(Listener::of(&web, "2001:db8:8::1").await.status, StatusCode::OK);
    let told = lines.with("address used up its share");
    assert_eq!(told.len(), 1, "{told:?}");
    for part in ["listeners to /events", "2001:db8:7::/64", "of_client=50"] {
        assert!(told[0].contains(part), "{part} in {told:?}");
    }
    listeners.pop();
    let answered = async { while Listener::of(&web, "2001:db8:7::1").await.status != StatusCode::OK {} };
    timeout(DEADLINE, answered).await.expect("a place that was left is free");
}

#[tokio::test]
async fn shutdown_ends_the_streams_at_once() {
    let web = serving(empty().await).await;
    let mut listener = Listener::at(&web).await;
    assert!(listener.next().await.is_some());
    web.shutdown.cancel();
    assert_eq!(listener.next().await, None);
    // Less than the 10 s that connections get to drain.
    timeout(Duration::from_secs(8), web.serving).await.expect("nothing is waited for").unwrap();
}

#[tokio::test]
async fn without_the_database_nobody_can_listen() {
    let web = serving(empty().await).await;
    web.ops.store.read().clone().close().await.unwrap();
    let reply = web.get("/events").await;
    assert_eq!((reply.status, reply.header("retry-after")), (StatusCode::SERVICE_UNAVAILABLE, "30"));
}
