//! Each address has a limited share of connections, requests and uploads, so others are still served.

use crate::support::app::DEADLINE;
use crate::support::lines::Lines;
use crate::support::ops::{empty, with_saw};
use crate::support::pictures::png;
use crate::support::web::{BOUNDARY, Parts, TestWeb, serving, serving_with_places, serving_without_proxies};
use chrono::TimeDelta;
use esb::web::kernel::response::{TEXT, response};
use esb::web::kernel::{Access, Route};
use esb::web::server::Limits;
use esb::web::upload::Places;
use http::StatusCode;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Semaphore;
use tokio::time::timeout;

const ANA: [u8; 4] = [127, 0, 0, 2];
const BO: [u8; 4] = [127, 0, 0, 3];
const WATCH: [u8; 4] = [127, 0, 0, 4];

/// Lets the pages below end.
static GO_ON: Semaphore = Semaphore::const_new(0);

static ROUTES: &[Route] = &[
    Route::get("/page", Access::Public, |_, _| {
        Box::pin(async { Ok(response(StatusCode::OK, TEXT, "a page")) })
    }),
    Route::watch("/alive", |_, _| Box::pin(async { Ok(response(StatusCode::OK, TEXT, "alive")) })),
    Route::get("/wait", Access::Public, |_, _| {
        Box::pin(async {
            if let Ok(permit) = GO_ON.acquire().await {
                permit.forget();
            }
            Ok(response(StatusCode::OK, TEXT, "done"))
        })
    }),
    Route::get("/large", Access::Public, |_, _| {
        Box::pin(async { Ok(response(StatusCode::OK, TEXT, vec![b'x'; 64 * 1024 * 1024])) })
    }),
];

async fn web(limits: Limits) -> TestWeb {
    serving_without_proxies(empty().await, ROUTES, limits).await
}

/// What an open connection is answered.
async fn ask(stream: &mut TcpStream, path: &str) -> std::io::Result<String> {
    stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: esb\r\n\r\n").as_bytes()).await?;
    let mut text = String::new();
    let answered = async {
        let mut piece = [0; 4096];
        while !["a page", "alive", "done", "</html>\n"].iter().any(|end| text.ends_with(end)) {
            match stream.read(&mut piece).await? {
                0 => return Err(std::io::Error::from(std::io::ErrorKind::UnexpectedEof)),
                length => text.push_str(std::str::from_utf8(&piece[..length]).unwrap()),
            }
        }
        Ok(())
    };
    timeout(DEADLINE, answered).await.expect("an answer")?;
    Ok(text)
}

async fn asks(web: &TestWeb, from: [u8; 4], path: &str) -> String {
    ask(&mut web.begin(from, "").await, path).await.unwrap()
}

/// Asks for the page until it is refused: what it waits for has begun by then.
async fn until_refused(web: &TestWeb, from: [u8; 4]) -> String {
    let refused = async {
        loop {
            let answer = asks(web, from, "/page").await;
            if !answer.starts_with("HTTP/1.1 200 OK") {
                return answer.to_lowercase();
            }
        }
    };
    timeout(DEADLINE, refused).await.expect("it is refused")
}

async fn is_closed(stream: &mut TcpStream) -> bool {
    matches!(timeout(DEADLINE, stream.read(&mut [0; 9])).await.expect("it is closed"), Ok(0) | Err(_))
}

#[tokio::test]
async fn idle_connections_make_room_for_everybody() {
    let lines = Lines::from(tracing::Level::WARN);
    let limits = Limits { connections: 4, connections_of_client: 4, requests: 3, ..Limits::STANDARD };
    let web = web(limits).await;
    let mut says_nothing = web.begin(ANA, "").await;
    let mut asks_slowly = web.begin(ANA, "GET /page HTTP/1.1\r\nHost: e").await;
    let mut asked_once = web.begin(ANA, "").await;
    assert!(ask(&mut asked_once, "/page").await.unwrap().ends_with("a page"));
    let mut kept = Vec::new();
    for (from, path) in [(BO, "/page"), (WATCH, "/alive")].into_iter().cycle().take(20) {
        let mut stream = web.begin(from, "").await;
        assert!(ask(&mut stream, path).await.unwrap().starts_with("HTTP/1.1 200 OK"));
        kept.push(stream);
    }
    for stream in [&mut says_nothing, &mut asks_slowly, &mut asked_once] {
        assert!(is_closed(stream).await);
    }
    let told = lines.with("all connections in use");
    assert_eq!(told.len(), 1, "{told:?}");
}

#[tokio::test]
async fn one_address_closes_its_own_connections() {
    let limits =
        Limits { connections: 10, connections_of_client: 2, requests_of_client: 1, ..Limits::STANDARD };
    let web = web(limits).await;
    let mut of_bo = web.begin(BO, "").await;
    let mut of_ana = Vec::new();
    for _ in 0..5 {
        let mut stream = web.begin(ANA, "").await;
        assert!(ask(&mut stream, "/page").await.unwrap().starts_with("HTTP/1.1 200 OK"));
        of_ana.push(stream);
    }
    for stream in &mut of_ana[..3] {
        assert!(is_closed(stream).await);
    }
    for stream in of_ana[3..].iter_mut().chain([&mut of_bo]) {
        assert!(ask(stream, "/page").await.unwrap().ends_with("a page"));
    }
}

#[tokio::test]
async fn health_checks_are_answered_at_full_load() {
    let lines = Lines::from(tracing::Level::WARN);
    let limits = Limits { connections: 8, requests: 3, requests_of_client: 2, ..Limits::STANDARD };
    let web = web(limits).await;
    let wait = "GET /wait HTTP/1.1\r\nHost: esb\r\n\r\n";
    let mut under_way = vec![web.begin(ANA, wait).await, web.begin(ANA, wait).await];
    // It has begun once a page of the same address is refused.
    let refused = until_refused(&web, ANA).await;
    assert!(refused.starts_with("http/1.1 429 "), "{refused}");
    assert!(
        refused.contains("\r\nretry-after: 10\r\n") && refused.contains("\r\nconnection: close\r\n"),
        "{refused}"
    );
    assert!(asks(&web, BO, "/page").await.ends_with("a page"), "others are not in it");
    let told = lines.with("address used up its share");
    assert!(
        told.len() == 1 && told[0].contains("127.0.0.2") && told[0].contains("requests under way"),
        "{told:?}"
    );

    under_way.push(web.begin(BO, wait).await);
    let refused = until_refused(&web, WATCH).await;
    assert!(refused.starts_with("http/1.1 503 ") && refused.contains("\r\nretry-after: 10\r\n"), "{refused}");
    for from in [ANA, BO, WATCH] {
        for _ in 0..9 {
            assert!(asks(&web, from, "/alive").await.starts_with("HTTP/1.1 200 OK"));
        }
    }
    GO_ON.add_permits(under_way.len());
    for stream in &mut under_way {
        let mut text = [0; 15];
        timeout(DEADLINE, stream.read_exact(&mut text)).await.unwrap().unwrap();
        assert_eq!(&text, b"HTTP/1.1 200 OK", "what was under way was not closed");
    }
}

#[tokio::test]
async fn unread_response_keeps_its_place() {
    let limits = Limits { connections: 3, requests: 1, requests_of_client: 1, ..Limits::STANDARD };
    let web = web(limits).await;
    let mut reads_slowly = web.begin(ANA, "GET /large HTTP/1.1\r\nHost: esb\r\n\r\n").await;
    reads_slowly.read_exact(&mut [0; 100]).await.unwrap();
    for _ in 0..5 {
        assert!(asks(&web, BO, "/page").await.starts_with("HTTP/1.1 503 "));
        assert!(asks(&web, WATCH, "/alive").await.starts_with("HTTP/1.1 200 OK"));
    }
    let mut rest = Vec::new();
    timeout(DEADLINE, reads_slowly.take(64 * 1024 * 1024).read_to_end(&mut rest)).await.unwrap().unwrap();
    assert_eq!(rest.len(), 64 * 1024 * 1024, "it was not closed to make room");
    let freed = async { while !asks(&web, BO, "/page").await.starts_with("HTTP/1.1 200 OK") {} };
    timeout(DEADLINE, freed).await.expect("its place is free");
}

#[tokio::test]
async fn clients_behind_proxy_are_counted_separately() {
    let limits = Limits { connections_of_client: 1, requests_of_client: 1, ..Limits::STANDARD };
    // The address of these tests is a trusted proxy here.
    let web = crate::support::web::serving_routes(empty().await, ROUTES, limits).await;
    let proxy = [127, 0, 0, 1];
    let listens = "GET /large HTTP/1.1\r\nHost: esb\r\nX-Forwarded-For: 203.0.113.1\r\n\r\n";
    let mut first = web.begin(proxy, listens).await;
    first.read_exact(&mut [0; 100]).await.unwrap();
    let [refused, other] = ["203.0.113.1", "203.0.113.2"].map(|client| {
        let ask = format!(
            "GET /page HTTP/1.1\r\nHost: esb\r\nConnection: close\r\nX-Forwarded-For: {client}\r\n\r\n"
        );
        let web = &web;
        async move { web.raw(&ask).await }
    });
    assert!(refused.await.starts_with("HTTP/1.1 429 "));
    assert!(other.await.starts_with("HTTP/1.1 200 OK"));
    first.read_exact(&mut [0; 100]).await.unwrap();
}

#[tokio::test]
async fn one_address_cannot_use_all_uploads() {
    let (ops, _) = with_saw().await;
    let wait = Duration::from_millis(500);
    let places = Places::of(ops.clock.clone(), (2, 1), (1, 1), wait);
    let web = serving_with_places(ops, places).await;
    let form = |who: &str| {
        let form = Parts::default().text("request_id", "0123456789abcdef").text("reporter_name", who);
        form.text("description", "Blade wobbles").file("photos", "a.png", &png())
    };
    let begun = form("Ana").part("name=\"photos\"; filename=\"b.png\"", &png()).unfinished();
    let head = format!(
        "POST /e/1/report HTTP/1.1\r\nHost: esb\r\nX-Forwarded-For: 203.0.113.7\r\nContent-Length: 9000000\r\n\
         Content-Type: multipart/form-data; boundary={BOUNDARY}\r\n\r\n"
    );
    let mut stalls = web.begin([127, 0, 0, 1], &head).await;
    stalls.write_all(&begun).await.unwrap();
    let refused = async {
        loop {
            let reply = web.browser().from("203.0.113.7").send_parts("/e/1/report", &form("Ana")).await;
            if reply.status != StatusCode::SEE_OTHER {
                return reply;
            }
            // How often an address may send files is another limit.
            web.ops.clock.advance(TimeDelta::minutes(1));
        }
    };
    let refused = timeout(DEADLINE, refused).await.expect("it is refused");
    assert_eq!((refused.status, refused.header("retry-after")), (StatusCode::TOO_MANY_REQUESTS, "60"));
    assert!(refused.text().contains("Blade wobbles"), "the text comes back");
    let other = web.browser().from("203.0.113.8").send_parts("/e/1/report", &form("Bo")).await;
    assert_eq!(other.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn ipv6_networks_of_one_site_share_limits() {
    let web = serving(empty().await).await;
    let me_too = async |n: u32| {
        let browser = web.browser().from(&format!("2001:db8:7:{n:x}::1"));
        browser.post("/e/1/me-too/1", &[]).await.status
    };
    for n in 0..240 {
        assert_eq!(me_too(n).await, StatusCode::NOT_FOUND, "{n}");
    }
    assert_eq!(me_too(240).await, StatusCode::TOO_MANY_REQUESTS);
    let elsewhere = web.browser().from("2001:db8:8::1").post("/e/1/me-too/1", &[]).await;
    assert_eq!(elsewhere.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn setting_the_clock_changes_no_retry_after() {
    let web = serving(empty().await).await;
    let ana = web.browser();
    for _ in 0..60 {
        assert_eq!(ana.post("/e/1/me-too/1", &[]).await.status, StatusCode::NOT_FOUND);
    }
    for step in [TimeDelta::zero(), TimeDelta::days(400), TimeDelta::days(-800)] {
        web.ops.clock.set_wall_clock(step);
        let refused = ana.post("/e/1/me-too/1", &[]).await;
        assert_eq!((refused.status, refused.header("retry-after")), (StatusCode::TOO_MANY_REQUESTS, "10"));
    }
    web.ops.clock.advance(TimeDelta::seconds(10));
    assert_eq!(ana.post("/e/1/me-too/1", &[]).await.status, StatusCode::NOT_FOUND);
}
