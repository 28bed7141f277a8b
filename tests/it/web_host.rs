//! Which site a request is for (RFC 9112, section 3.2): one valid `Host`, before anything else.

use crate::support::app::DEADLINE;
use crate::support::ops::with_saw;
use crate::support::web::{Site, TestWeb, serving};
use esb::metrics::Metrics;
use esb::web::startup::serve_until_ready;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

const PATHS: [&str; 6] = ["/", "/health", "/health/live", "/metrics", "/slack/events", "/nowhere"];

async fn web() -> TestWeb {
    serving(with_saw().await.0).await
}

/// The first line of the answer to a request that ends its connection.
async fn status(site: &Site, target: &str, version: &str, headers: &str) -> String {
    let method = if target.ends_with("/slack/events") { "POST" } else { "GET" };
    let answer =
        site.raw(&format!("{method} {target} {version}\r\n{headers}Connection: close\r\n\r\n")).await;
    answer.split("\r\n").next().unwrap().to_owned()
}

#[tokio::test]
async fn request_without_one_valid_host_is_refused() {
    let web = web().await;
    for path in PATHS {
        for hosts in [
            "",
            "Host: esb\r\nHost: esb\r\n",
            "Host: esb\r\nHost: other\r\n",
            "Host:\r\n",
            "Host: a@esb\r\n",
            "Host: esb/x\r\n",
        ] {
            let answer = status(&web, path, "HTTP/1.1", hosts).await;
            assert_eq!(answer, "HTTP/1.1 400 Bad Request", "{path} {hosts:?}");
        }
        let answer = status(&web, path, "HTTP/1.1", "Host: esb\r\n").await;
        assert!(!answer.contains(" 400 "), "{path}: {answer}");
    }
    let page = web.raw("GET / HTTP/1.1\r\nConnection: close\r\n\r\n").await;
    assert!(page.contains("Send one valid Host header") && page.contains("x-content-type-options"), "{page}");
}

#[tokio::test]
async fn http_1_0_needs_no_host() {
    let web = web().await;
    for path in ["/", "/health/live", "/metrics"] {
        let answer = status(&web, path, "HTTP/1.0", "").await;
        assert!(answer.ends_with(" 200 OK"), "{path}: {answer}");
    }
    for hosts in ["Host: esb\r\nHost: esb\r\n", "Host: a b\r\n"] {
        let answer = status(&web, "/", "HTTP/1.0", hosts).await;
        assert!(answer.contains(" 400 "), "{answer}");
    }
}

#[tokio::test]
async fn whole_address_as_target_is_served() {
    let web = web().await;
    let served = status(&web, "http://esb:5000/health/live", "HTTP/1.1", "Host: esb:5000\r\n").await;
    assert_eq!(served, "HTTP/1.1 200 OK");
    let other_host = status(&web, "http://esb/e/1", "HTTP/1.1", "Host: other\r\n").await;
    assert_eq!(other_host, "HTTP/1.1 200 OK", "the target counts");
    let without = status(&web, "http://esb/health/live", "HTTP/1.1", "").await;
    assert_eq!(without, "HTTP/1.1 400 Bad Request");
    let all = web.raw("OPTIONS * HTTP/1.1\r\nHost: esb\r\nConnection: close\r\n\r\n").await;
    assert!(all.starts_with("HTTP/1.1 404 "), "{all}");
}

#[tokio::test(flavor = "multi_thread")]
async fn startup_pages_want_a_host_too() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let site = Site(listener.local_addr().unwrap());
    let (ready, building) = oneshot::channel();
    let waiting = tokio::spawn(async move {
        let metrics = Metrics::new();
        serve_until_ready(&listener, Vec::new(), &metrics, building).await.unwrap();
    });
    for path in PATHS {
        assert_eq!(status(&site, path, "HTTP/1.1", "").await, "HTTP/1.1 400 Bad Request", "{path}");
        let served = status(&site, path, "HTTP/1.1", "Host: esb\r\n").await;
        assert!(!served.contains(" 400 "), "{path}: {served}");
    }
    // Slack's body is not waited for.
    let head = "Host: esb\r\nContent-Length: 1000000\r\n";
    let answer = status(&site, "/slack/events", "HTTP/1.1", head).await;
    assert_eq!(answer, "HTTP/1.1 503 Service Unavailable");
    ready.send(()).unwrap();
    tokio::time::timeout(DEADLINE, waiting).await.expect("it goes on").unwrap();
}
