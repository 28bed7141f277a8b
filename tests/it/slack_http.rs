//! Slack over HTTP: the same features as Socket Mode, for requests with a valid signature only.

use crate::support::app::{ANA, BO, TestApp, world};
use crate::support::http_bridge::{send, sign};
use chrono::TimeDelta;
use esb_sandbox::Submitted;
use http::StatusCode;
use serde_json::json;

const FORM: &str = "application/x-www-form-urlencoded";
const JSON: &str = "application/json";

#[tokio::test]
async fn report_over_http_reaches_both_channels() {
    let app = TestApp::over_http().await;
    let area = app.area("Wood shop", "#woodshop").await;
    app.add_equipment(area, "Table saw").await;
    app.command(ANA, "/esb-report", "table saw").await;
    app.fill("description", "Belt slips").await;
    assert_eq!(app.submit().await, Submitted::Cleared);
    app.settle().await;
    assert!(app.private(ANA).contains("Table saw"));
    for channel in ["#woodshop", "#oops"] {
        assert!(app.slack.posted_in(channel)[0].text.contains("Belt slips"), "{channel}");
    }
    app.finish().await;
}

#[tokio::test]
async fn http_serves_selects_buttons_and_redeliveries() {
    let mut world = world();
    world.scopes.push("channels:history".into());
    let app = TestApp::over_http_in(world).await;
    let area = app.area("Wood shop", "#woodshop").await;
    app.add_equipment(area, "Table saw").await;
    app.command(ANA, "/esb-report", "").await;
    let found = app.slack.suggest(ANA, "equipment", "tab").await.unwrap();
    assert_eq!(found.iter().map(|it| it.label.as_str()).collect::<Vec<_>>(), ["Table saw"]);
    app.choose("equipment", "Table saw").await;
    app.fill("description", "Belt slips").await;
    assert_eq!(app.submit().await, Submitted::Cleared);
    app.after(TimeDelta::seconds(1)).await;

    let card = app.card();
    assert!(app.slack.press_in(BO, &card, "me_too", None).await.unwrap().is_acknowledged());
    app.after(TimeDelta::seconds(2)).await;
    assert!(app.card().shown().contains("1 other too"), "{}", app.card().shown());

    let said = app.slack.say(ANA, "#woodshop", "Belt is off", Some(&card.ts)).await.unwrap();
    app.settle().await;
    for attempt in 1..=2 {
        let again = app.slack.redeliver(&said, attempt, "http_timeout").await.unwrap();
        assert!(again.outcome.is_acknowledged());
        app.settle().await;
    }
    assert_eq!(app.notes().await, [("Ana Lee".to_owned(), Some("Belt is off".to_owned()), false)]);
    app.settle_and_finish().await;
}

#[tokio::test]
async fn unhandled_event_is_answered_503_and_handled_later() {
    let app = TestApp::over_http().await;
    let area = app.area("Wood shop", "#woodshop").await;
    app.add_equipment(area, "Table saw").await;
    app.report("table saw", "Belt slips").await;
    let (card, now) = (app.card(), app.clock.now().timestamp());
    let event = json!({"type": "event_callback", "event_id": "Ev1", "team_id": "T0SANDBOX", "event": {
        "type": "message", "channel": card.channel, "channel_type": "channel", "user": ANA, "text": "Belt is off",
        "ts": "1900000000.000001", "thread_ts": card.ts, "event_ts": "1900000000.000001"}});
    let ask = async || send(&app.web, JSON, &event.to_string(), &sign(&event.to_string(), now)).await;
    app.sql("ALTER TABLE timeline RENAME TO away").await;
    assert_eq!(ask().await.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(ask().await.status, StatusCode::SERVICE_UNAVAILABLE);
    app.sql("ALTER TABLE away RENAME TO timeline").await;
    for _ in 0..2 {
        assert_eq!(ask().await.status, StatusCode::OK);
    }
    assert_eq!(app.notes().await, [("Ana Lee".to_owned(), Some("Belt is off".to_owned()), false)]);
    app.settle_and_finish().await;
}

#[tokio::test]
async fn unsigned_or_expired_requests_are_rejected() {
    let app = TestApp::over_http().await;
    let now = app.clock.now().timestamp();
    let body = &json!({"type": "url_verification", "challenge": "3eZbrw1a"}).to_string();
    let good = sign(body, now);
    assert_eq!(send(&app.web, JSON, body, &good).await.status, StatusCode::OK);
    let [time, signature] = good.clone();
    let shortened = ("x-slack-signature", signature.1[..40].to_owned());
    let other = ("x-slack-signature", signature.1.replace("v0=", "v1="));
    let strange = ("x-slack-signature", format!("v0={}", "é".repeat(32)));
    for headers in [
        vec![],
        vec![time.clone()],
        vec![signature.clone()],
        vec![time.clone(), shortened],
        vec![time.clone(), other],
        vec![time.clone(), strange],
        vec![("x-slack-request-timestamp", (now + 1).to_string()), signature],
        sign(body, now - 301).to_vec(),
        sign(body, now + 301).to_vec(),
        sign("another body", now).to_vec(),
    ] {
        let reply = send(&app.web, JSON, body, &headers).await;
        assert_eq!(reply.status, StatusCode::UNAUTHORIZED, "{headers:?}");
    }
    assert_eq!(send(&app.web, JSON, body, &sign(body, now - 299)).await.status, StatusCode::OK);
    app.finish().await;
}

#[tokio::test]
async fn ssl_check_needs_no_signature() {
    let app = TestApp::over_http().await;
    let command = "command=%2Fesb-status&text=&team_id=T0SANDBOX&user_id=U0ANA&response_url=x&trigger_id=y";
    for (kind, body, status) in [
        (FORM, "ssl_check=1&token=x".to_owned(), StatusCode::OK),
        ("application/x-www-form-urlencoded; charset=utf-8", "token=x&ssl_check=1".into(), StatusCode::OK),
        (FORM, "ssl_check=0&token=x".into(), StatusCode::UNAUTHORIZED),
        (FORM, "token=x".into(), StatusCode::UNAUTHORIZED),
        (FORM, format!("ssl_check=1&{command}"), StatusCode::UNAUTHORIZED),
        (FORM, "ssl_check=1&payload=%7B%7D".into(), StatusCode::UNAUTHORIZED),
        (JSON, json!({"ssl_check": "1"}).to_string(), StatusCode::UNAUTHORIZED),
        ("text/plain", "ssl_check=1".into(), StatusCode::UNAUTHORIZED),
    ] {
        let reply = send(&app.web, kind, &body, &[]).await;
        assert_eq!((reply.status, reply.body.len()), (status, 0), "{kind} {body}");
    }
    assert!(app.slack.all_calls().iter().all(|call| !call.method.starts_with("views.")));
    app.finish().await;
}

#[tokio::test]
async fn url_verification_works_other_requests_are_refused() {
    let app = TestApp::over_http().await;
    let now = app.clock.now().timestamp();
    let ask = async |kind: &str, body: &str| send(&app.web, kind, body, &sign(body, now)).await;
    let challenge = json!({"type": "url_verification", "challenge": "3eZbrw1a"}).to_string();
    let reply = ask("application/json; charset=utf-8", &challenge).await;
    assert_eq!((reply.status, reply.json()), (StatusCode::OK, json!({"challenge": "3eZbrw1a"})));
    let long = json!({"type": "url_verification", "challenge": "x".repeat(501)}).to_string();
    for (kind, body) in [
        ("application/json", long.as_str()),
        ("application/json", "{"),
        (FORM, "payload={"),
        (FORM, "nothing=here"),
        (FORM, ""),
        ("text/plain", "hello"),
    ] {
        assert_eq!(ask(kind, body).await.status, StatusCode::BAD_REQUEST, "{body}");
    }
    assert_eq!(ask(FORM, &"x".repeat(1024 * 1024 + 1)).await.status, StatusCode::PAYLOAD_TOO_LARGE);
    let event = json!({"type": "event_callback", "event_id": "Ev1", "team_id": "T1", "event": {"type": "x"}});
    assert_eq!(ask("application/json", &event.to_string()).await.status, StatusCode::OK);
    app.finish().await;
}

#[tokio::test]
async fn no_events_page_without_signing_secret() {
    let app = TestApp::start().await;
    let (now, body) = (app.clock.now().timestamp(), "ssl_check=1");
    assert_eq!(send(&app.web, FORM, body, &sign(body, now)).await.status, StatusCode::NOT_FOUND);
    app.finish().await;
}
