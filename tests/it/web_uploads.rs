//! Upload forms that are forged, endless, interrupted or malformed.

use crate::support::ops::with_saw;
use crate::support::pictures::{mp4, names, png};
use crate::support::wait::pause;
use crate::support::web::{BOUNDARY, Browser, Parts, Site, TestWeb, serving};
use bytes::Bytes;
use esb::domain::actor::Role;
use futures_util::{StreamExt, stream};
use http::StatusCode;
use http_body_util::StreamBody;
use hyper::body::Frame;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

const TO: &str = "/e/1/report";

async fn web() -> TestWeb {
    let (ops, saw) = with_saw().await;
    assert_eq!(saw.0, 1);
    serving(ops).await
}

async fn form(browser: &Browser<'_>) -> Parts {
    let form = browser.form("/e/1", TO).await;
    form.text("reporter_name", "Ana").text("description", "Blade wobbles")
}

#[tokio::test]
async fn no_file_is_stored_before_csrf_check() {
    let web = web().await;
    let (tess, stu) = (web.signed_in(Role::Technician).await, web.signed_in(Role::Staff).await);
    let (right, others) = (form(&tess).await, form(&stu).await);
    let token = tess.get("/e/1").await.hidden("csrf_token");
    let file = |form: Parts| form.file("photos", "a.png", &png());
    let late = file(Parts::default()).text("csrf_token", &token).text("description", "Blade wobbles");
    let wrong = file(Parts::default().text("csrf_token", "x").text("description", "Blade wobbles"));
    for forged in [late, file(others), wrong] {
        let reply = tess.send_parts(TO, &forged).await;
        assert_eq!(reply.status, StatusCode::FORBIDDEN);
        for text in ["or you logged in or out", "Blade wobbles", "Choose them again"] {
            assert!(reply.text().contains(text), "{text} in {}", reply.text());
        }
    }
    let stranger = web.browser().send_parts("/repairs/1/photos", &file(right.clone())).await;
    assert_eq!(stranger.status, StatusCode::FORBIDDEN);
    assert!(stranger.text().contains("href=\"/login\""), "{}", stranger.text());
    assert_eq!(names(web.ops.uploads()), [""; 0]);
    assert_eq!(tess.send_parts(TO, &file(right)).await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn malformed_multipart_forms_are_refused() {
    let web = web().await;
    let ana = web.browser();
    let form = form(&ana).await;
    let many = (0..10_000).fold(form.clone(), |form, n| form.text(&format!("f{n}"), "x"));
    let files = (0..200).fold(form.clone(), |form, _| form.file("photos", "", b""));
    for (parts, status) in [
        (many, StatusCode::BAD_REQUEST),
        (files, StatusCode::BAD_REQUEST),
        (form.clone().part("name=\"a\"", b"\xff\xfe"), StatusCode::BAD_REQUEST),
        (form.clone().part("filename=\"a.png\"", &png()), StatusCode::BAD_REQUEST),
        (form.clone().text("description", "twice"), StatusCode::BAD_REQUEST),
        (form.clone().text("more", &"x".repeat(300_000)), StatusCode::PAYLOAD_TOO_LARGE),
    ] {
        let reply = ana.send_parts(TO, &parts).await;
        assert_eq!(reply.status, status, "{}", reply.text());
    }
    let mut raw = form.unfinished();
    raw.extend([b"--", BOUNDARY.as_bytes(), b"\r\nno head at all\r\n\r\nx\r\n"].concat());
    let reply = ana.send_body(TO, http_body_util::Full::new(Bytes::from(raw))).await;
    assert_eq!(reply.status, StatusCode::BAD_REQUEST);
    assert_eq!(names(web.ops.uploads()), [""; 0]);

    let hidden = form.part("name=\"photos\"; filename=\"../../../etc/pass\\\"wd\u{202e}gpj.png\"", &png());
    assert_eq!(ana.send_parts(TO, &hidden).await.status, StatusCode::SEE_OTHER);
    let tess = web.signed_in(Role::Technician).await;
    assert!(tess.get("/repairs/1").await.text().contains("alt=\"pass&quot;wd gpj.png\""));
    assert_eq!(names(web.ops.uploads()).len(), 2);
    assert!(names(web.ops.uploads().parent().unwrap()).iter().all(|name| !name.contains("pass")));
}

/// A body that begins like this and then goes on with `piece` for as long as somebody reads, and how many
/// bytes were taken of it.
fn endless(
    begun: Vec<u8>,
    piece: Vec<u8>,
) -> (StreamBody<impl futures_util::Stream<Item = Result<Frame<Bytes>, io::Error>> + Send>, Arc<AtomicU64>) {
    let taken = Arc::new(AtomicU64::new(0));
    let (counted, piece) = (Arc::clone(&taken), Bytes::from(piece));
    let rest = stream::repeat(piece).take(4_000);
    let frames = stream::once(async { Bytes::from(begun) }).chain(rest).map(move |piece| {
        counted.fetch_add(piece.len() as u64, Ordering::Relaxed);
        Ok(Frame::data(piece))
    });
    (StreamBody::new(frames), taken)
}

#[tokio::test]
async fn endless_upload_ends_at_its_limit() {
    let web = web().await;
    let tess = web.signed_in(Role::Technician).await;
    let form = tess.form("/repairs/new?equipment=1", "/repairs/new").await.text("description", "Noise");
    let head =
        format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"photos\"; filename=\"a.mp4\"\r\n");
    let file = [&form.unfinished()[..], head.as_bytes(), b"\r\n", &mp4(9000)].concat();
    let (body, taken) = endless(file, vec![7; 65_536]);
    let reply = tess.send_body("/repairs/new", body).await;
    assert_eq!(reply.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert!(reply.text().contains("Noise") && reply.text().contains("at most 20 MB"), "{}", reply.text());
    assert!(taken.load(Ordering::Relaxed) < 120_000_000, "it is not read to its end");

    let (body, taken) =
        endless([&form.unfinished()[..], head.as_bytes(), b"X-More: "].concat(), vec![b'x'; 65_536]);
    let reply = tess.send_body("/repairs/new", body).await;
    assert_eq!(reply.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert!(taken.load(Ordering::Relaxed) < 120_000_000);
    assert_eq!(names(web.ops.uploads()), [""; 0]);
}

#[tokio::test]
async fn form_that_breaks_off_leaves_nothing() {
    let web = web().await;
    let ana = web.browser();
    let begun = form(&ana)
        .await
        .file("photos", "a.png", &png())
        .part("name=\"photos\"; filename=\"b.png\"", &png())
        .unfinished();
    let short = ana.send_body(TO, http_body_util::Full::new(Bytes::from(begun.clone()))).await;
    assert_eq!(short.status, StatusCode::BAD_REQUEST, "it ends without its end");
    let Site(address) = *web;
    let mut stream = TcpStream::connect(address).await.unwrap();
    let cookie = ana.cookie();
    let head = format!(
        "POST {TO} HTTP/1.1\r\nHost: esb\r\nCookie: {cookie}\r\nContent-Length: 9000000\r\n\
         Content-Type: multipart/form-data; boundary={BOUNDARY}\r\n\r\n"
    );
    stream.write_all(&[head.as_bytes(), &begun].concat()).await.unwrap();
    let arrived = || names(web.ops.uploads()).iter().any(|name| !name.starts_with("incoming-"));
    wait_for(arrived).await;
    drop(stream);
    wait_for(|| names(web.ops.uploads()).is_empty()).await;
}

/// Waits for something that happens on another task.
async fn wait_for(there: impl Fn() -> bool) {
    let waiting = async {
        while !there() {
            pause().await;
        }
    };
    tokio::time::timeout(crate::support::app::DEADLINE, waiting).await.expect("it does not come");
}
