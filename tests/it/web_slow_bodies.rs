//! Large, slow and endless request bodies share one memory limit, and some are refused by their headers alone.

use crate::support::app::{DEADLINE, TestApp};
use crate::support::ops::with_saw;
use crate::support::web::{BOUNDARY, Parts, Reply, Site, TestWeb, serving_with_bodies};
use http::StatusCode;
use tokio::io::AsyncReadExt;
use tokio::time::timeout;

const REPORT: &str = "/e/1/report";

async fn web(all: usize, of_client: usize) -> TestWeb {
    serving_with_bodies(with_saw().await.0, all, of_client).await
}

/// The head of a form of which more is said to come, and its beginning.
fn stalled(client: &str) -> String {
    format!(
        "POST {REPORT} HTTP/1.1\r\nHost: esb\r\nX-Forwarded-For: {client}\r\nContent-Length: 100000\r\n\
         Content-Type: application/x-www-form-urlencoded\r\n\r\ndescription={}",
        "x".repeat(15_000)
    )
}

async fn sends(web: &TestWeb, client: &str, length: usize) -> Reply {
    let more = "y".repeat(length);
    let fields = [("reporter_name", "Ana"), ("more", more.as_str())];
    web.browser().from(client).post(REPORT, &fields).await
}

/// Sends until it is refused for want of room.
async fn until_refused(web: &TestWeb, client: &str, length: usize) -> Reply {
    let refused = async {
        loop {
            let reply = sends(web, client, length).await;
            if reply.status != StatusCode::BAD_REQUEST {
                return reply;
            }
        }
    };
    timeout(DEADLINE, refused).await.expect("it is refused")
}

#[tokio::test]
async fn one_address_holds_no_more_than_its_share() {
    let web = web(1_000_000, 30_000).await;
    let stream = web.begin([127, 0, 0, 1], &stalled("203.0.113.1")).await;
    let refused = until_refused(&web, "203.0.113.1", 25_000).await;
    assert_eq!((refused.status, refused.header("retry-after")), (StatusCode::TOO_MANY_REQUESTS, "20"));
    assert!(refused.text().contains("Too many requests from your network"), "{}", refused.text());
    let other = sends(&web, "203.0.113.2", 25_000).await;
    assert_eq!(other.status, StatusCode::BAD_REQUEST, "it was read, and lacks its request id");
    drop(stream);
    let freed = async { while sends(&web, "203.0.113.1", 25_000).await.status != StatusCode::BAD_REQUEST {} };
    timeout(DEADLINE, freed).await.expect("what was held is given back");
}

#[tokio::test]
async fn bodies_share_a_total_memory_limit() {
    let web = web(30_000, 30_000).await;
    let _stream = web.begin([127, 0, 0, 1], &stalled("203.0.113.1")).await;
    let refused = until_refused(&web, "203.0.113.2", 25_000).await;
    assert_eq!((refused.status, refused.header("retry-after")), (StatusCode::SERVICE_UNAVAILABLE, "20"));
    // Most of it arrived, and comes back.
    assert!(refused.text().contains("Ana"), "{}", refused.text());
    let parts = Parts::default().text("reporter_name", "Bo").text("description", &"z".repeat(25_000));
    let reply = web.browser().from("203.0.113.3").send_parts(REPORT, &parts).await;
    assert_eq!(reply.status, StatusCode::SERVICE_UNAVAILABLE);
    let short = sends(&web, "203.0.113.3", 10).await;
    assert_eq!(short.status, StatusCode::BAD_REQUEST, "an ordinary form is read all the same");
}

#[tokio::test]
async fn response_text_is_released_when_read() {
    let web = web(400_000, 400_000).await;
    let more = "'".repeat(240_000);
    let form = format!("reporter_name=Ana&more={more}");
    // No request id: the text comes back, six times as long, to somebody who does not read it.
    let length = form.len();
    let request = format!(
        "POST {REPORT} HTTP/1.1\r\nHost: esb\r\nContent-Length: {length}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\n\r\n{form}"
    );
    let mut stream = web.begin([127, 0, 0, 1], &request).await;
    stream.read_exact(&mut [0; 100]).await.unwrap();
    // Whether or not the network took all of it, it is given back once it was read.
    let read = async {
        let mut all = Vec::new();
        while !all.ends_with(b"</html>\n") {
            stream.read_buf(&mut all).await.unwrap();
        }
    };
    timeout(DEADLINE, read).await.expect("the whole page");
    let freed =
        async { while sends(&web, "203.0.113.9", 240_000).await.status != StatusCode::BAD_REQUEST {} };
    timeout(DEADLINE, freed).await.expect("what was held is given back");
}

/// What is answered to a head of which no body follows.
async fn head_alone(site: &Site, headers: &str) -> String {
    let request = format!("POST /slack/events HTTP/1.1\r\nHost: esb\r\n{headers}\r\n");
    let mut stream = site.begin([127, 0, 0, 1], &request).await;
    let mut answer = [0; 20];
    timeout(DEADLINE, stream.read_exact(&mut answer)).await.expect("an answer without the body").unwrap();
    String::from_utf8(answer.to_vec()).unwrap()
}

const LARGE: &str = "Content-Type: application/json\r\nContent-Length: 1000000\r\n";

#[tokio::test]
async fn slack_bodies_are_unread_while_slack_off() {
    let app = TestApp::start().await;
    assert!(head_alone(&app.web, LARGE).await.starts_with("HTTP/1.1 404 "));
    let multipart =
        format!("Content-Type: multipart/form-data; boundary={BOUNDARY}\r\nContent-Length: 1000000\r\n");
    assert!(head_alone(&app.web, &multipart).await.starts_with("HTTP/1.1 404 "));
    app.finish().await;
}

#[tokio::test]
async fn slack_headers_are_checked_before_the_body() {
    let app = TestApp::over_http().await;
    let now = app.clock.now().timestamp();
    let signature = "0123456789abcdef".repeat(4);
    let signed = |time: i64, signature: &str| {
        format!("{LARGE}X-Slack-Request-Timestamp: {time}\r\nX-Slack-Signature: {signature}\r\n")
    };
    for headers in [
        LARGE.to_owned(),
        "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 1025\r\n".into(),
        "Content-Type: application/x-www-form-urlencoded\r\nTransfer-Encoding: chunked\r\n".into(),
        signed(now - 301, &format!("v0={signature}")),
        signed(now + 301, &format!("v0={signature}")),
        signed(now, &format!("v1={signature}")),
        signed(now, "v0=short"),
    ] {
        assert!(head_alone(&app.web, &headers).await.starts_with("HTTP/1.1 401 "), "{headers}");
    }
    let wanted = format!("{}Expect: 100-continue\r\n", signed(now, &format!("v0={signature}")));
    assert!(head_alone(&app.web, &wanted).await.starts_with("HTTP/1.1 100 "), "this body is worth reading");
    app.finish().await;
}
