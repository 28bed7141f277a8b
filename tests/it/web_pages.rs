//! Public pages and JSON: shapes, caching, empty states and outages.

use crate::support::app::DEADLINE;
use crate::support::ops::{ana, empty, open_repairs, report, user, with_saw};
use crate::support::wait::pause;
use crate::support::web::serving;
use esb::domain::repair::Severity;
use esb::ops::repairs::report_problem::report_problem;
use http::{Method, StatusCode};
use sea_orm::ConnectionTrait;
use serde_json::json;

#[tokio::test]
async fn board_is_sent_once_per_revision() {
    let (ops, saw) = with_saw().await;
    let web = serving(ops).await;
    for (path, request) in [("/", 1), ("/?q=saw", 2), ("/area/1", 3), ("/status.json", 4)] {
        let first = web.get(path).await;
        assert_eq!(first.status, StatusCode::OK, "{path}");
        assert!(first.text().contains("Table saw"), "{path}");
        let tag = first.header("etag").to_owned();
        let held = web.ask(Method::GET, path, &[("if-none-match", &tag)]).await;
        assert_eq!((held.status, held.body.len()), (StatusCode::NOT_MODIFIED, 0), "{path}");
        assert_eq!(held.header("etag").trim_start_matches("W/"), tag.trim_start_matches("W/"));
        report_problem(&web.ops, &ana(), report(saw, request)).await.unwrap();
        let changed = web.ask(Method::GET, path, &[("if-none-match", &tag)]).await;
        assert_eq!(changed.status, StatusCode::OK, "{path}");
        assert!(changed.text().contains("Blade wobbles"), "{path}");
    }
}

#[tokio::test]
async fn gzip_is_sent_when_accepted() {
    let (ops, _) = with_saw().await;
    let web = serving(ops).await;
    for path in ["/", "/?broken=1", "/e/1", "/status.json", "/metrics"] {
        let reply = web.ask(Method::GET, path, &[("accept-encoding", "br, gzip")]).await;
        assert_eq!(reply.header("content-encoding"), "gzip", "{path}");
        assert!(reply.body.starts_with(&[0x1f, 0x8b]), "{path}");
        assert_eq!(web.get(path).await.header("content-encoding"), "", "{path}");
    }
}

#[tokio::test]
async fn status_json_has_the_shape_of_the_contract() {
    let (ops, saw) = with_saw().await;
    let web = serving(ops).await;
    let equipment = |status, issue| {
        json!({ "id": 1, "name": "Table saw", "status": status, "issue": issue, "eta": null, "assignee": null,
                "url": "https://esb.example.org/e/1" })
    };
    let expected = |revision: i64, equipment| {
        json!({ "generated_at": "2026-03-01T12:00:00Z", "revision": revision,
                "areas": [{ "id": 1, "name": "Wood shop", "equipment": [equipment] }] })
    };
    let reply = web.get("/status.json").await;
    let revision = reply.json()["revision"].as_i64().unwrap();
    assert_eq!(reply.json(), expected(revision, equipment("operational", json!(null))));
    assert_eq!(reply.header("etag"), format!("\"{revision}\""));
    report_problem(&web.ops, &ana(), report(saw, 1)).await.unwrap();
    let reply = web.get("/status.json").await;
    assert_eq!(reply.json(), expected(revision + 1, equipment("down", json!("Blade wobbles"))));
}

#[tokio::test]
async fn equipment_json_has_documented_shape() {
    let (ops, saw) = with_saw().await;
    let web = serving(ops).await;
    report_problem(&web.ops, &ana(), report(saw, 1)).await.unwrap();
    let expected = json!({
        "id": 1, "name": "Table saw", "area": "Wood shop", "status": "down",
        "open_repairs": [{
            "id": 1, "description": "Blade wobbles", "severity": "Down", "status": "New", "eta": null,
            "assignee": null, "created_at": "2026-03-01T12:00:00Z", "me_too": 0,
        }],
    });
    assert_eq!(web.get("/e/1.json").await.json(), expected);
}

#[tokio::test]
async fn equipment_page_shows_worst_problems() {
    let (ops, saw) = with_saw().await;
    open_repairs(&ops, saw, std::iter::repeat_n(Some(Severity::NotSure), 120)).await;
    let web = serving(ops).await;
    let page = web.get("/e/1").await.text();
    assert_eq!(page.matches("action=\"/e/1/me-too/").count(), 100);
    assert!(page.contains("20 more problems are open."));
    assert_eq!(web.get("/e/1.json").await.json()["open_repairs"].as_array().unwrap().len(), 100);
}

#[tokio::test]
async fn archived_machine_says_so() {
    let (ops, _) = with_saw().await;
    let web = serving(ops).await;
    web.ops.store.write().execute_unprepared("UPDATE equipment SET archived = TRUE").await.unwrap();
    let page = web.get("/e/1").await;
    assert_eq!(page.status, StatusCode::GONE);
    assert!(
        page.text().contains("“Table saw” was taken off the board.") && page.text().contains("See the board")
    );
    let json = web.get("/e/1.json").await;
    assert_eq!((json.status, json.header("content-type")), (StatusCode::GONE, "application/json"));
    let late = web.browser().post("/e/1/report", &[("description", "Belt slips")]).await;
    assert_eq!(late.status, StatusCode::GONE);
    assert!(late.text().contains("Belt slips"), "what was typed can be copied");
}

#[tokio::test]
async fn empty_installation_explains_first_steps() {
    let web = serving(empty().await).await;
    let (board, login) = (web.get("/").await, web.get("/login").await);
    assert!(board.text().contains("esb demo-data"));
    for page in [&board, &login] {
        assert!(page.text().contains("href=\"/setup\""), "nobody can log in yet");
    }
    user(&web.ops, "stu", esb::domain::actor::Role::Staff).await;
    let held = [("if-none-match", board.header("etag"))];
    let again = web.ask(Method::GET, "/", &held).await;
    assert_eq!(again.status, StatusCode::OK, "the page of before is not kept");
    for page in [again, web.get("/login").await] {
        assert!(!page.text().contains("href=\"/setup\""), "stu can log in");
    }
    assert_eq!(web.get("/status.json").await.json()["areas"], json!([]));
}

#[tokio::test]
async fn hashed_assets_are_cached_forever() {
    let web = serving(empty().await).await;
    let page = web.get("/").await.text();
    let urls: Vec<&str> = page.split('"').filter(|part| part.starts_with("/assets/")).collect();
    assert!(urls.len() >= 4, "{urls:?}");
    for url in urls {
        let asset = web.get(url).await;
        assert_eq!(asset.status, StatusCode::OK, "{url}");
        assert!(asset.header("cache-control").contains("immutable"), "{url}");
        assert_ne!(asset.header("content-type"), "application/octet-stream", "{url}");
        let old = web.get(&url.replacen(url.split('/').nth(2).unwrap(), "0ld", 1)).await;
        assert_eq!(old.header("cache-control"), "no-cache", "{url}");
    }
}

#[tokio::test]
async fn metrics_have_documented_names() {
    let (ops, saw) = with_saw().await;
    let web = serving(ops).await;
    let before = web.get("/metrics").await.text();
    assert!(before.contains("\nesb_pending_notifications_count 0\n"), "{before}");
    assert!(!before.contains("esb_oldest_pending_notification_timestamp_seconds"));
    assert!(!before.contains("esb_worker_last_iteration_timestamp_seconds"));
    report_problem(&web.ops, &ana(), report(saw, 1)).await.unwrap();
    let reply = web.get("/metrics").await;
    assert_eq!(reply.header("content-type"), "application/openmetrics-text; version=1.0.0; charset=utf-8");
    let text = reply.text();
    for line in [
        "# TYPE esb_pending_notifications_count gauge",
        "esb_pending_notifications_count 2",
        "esb_oldest_pending_notification_timestamp_seconds 1772366400.0",
        "esb_socket_mode_enabled 0",
        "esb_socket_mode_connected 0",
        "esb_http_request_duration_seconds_count{route=\"/metrics\",method=\"GET\",status=\"200\"} 1",
    ] {
        assert!(text.lines().any(|l| l == line), "{line} in {text}");
    }
    assert!(text.ends_with("# EOF\n"));
    web.get("/nowhere/at/all").await;
    assert!(web.get("/metrics").await.text().contains("{route=\"other\",method=\"GET\",status=\"404\"}"));
}

#[tokio::test]
async fn health_is_red_until_writes_work() {
    let (ops, _) = with_saw().await;
    let web = serving(ops).await;
    let db = web.ops.store.write();
    // Where a probe writes; reads go on.
    db.execute_unprepared("ALTER TABLE settings RENAME TO settings_away").await.unwrap();
    for _ in 0..3 {
        let ill = web.get("/health").await;
        assert_eq!(ill.status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(ill.json()["reason"].as_str().unwrap().starts_with("the database cannot be written"));
    }
    assert_eq!(web.get("/health/live").await.status, StatusCode::OK);
    db.execute_unprepared("ALTER TABLE settings_away RENAME TO settings").await.unwrap();
    let green = async {
        while web.get("/health").await.status != StatusCode::OK {
            pause().await;
        }
    };
    tokio::time::timeout(DEADLINE, green).await.expect("it stays red");
}

#[tokio::test]
async fn outage_is_503_with_retry_after() {
    let (ops, _) = with_saw().await;
    let web = serving(ops).await;
    let well = web.get("/health").await;
    assert_eq!(well.status, StatusCode::OK);
    let version = env!("CARGO_PKG_VERSION");
    let expected = json!({ "status": "ok", "version": version, "poller_last_poll_at": null,
                           "worker_last_iteration_at": null, "socket_mode": "off" });
    assert_eq!(well.json(), expected);
    web.ops.store.read().clone().close().await.unwrap();
    let ill = web.get("/health").await;
    assert_eq!(ill.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(ill.json()["reason"], "the database does not answer");
    assert_eq!(web.get("/health/live").await.status, StatusCode::OK);
    for path in ["/", "/e/1", "/e/1.json", "/status.json", "/area/1"] {
        let reply = web.get(path).await;
        assert_eq!(reply.status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
        assert_eq!(reply.header("retry-after"), "30", "{path}");
    }
    let metrics = web.get("/metrics").await;
    assert_eq!(metrics.status, StatusCode::OK);
    assert!(metrics.text().contains("esb_socket_mode_enabled 0"));
    assert!(!metrics.text().contains("esb_pending_notifications_count"));
}
