//! A change made through one channel is visible in all others.

use crate::support::app::{ANA, TestApp, only};
use chrono::TimeDelta;
use esb::store::heartbeats;
use http::StatusCode;

#[tokio::test]
async fn web_report_is_announced_and_seen_everywhere() {
    let (app, saw) = TestApp::with_saw().await;
    assert_eq!(app.web.get("/status.json").await.json()["areas"][0]["equipment"][0]["status"], "operational");

    let browser = app.web.browser();
    let page = browser.get(&format!("/e/{saw}")).await;
    let (token, request) = (page.hidden("csrf_token"), page.hidden("request_id"));
    let form = [
        ("csrf_token", token.as_str()),
        ("request_id", request.as_str()),
        ("reporter_name", "Cleo <!channel>"),
        ("description", "Fence is loose & <@U1> knows"),
        ("severity", "Degraded"),
    ];
    assert_eq!(browser.post(&format!("/e/{saw}/report"), &form).await.status, StatusCode::SEE_OTHER);
    app.settle().await;

    let wood = only(app.slack.posted_in("#woodshop")).text;
    only(app.slack.posted_in("#oops"));
    assert!(wood.contains("Fence is loose &amp; &lt;@U1&gt; knows"), "{wood}");
    assert!(wood.contains("Cleo &lt;!channel&gt;"), "{wood}");

    let board = app.web.get("/status.json").await.json();
    let equipment = &board["areas"][0]["equipment"][0];
    assert_eq!(
        (&equipment["status"], &equipment["issue"]),
        (&"degraded".into(), &"Fence is loose & <@U1> knows".into())
    );
    app.command(ANA, "/esb-status", "saw").await;
    let shown = app.slack.top_view(ANA).unwrap().shown();
    assert!(shown.contains("Degraded") && shown.contains("Fence is loose"), "{shown}");
    app.finish().await;
}

#[tokio::test]
async fn metrics_follow_the_queue_and_the_connections() {
    let (app, saw) = TestApp::with_saw().await;
    let figure = async |name: &str| {
        let text = app.web.get("/metrics").await.text();
        text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse::<f64>().ok())
    };
    assert_eq!(figure("esb_pending_notifications_count").await, Some(0.0));
    assert_eq!(figure("esb_oldest_pending_notification_timestamp_seconds").await, None);
    assert_eq!(figure("esb_worker_last_iteration_timestamp_seconds").await, None);
    assert_eq!(figure("esb_socket_mode_enabled").await, Some(1.0));
    assert_eq!(figure("esb_socket_mode_connected").await, Some(1.0));

    let report = crate::support::ops::report(saw, 1);
    esb::ops::repairs::report_problem::report_problem(&app.app.ctx, &crate::support::ops::ana(), report)
        .await
        .unwrap();
    assert_eq!(figure("esb_pending_notifications_count").await, Some(2.0));
    let since = app.clock.now().timestamp_micros() as f64 / 1e6;
    assert_eq!(figure("esb_oldest_pending_notification_timestamp_seconds").await, Some(since));

    app.settle().await;
    assert_eq!(figure("esb_pending_notifications_count").await, Some(0.0));
    let delivered = "esb_deliveries_total{channel=\"slack\",outcome=\"delivered\"}";
    assert_eq!(figure(delivered).await, Some(2.0));
    assert_eq!(
        figure("esb_slack_api_requests_total{method=\"chat.postMessage\",outcome=\"ok\"}").await,
        Some(2.0)
    );
    only(app.slack.posted_in("#woodshop"));
    only(app.slack.posted_in("#oops"));
    app.finish().await;
}

#[tokio::test]
async fn latest_heartbeat_wins_despite_wrong_clocks() {
    let (app, _) = TestApp::with_saw().await;
    let (db, now) = (app.app.ctx.store.write(), app.clock.now());
    let beat = async |at| heartbeats::beat(db, heartbeats::WORKER, at).await.unwrap();
    let latest = async || heartbeats::latest(app.app.ctx.store.read(), heartbeats::WORKER).await.unwrap();
    let minute = TimeDelta::minutes(1);
    beat(now).await;
    beat(now - minute).await;
    assert_eq!(latest().await, Some(now));
    beat(now + minute).await;
    assert_eq!(latest().await, Some(now + minute));
    app.finish().await;
}

#[tokio::test]
async fn metrics_count_the_jobs_by_kind_and_state() {
    let (app, repair) = TestApp::with_pictures(&["F1"]).await;
    let figure = async |kind: &str, state: &str| {
        let text = app.web.get("/metrics").await.text();
        let name = format!("esb_jobs{{kind=\"{kind}\",state=\"{state}\"}} ");
        text.lines().find_map(|line| line.strip_prefix(&name)?.parse::<u32>().ok())
    };
    assert_eq!((figure("fetch_photos", "queued").await, figure("other", "failed").await), (Some(0), Some(0)));
    app.queue(repair, &["F1"]).await;
    assert_eq!(figure("fetch_photos", "queued").await, Some(1));
    app.settle().await;
    assert_eq!(
        (figure("fetch_photos", "queued").await, figure("fetch_photos", "succeeded").await),
        (Some(0), Some(1))
    );
    app.sql("UPDATE jobs SET kind = 'bake_bread', state = 'queued'").await;
    app.settle().await;
    assert_eq!(
        (figure("fetch_photos", "succeeded").await, figure("other", "failed").await),
        (Some(0), Some(1))
    );
    assert!(app.job_message_text().contains("bake_bread"), "its message follows it, whatever it is");
    app.finish().await;
}
