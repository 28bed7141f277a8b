//! What the web serves while the program waits for its database.

use crate::support::app::DEADLINE;
use crate::support::ops::with_saw;
use crate::support::web::{Reply, Site, config};
use esb::metrics::Metrics;
use esb::web::Web;
use esb::web::server::serve;
use esb::web::startup::serve_until_ready;
use http::StatusCode;
use serde_json::Value;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// A program that waits until it is told that it is ready, and then gives its listener back.
async fn starting() -> (Site, oneshot::Sender<()>, JoinHandle<TcpListener>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (site, metrics) = (Site(listener.local_addr().unwrap()), Metrics::new());
    metrics.socket_mode_enabled(true);
    let (ready, building) = oneshot::channel();
    let waiting = tokio::spawn(async move {
        serve_until_ready(&listener, Vec::new(), &metrics, building).await.unwrap();
        listener
    });
    (site, ready, waiting)
}

/// Serves the pages at a listener from now on.
async fn go_on(waiting: JoinHandle<TcpListener>) {
    let listener = tokio::time::timeout(DEADLINE, waiting).await.expect("it does not go on").unwrap();
    let (ops, _) = with_saw().await;
    let web = Web::new(ops.ctx.clone(), config(), Metrics::new(), ops.files()).await.unwrap();
    tokio::spawn(async move {
        serve(listener, Arc::new(web), CancellationToken::new()).await;
        drop(ops);
    });
}

/// How many requests of a route were counted.
async fn counts(site: &Site, route: &str) -> usize {
    let (text, of_route) = (site.get("/metrics").await.text(), format!("route=\"{route}\""));
    let counts =
        text.lines().filter(|line| line.contains("_duration_seconds_count") && line.contains(&of_route));
    counts.map(|line| line.rsplit(' ').next().unwrap().parse::<usize>().unwrap()).sum()
}

fn is_secured(reply: &Reply) -> bool {
    reply.header("x-content-type-options") == "nosniff" && !reply.header("x-request-id").is_empty()
}

#[tokio::test(flavor = "multi_thread")]
async fn liveness_and_metrics_answer_before_database() {
    let (site, ready, waiting) = starting().await;
    let live = site.get("/health/live").await;
    assert_eq!((live.status, live.json()["status"].clone()), (StatusCode::OK, Value::from("ok")));
    let metrics = site.get("/metrics").await;
    assert_eq!(metrics.status, StatusCode::OK);
    for line in ["esb_socket_mode_enabled 1", "esb_socket_mode_connected 0"] {
        assert!(metrics.text().lines().any(|l| l == line), "{line} in {}", metrics.text());
    }
    assert!(
        !metrics.text().contains("esb_pending_notifications_count") && metrics.text().ends_with("# EOF\n")
    );
    let health = site.get("/health").await;
    assert_eq!(
        (health.status, &health.json()["socket_mode"]),
        (StatusCode::SERVICE_UNAVAILABLE, &"disconnected".into())
    );
    for path in ["/", "/e/1", "/status.json"] {
        let reply = site.get(path).await;
        assert_eq!(
            (reply.status, reply.header("retry-after")),
            (StatusCode::SERVICE_UNAVAILABLE, "30"),
            "{path}"
        );
        assert!(is_secured(&reply) && reply.text().contains("try again in a minute"), "{}", reply.text());
        let for_program = reply.header("content-type") == "application/json";
        assert_eq!(for_program, path.ends_with(".json"));
    }

    let report = [("reporter_name", "Ana"), ("description", "Belt\nslips"), ("csrf_token", "came=")];
    let posted = site.browser().post("/e/1/report", &report).await;
    assert_eq!((posted.status, posted.header("retry-after")), (StatusCode::SERVICE_UNAVAILABLE, "30"));
    let again = posted.form_again();
    assert_eq!(again.len(), report.len(), "{again:?}");
    for (name, value) in report {
        assert!(again.contains(&(name.to_owned(), value.to_owned())), "{name} in {again:?}");
    }
    let page = posted.text();
    let style = page.split('"').find(|part| part.ends_with("/esb.css")).unwrap();
    assert_eq!(site.get(style).await.status, StatusCode::OK);

    let begun = counts(&site, "/health/live").await + counts(&site, "other").await;
    assert_eq!(begun, 1 + 3 + 2, "what is answered is counted");

    // Somebody who is slow holds nobody up for long.
    let mut slow = TcpStream::connect(site.0).await.unwrap();
    slow.write_all(b"GET / HTTP/1.1\r\nHost: e").await.unwrap();
    assert_eq!(site.get("/health/live").await.status, StatusCode::OK);
    ready.send(()).unwrap();
    let began = Instant::now();
    go_on(waiting).await;
    // Less than the 5 s that the slow client may take.
    assert!(began.elapsed() < Duration::from_millis(4_500), "{:?}", began.elapsed());
    assert_eq!(site.get("/").await.status, StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn quick_start_is_waited_for() {
    let (site, ready, waiting) = starting().await;
    let mut asks = TcpStream::connect(site.0).await.unwrap();
    asks.write_all(b"GET / HTTP/1.1\r\nHost: esb\r\nConnection: close\r\n\r\n").await.unwrap();
    ready.send(()).unwrap();
    go_on(waiting).await;
    let mut board = String::new();
    tokio::time::timeout(DEADLINE, asks.read_to_string(&mut board)).await.unwrap().unwrap();
    assert!(board.starts_with("HTTP/1.1 200 OK\r\n") && board.contains("Table saw"), "{board}");
}
