//! The web kernel over a real connection: headers, errors, limits and shutdown.

use crate::support::ops::{empty, with_saw};
use crate::support::web::{serving, serving_routes};
use bytes::Bytes;
use esb::web::kernel::response::{TEXT, response};
use esb::web::kernel::{Access, PageError, Route};
use esb::web::server::Limits;
use futures_util::stream;
use http::header::{CONTENT_TYPE, HOST};
use http::{Method, Request, StatusCode};
use http_body_util::{Full, StreamBody};
use hyper::body::Frame;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::Notify;

/// Routes that no product would have.
static ODD: &[Route] = &[
    Route::get("/panic", Access::Public, |_, _| Box::pin(async { panic!("on purpose") })),
    Route::get("/fail", Access::Public, |_, _| Box::pin(async { Err(PageError::internal("the cause")) })),
    Route::get("/away", Access::Public, |_, _| {
        Box::pin(async { Err(PageError::Unavailable("the cause".into())) })
    }),
    Route::get("/large", Access::Public, |_, _| {
        Box::pin(async { Ok(response(StatusCode::OK, TEXT, vec![b'x'; 64 * 1024 * 1024])) })
    }),
    Route::form("/form", Access::Public, 1000, |_, call| {
        Box::pin(async { Ok(response(StatusCode::OK, TEXT, call.form.required("a")?.to_owned())) })
    }),
];

const SHORT: Limits = Limits {
    head: Duration::from_millis(300),
    stall: Duration::from_millis(300),
    drain: Duration::from_secs(3600),
    ..Limits::STANDARD
};

#[tokio::test]
async fn every_response_has_security_headers_and_reference() {
    let web = serving(empty().await).await;
    for path in ["/", "/nowhere", "/status.json", "/e/7.json", "/health", "/assets/1/esb.css"] {
        let reply = web.get(path).await;
        let policy = reply.header("content-security-policy");
        assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors"), "{path}");
        assert!(!policy.contains("unsafe-inline"), "{path}");
        assert_eq!(reply.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(reply.header("referrer-policy"), "same-origin", "{path}");
        assert_eq!(reply.header("x-request-id").len(), 12, "{path}");
    }
}

#[tokio::test]
async fn malformed_path_is_a_clear_error() {
    let (ops, _) = with_saw().await;
    let web = serving(ops).await;
    for path in [
        "/nowhere",
        "//",
        "/e",
        "/e/",
        "/e/0",
        "/e/-1",
        "/e/abc",
        "/e/%31",
        "/e/%2e%2e",
        "/e/1%00",
        "/e/99999999999999999999",
        "/e/4711",
        "/area/x",
        "/area/4711",
        "/area/1?page=0",
        "/area/1?page=x",
        "/area/1?page=99999999999999999999",
        "/?area=x",
        "/e/1/reported/x",
        "/e/1/reported/0123456789abcdef",
        "/assets/x",
        "/assets/../Cargo.toml",
        "/assets/1/../esb.css",
        "/assets/1/%2e%2e/esb.css",
        "/assets/1/nothing.css",
        "/.env",
    ] {
        let reply = web.get(path).await;
        assert_eq!(reply.status, StatusCode::NOT_FOUND, "{path}");
        assert!(reply.text().contains("Page not found"), "{path}");
    }
    for path in ["/nowhere.json", "/e/4711.json", "/e/x.json"] {
        let reply = web.get(path).await;
        assert_eq!((reply.status, reply.header("content-type")), (StatusCode::NOT_FOUND, "application/json"));
        assert_eq!(reply.json()["reference"], reply.header("x-request-id"), "{path}");
    }
}

#[tokio::test]
async fn malformed_query_is_a_clear_error() {
    let web = serving(empty().await).await;
    for path in ["/?q=%", "/?q=%ff", "/?q=a&q=b", "/?broken=1&broken=1"] {
        let reply = web.get(path).await;
        assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{path}");
        assert!(reply.text().contains("What your browser sent cannot be read"), "{path}");
    }
}

#[tokio::test]
async fn wrong_method_lists_allowed_methods() {
    let web = serving(empty().await).await;
    let told = async |method: Method, path: &str| {
        let reply = web.ask(method, path, &[]).await;
        (reply.status.as_u16(), reply.header("allow").to_owned())
    };
    assert_eq!(told(Method::POST, "/").await, (405, "GET, HEAD".into()));
    assert_eq!(told(Method::DELETE, "/e/1.json").await, (405, "GET, HEAD".into()));
    assert_eq!(told(Method::GET, "/e/1/report").await, (405, "POST".into()));
    assert_eq!(told(Method::OPTIONS, "/metrics").await, (405, "GET, HEAD".into()));
    assert_eq!(told(Method::from_bytes(b"BREW").unwrap(), "/status.json").await, (405, "GET, HEAD".into()));
}

#[tokio::test]
async fn head_is_get_without_the_body() {
    let web = serving(empty().await).await;
    let (get, head) = (web.get("/").await, web.ask(Method::HEAD, "/", &[]).await);
    assert_eq!((head.status, head.body.len()), (StatusCode::OK, 0));
    for name in ["content-length", "content-type", "etag"] {
        assert_eq!(head.header(name), get.header(name), "{name}");
        assert!(!head.header(name).is_empty(), "{name}");
    }
}

#[tokio::test]
async fn panic_costs_one_response() {
    let web = serving_routes(empty().await, ODD, Limits::STANDARD).await;
    for path in ["/panic", "/fail"] {
        let reply = web.get(path).await;
        assert_eq!(reply.status, StatusCode::INTERNAL_SERVER_ERROR, "{path}");
        let text = reply.text();
        assert!(text.contains("Something went wrong") && text.contains(reply.header("x-request-id")));
        assert!(!text.contains("on purpose") && !text.contains("the cause"), "{text}");
    }
    let reply = web.get("/away").await;
    assert_eq!((reply.status, reply.header("retry-after")), (StatusCode::SERVICE_UNAVAILABLE, "30"));
}

#[tokio::test]
async fn oversized_bodies_are_refused_while_they_arrive() {
    let web = serving_routes(empty().await, ODD, Limits::STANDARD).await;
    let declared = Request::post("/form").header(HOST, "esb").body(Full::new(Bytes::from(vec![b'x'; 1001])));
    let reply = web.send(declared.unwrap()).await;
    assert_eq!(reply.status, StatusCode::PAYLOAD_TOO_LARGE);
    let frames = (0..2000).map(|_| Ok::<_, Infallible>(Frame::data(Bytes::from(vec![b'x'; 1000]))));
    let streamed = Request::post("/form").header(HOST, "esb").body(StreamBody::new(stream::iter(frames)));
    let reply = web.send(streamed.unwrap()).await;
    assert_eq!(reply.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert!(reply.text().contains("Please shorten the text"));
}

#[tokio::test]
async fn malformed_forms_are_refused() {
    let (ops, _) = with_saw().await;
    let web = serving(ops).await;
    let browser = web.browser();
    let token = browser.get("/e/1").await.hidden("csrf_token");
    let token: String = form_urlencoded::byte_serialize(token.as_bytes()).collect();
    for (body, part) in [
        (format!("csrf_token={token}&reporter_name=%"), "hexadecimal"),
        (format!("csrf_token={token}&reporter_name=%ff"), "UTF-8"),
        (format!("csrf_token={token}"), "request_id” is missing"),
        (format!("csrf_token={token}&request_id=1&request_id=1"), "more than once"),
        ("a=1&".repeat(65), "more than 64 fields"),
    ] {
        let reply = browser.post_raw("/e/1/report", body).await;
        assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{part}");
        assert!(reply.text().contains(part), "{part} in {}", reply.text());
    }
    let json = Request::post("/e/1/report").header(HOST, "esb").header(CONTENT_TYPE, "application/json");
    let reply = web.send(json.body(Full::<Bytes>::from("{}")).unwrap()).await;
    assert_eq!(reply.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
}

#[tokio::test]
async fn login_form_works_only_in_its_browser() {
    let (ops, _) = with_saw().await;
    let web = serving(ops).await;
    let (ana, eve) = (web.browser(), web.browser());
    let (of_ana, of_eve) = (ana.get("/login").await, eve.get("/login").await);
    let cookie = of_ana.header("set-cookie");
    for attribute in ["HttpOnly", "SameSite=Lax", "Secure", "Path=/"] {
        assert!(cookie.contains(attribute), "{attribute} in {cookie}");
    }
    assert_eq!(ana.get("/login").await.header("set-cookie"), "", "the cookie is given once");
    let sent = async |token: String| {
        let form = [("csrf_token", token.as_str()), ("username", "ana"), ("password", "wrong")];
        ana.post("/login", &form).await.status
    };
    assert_eq!(sent(of_eve.hidden("csrf_token")).await, StatusCode::FORBIDDEN);
    assert_eq!(sent(String::new()).await, StatusCode::FORBIDDEN);
    assert_eq!(sent("x".repeat(100)).await, StatusCode::FORBIDDEN);
    assert_eq!(sent(of_ana.hidden("csrf_token")).await, StatusCode::UNPROCESSABLE_ENTITY);
    let reply = web.browser().post("/login", &[("csrf_token", &of_ana.hidden("csrf_token"))]).await;
    assert_eq!(reply.status, StatusCode::FORBIDDEN);
    assert!(reply.text().contains("Allow cookies for this site"), "{}", reply.text());
}

#[tokio::test]
async fn slow_clients_lose_their_place() {
    let web = serving_routes(empty().await, ODD, SHORT).await;
    let mut said = Vec::new();
    let mut asks_slowly = TcpStream::connect(web.site.0).await.unwrap();
    asks_slowly.write_all(b"GET /form HTTP/1.1\r\nhost: e").await.unwrap();
    asks_slowly.read_to_end(&mut said).await.unwrap();
    assert!(!said.starts_with(b"HTTP/1.1 200"));

    let mut says_nothing = TcpStream::connect(web.site.0).await.unwrap();
    assert_eq!(says_nothing.read_to_end(&mut Vec::new()).await.unwrap(), 0);

    let mut stops_reading = TcpStream::connect(web.site.0).await.unwrap();
    stops_reading.write_all(b"GET /large HTTP/1.1\r\nhost: esb\r\n\r\n").await.unwrap();
    stops_reading.read_exact(&mut [0; 100]).await.unwrap();
    // The shutdown waits for answers under way, so it ends only once this one was given up.
    web.shutdown.cancel();
    web.serving.await.unwrap();
    drop(stops_reading);
}

/// Lets a page of the test below go on.
static GO_ON: Notify = Notify::const_new();
/// Says that the page is under way.
static UNDER_WAY: Notify = Notify::const_new();
static WAITS: &[Route] = &[Route::get("/wait", Access::Public, |_, _| {
    Box::pin(async {
        UNDER_WAY.notify_one();
        GO_ON.notified().await;
        Ok(response(StatusCode::OK, TEXT, "done"))
    })
})];

#[tokio::test]
async fn shutdown_lets_requests_under_way_end() {
    let web = Arc::new(serving_routes(empty().await, WAITS, Limits::STANDARD).await);
    let mut idle = TcpStream::connect(web.site.0).await.unwrap();
    let asking = tokio::spawn({
        let web = Arc::clone(&web);
        async move { web.get("/wait").await }
    });
    UNDER_WAY.notified().await;
    web.shutdown.cancel();
    assert_eq!(idle.read_to_end(&mut Vec::new()).await.unwrap(), 0, "idle connections are closed");
    assert!(!web.serving.is_finished());
    GO_ON.notify_one();
    assert_eq!(asking.await.unwrap().text(), "done");
    let web = Arc::into_inner(web).unwrap();
    web.serving.await.unwrap();
    assert!(TcpStream::connect(web.site.0).await.is_err());
}
