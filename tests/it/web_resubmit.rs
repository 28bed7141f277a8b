//! Forms that are not accepted: the error page shows what was typed and sends it again. Reports and "me too" of
//! visitors need no cookie.

use crate::support::ops::{ana, report, with_saw};
use crate::support::pictures::png;
use crate::support::web::{
    BOUNDARY, Reply, Site, TestWeb, config, serving, serving_as, serving_routes, serving_with_places,
};
use bytes::Bytes;
use esb::domain::actor::Role;
use esb::metrics::Metrics;
use esb::ops::repairs::report_problem::report_problem;
use esb::web::Web;
use esb::web::kernel::access::SESSION_COOKIE;
use esb::web::kernel::{Access, Route};
use esb::web::server::{Limits, serve};
use esb::web::upload::Places;
use http::header::{CONTENT_TYPE, HOST};
use http::{Request, StatusCode};
use http_body_util::Full;
use sea_orm::ConnectionTrait;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

const REPORT: &str = "/e/1/report";
const NOTES: &str = "/repairs/1/notes";
const ID: (&str, &str) = ("request_id", "0123456789abcdef");
const TYPED: [(&str, &str); 3] = [ID, ("reporter_name", "Ana"), ("description", "Blade\nwobbles")];

/// The saw with one reported repair.
async fn saw() -> TestWeb {
    let (ops, saw) = with_saw().await;
    report_problem(&ops, &ana(), report(saw, 1)).await.unwrap();
    serving(ops).await
}

async fn open_repairs(site: &Site) -> usize {
    site.get("/e/1.json").await.json()["open_repairs"].as_array().unwrap().len()
}

async fn me_too(site: &Site) -> i64 {
    site.get("/e/1.json").await.json()["open_repairs"][0]["me_too"].as_i64().unwrap()
}

/// An error page of that status on which all of this stands.
#[track_caller]
fn says(reply: &Reply, status: StatusCode, texts: &[&str]) {
    assert_eq!(reply.status, status, "{}", reply.text());
    for text in texts {
        assert!(reply.text().contains(text), "{text} in {}", reply.text());
    }
}

#[track_caller]
fn keeps_quiet(reply: &Reply, texts: &[&str]) {
    for text in texts {
        assert!(!reply.text().contains(text), "{text} in {}", reply.text());
    }
}

/// Another program over the same database, with another secret.
async fn restarted_with(web: &TestWeb, secret: &str) -> Site {
    let config = esb::web::WebConfig { secret_key: secret.into(), ..config() };
    let web = Web::new(web.ops.ctx.clone(), config, Metrics::new(), web.ops.files()).await.unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let site = Site(listener.local_addr().unwrap());
    tokio::spawn(serve(listener, Arc::new(web), CancellationToken::new()));
    site
}

#[tokio::test]
async fn visitors_report_without_cookie_or_token() {
    let web = saw().await;
    assert_eq!(web.browser().post(REPORT, &TYPED).await.status, StatusCode::SEE_OTHER);
    let wrong = [&TYPED[1..], &[("request_id", "fedcba9876543210"), ("csrf_token", "x")]].concat();
    assert_eq!(web.browser().post(REPORT, &wrong).await.status, StatusCode::SEE_OTHER);
    let form = crate::support::web::Parts::default().text(ID.0, "00112233445566778899");
    let form = form.text("reporter_name", "Bo").text("description", "Belt").file("photos", "a.png", &png());
    assert_eq!(web.browser().send_parts(REPORT, &form).await.status, StatusCode::SEE_OTHER);
    assert_eq!(open_repairs(&web).await, 4);
}

#[tokio::test]
async fn me_too_without_cookie_counts_each_browser_once() {
    let web = saw().await;
    let (ana, blocked) = (web.browser(), web.browser());
    for _ in 0..2 {
        let said = ana.post("/e/1/me-too/1", &[]).await;
        assert_eq!(said.status, StatusCode::SEE_OTHER, "the first answer brings a cookie");
    }
    assert_eq!(me_too(&web).await, 1);
    assert_eq!(blocked.post("/e/1/me-too/1", &[]).await.status, StatusCode::SEE_OTHER);
    assert_eq!(me_too(&web).await, 2);
}

#[tokio::test]
async fn visitors_without_cookies_are_limited_still() {
    let web = saw().await;
    for n in 0..10 {
        let id = format!("0123456789abcdef{n}");
        let form = [&TYPED[1..], &[("request_id", id.as_str())]].concat();
        assert_eq!(web.browser().post(REPORT, &form).await.status, StatusCode::SEE_OTHER);
    }
    says(&web.browser().post(REPORT, &TYPED).await, StatusCode::TOO_MANY_REQUESTS, &["Blade\nwobbles"]);
    let trapped = [&TYPED[..], &[("website", "spam")]].concat();
    assert_eq!(web.browser().post(REPORT, &trapped).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    for _ in 0..60 {
        web.browser().post("/e/1/me-too/1", &[]).await;
    }
    let ana = web.browser();
    let refused = ana.post("/e/1/me-too/1", &[("csrf_token", "x")]).await;
    says(&refused, StatusCode::TOO_MANY_REQUESTS, &["Too many requests from your network", "Send again"]);
    assert!(!refused.header("retry-after").is_empty());
}

#[tokio::test]
async fn report_works_with_expired_session() {
    let web = saw().await;
    let ana = web.browser();
    ana.set_cookie(SESSION_COOKIE, &"0".repeat(64));
    assert_eq!(ana.post(REPORT, &TYPED).await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn refused_token_returns_text_and_fresh_token() {
    let web = saw().await;
    let tess = web.signed_in(Role::Technician).await;
    for token in ["", "x"] {
        let typed = [("csrf_token", token), ID, ("note", "Ordered\n<b>&amp; paid</b>")];
        let refused = tess.post(NOTES, &typed).await;
        says(
            &refused,
            StatusCode::FORBIDDEN,
            &["Nothing was saved", "Ordered\n&lt;b&gt;&amp;amp; paid", NOTES],
        );
        keeps_quiet(&refused, &["<b>&amp;"]);
        assert!(refused.form_again().contains(&(ID.0.into(), ID.1.into())), "the same request id");
        assert_eq!(tess.send_again(NOTES, &refused).await.status, StatusCode::SEE_OTHER);
    }
    let page = tess.get("/repairs/1").await.text();
    assert_eq!(
        page.matches("<p class=\"text\" dir=\"auto\">Ordered\n&lt;b&gt;&amp;amp; paid").count(),
        1,
        "sent twice, written once: {page}"
    );
}

#[tokio::test]
async fn cross_site_form_is_not_echoed() {
    let web = saw().await;
    let tess = web.signed_in(Role::Technician).await;
    let cookie = tess.cookie();
    for (header, value, comes_back) in [
        ("origin", "https://evil.example", false),
        ("origin", "null", false),
        ("sec-fetch-site", "cross-site", false),
        ("origin", "https://esb.example.org", true),
        ("sec-fetch-site", "same-origin", true),
    ] {
        let request = Request::post(NOTES)
            .header(HOST, "esb")
            .header("cookie", &cookie)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(header, value)
            .body(Full::<Bytes>::from("note=Planted"))
            .unwrap();
        let reply = web.send(request).await;
        assert_eq!(reply.status, StatusCode::FORBIDDEN);
        assert_eq!(reply.text().contains("Planted"), comes_back, "{header}: {value}");
        let offers = reply.text().contains("Send again");
        assert_eq!(offers, comes_back, "{header}: {value}");
    }
}

#[tokio::test]
async fn typed_text_survives_expired_session() {
    let web = saw().await;
    let browser = web.browser();
    let plain = browser.post("/repairs/1/claim", &[ID, ("version", "1")]).await;
    assert_eq!((plain.status, plain.header("location")), (StatusCode::SEE_OTHER, "/login"));
    let refused = browser.post(NOTES, &[ID, ("note", "Ordered")]).await;
    says(&refused, StatusCode::FORBIDDEN, &["Log in in a new tab", "href=\"/login\"", "Ordered"]);
    // Logged in meanwhile: the token is of before, and the page says so with the text once more.
    let tess = web.signed_in(Role::Technician).await;
    browser.set_cookie(SESSION_COOKIE, &tess.cookie_value(SESSION_COOKIE));
    let second = browser.send_again(NOTES, &refused).await;
    says(&second, StatusCode::FORBIDDEN, &["or you logged in or out", "Ordered"]);
    assert_eq!(browser.send_again(NOTES, &second).await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn forced_password_change_returns_typed_text() {
    let web = saw().await;
    let tess = web.signed_in(Role::Technician).await;
    web.ops.store.write().execute_unprepared("UPDATE users SET must_change_password = TRUE").await.unwrap();
    let refused = tess.post(NOTES, &[ID, ("note", "Ordered")]).await;
    says(&refused, StatusCode::FORBIDDEN, &["href=\"/password\"", "Ordered"]);
    let plain = tess.post("/repairs/1/claim", &[ID, ("version", "1")]).await;
    assert_eq!(plain.header("location"), "/password");
}

#[tokio::test]
async fn http_under_an_https_address_is_explained() {
    let web = saw().await;
    let page = web.get("/login").await;
    assert!(page.header("set-cookie").contains("Secure"), "a browser on http keeps none");
    let (token, typed) = (page.hidden("csrf_token"), ("username", "sam"));
    let fields = [("csrf_token", token.as_str()), typed, ("password", "hunter2hunter2")];
    let refused = web.browser().post("/login", &fields).await;
    let texts = ["Allow cookies for this site", "https://esb.example.org", "sam", "type=\"password\""];
    says(&refused, StatusCode::FORBIDDEN, &texts);
    keeps_quiet(&refused, &["hunter2"]);
    let plain = esb::web::WebConfig { base_url: None, ..config() };
    let web = serving_as(with_saw().await.0, plain).await;
    let refused = web.browser().post("/login", &fields).await;
    says(&refused, StatusCode::FORBIDDEN, &["Allow cookies for this site"]);
    keeps_quiet(&refused, &["open it at"]);
}

#[tokio::test]
async fn new_secret_key_requires_one_resubmission() {
    let web = saw().await;
    let (tess, ana) = (web.signed_in(Role::Technician).await, web.browser());
    let token = tess.get("/repairs/1").await.hidden("csrf_token");
    let (page, login) = (ana.get("/e/1").await, ana.get("/login").await);
    let site = restarted_with(&web, "another secret of the tests").await;
    let (at_tess, at_ana) = (site.browser(), site.browser());
    at_tess.set_cookie(SESSION_COOKIE, &tess.cookie_value(SESSION_COOKIE));
    at_ana.set_cookie("esb_browser", &ana.cookie_value("esb_browser"));
    let refused = at_tess.post(NOTES, &[("csrf_token", &token), ID, ("note", "Ordered")]).await;
    says(&refused, StatusCode::FORBIDDEN, &["Ordered"]);
    assert_eq!(at_tess.send_again(NOTES, &refused).await.status, StatusCode::SEE_OTHER);

    let old = page.hidden("csrf_token");
    let sent = at_ana.post(REPORT, &[&[("csrf_token", old.as_str())], &TYPED[..]].concat()).await;
    assert_eq!(sent.status, StatusCode::SEE_OTHER);
    let old = login.hidden("csrf_token");
    let refused = at_ana.post("/login", &[("csrf_token", old.as_str()), ("username", "sam")]).await;
    says(&refused, StatusCode::FORBIDDEN, &["or you logged in or out"]);
    let again = at_ana.send_again("/login", &refused).await;
    assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY, "the token and its cookie are right now");
}

#[tokio::test]
async fn lost_database_loses_no_text() {
    let web = saw().await;
    let (tess, ana) = (web.signed_in(Role::Technician).await, web.browser());
    let token = tess.get("/repairs/1").await.hidden("csrf_token");
    web.ops.store.write().clone().close().await.unwrap();
    web.ops.store.read().clone().close().await.unwrap();
    for browser in [&tess, &ana] {
        let report = browser.post(REPORT, &TYPED).await;
        says(&report, StatusCode::SERVICE_UNAVAILABLE, &["Wait a minute, then send this again", "Ana"]);
        assert_eq!(report.header("retry-after"), "30");
        let again = report.form_again();
        assert!(TYPED.iter().all(|(name, value)| again.contains(&((*name).into(), (*value).into()))));
    }
    let note = tess.post(NOTES, &[("csrf_token", &token), ID, ("note", "Ordered")]).await;
    says(&note, StatusCode::SERVICE_UNAVAILABLE, &["Ordered"]);
    let again = note.form_again();
    assert!(again.contains(&("csrf_token".into(), token)), "the session's token is still right: {again:?}");
    let form = crate::support::web::Parts::default().text("description", "Noise");
    let form = form.file("photos", "a.png", &png()).text("severity", "Down");
    for (browser, to) in [(&ana, REPORT), (&tess, "/repairs/new")] {
        let reply = browser.send_parts(to, &form).await;
        let texts = ["Noise", "Down", "Your files were not kept", "type=\"file\"", "multipart/form-data"];
        says(&reply, StatusCode::SERVICE_UNAVAILABLE, &texts);
    }
    assert!(crate::support::pictures::names(web.ops.uploads()).is_empty());
}

#[tokio::test]
async fn full_upload_places_lose_no_text() {
    let (ops, _) = with_saw().await;
    let places = Places::of(ops.clock.clone(), (0, 0), (0, 0), Duration::ZERO);
    let web = serving_with_places(ops, places).await;
    let tess = web.signed_in(Role::Technician).await;
    let token = tess.get("/repairs").await.hidden("csrf_token");
    let form = crate::support::web::Parts::default().text("csrf_token", &token).text(ID.0, ID.1);
    // More than is held between the wire and the disk at once, and a field behind it.
    let form = form.text("description", "Noise").file("photos", "a.png", &vec![7; 3_000_000]);
    let form = form.text("reporter_name", "Ana");
    for (browser, to) in [(&web.browser(), REPORT), (&tess, "/repairs/new")] {
        let reply = browser.send_parts(to, &form).await;
        let texts = ["The server is busy", "Noise", "Ana", "Choose them again"];
        says(&reply, StatusCode::SERVICE_UNAVAILABLE, &texts);
        assert_eq!(reply.header("retry-after"), "60");
    }
    let plain = tess.send_again(REPORT, &web.browser().send_parts(REPORT, &form).await).await;
    says(&plain, StatusCode::FORBIDDEN, &["Noise"]);
    let sent = tess.send_again(REPORT, &plain).await;
    assert_eq!(sent.status, StatusCode::SEE_OTHER, "without the photo there is room");
}

#[tokio::test]
async fn too_many_uploads_lose_no_text() {
    let web = saw().await;
    let form = |n: usize, text| {
        let form = crate::support::web::Parts::default().text(ID.0, &format!("0123456789abcdef{n}"));
        form.text("description", text).file("photos", "a.png", b"no picture")
    };
    for n in 0..30 {
        web.browser().send_parts(REPORT, &form(n, "")).await;
    }
    let refused = web.browser().send_parts(REPORT, &form(30, "Noise")).await;
    says(&refused, StatusCode::TOO_MANY_REQUESTS, &["Noise", "Choose them again"]);
}

#[tokio::test]
async fn overlong_text_comes_back_truncated() {
    let web = saw().await;
    let tess = web.signed_in(Role::Technician).await;
    let token = tess.get("/repairs/1").await.hidden("csrf_token");
    let long = format!("Beginning {}", "ä".repeat(200_000));
    let refused = tess.post(NOTES, &[("csrf_token", &token), ID, ("note", &long)]).await;
    let texts = ["Please shorten the text", "Only the beginning of it arrived", "Beginning ää"];
    says(&refused, StatusCode::PAYLOAD_TOO_LARGE, &texts);
    keeps_quiet(&refused, &["\u{fffd}"]);
    assert!(refused.body.len() < 300_000, "{}", refused.body.len());
    let form = crate::support::web::Parts::default().text("csrf_token", &token).text("description", &long);
    for to in [REPORT, "/repairs/new"] {
        says(&tess.send_parts(to, &form).await, StatusCode::PAYLOAD_TOO_LARGE, &texts[..2]);
    }
    let whole = [("csrf_token", token.as_str()), ("username", "sam"), ("password", "hunter2hunter2")];
    let big = tess.post("/login", &[&whole[..], &[("more", &*"x".repeat(20_000))]].concat()).await;
    says(&big, StatusCode::PAYLOAD_TOO_LARGE, &["sam"]);
    keeps_quiet(&big, &["hunter2"]);
}

#[tokio::test]
async fn internal_error_loses_no_text() {
    let web = saw().await;
    let tess = web.signed_in(Role::Technician).await;
    let token = tess.get("/repairs/1").await.hidden("csrf_token");
    let db = web.ops.store.write();
    db.execute_unprepared("ALTER TABLE timeline RENAME TO elsewhere").await.unwrap();
    let typed = [("csrf_token", token.as_str()), ID, ("note", "Ordered")];
    let refused = tess.post(NOTES, &typed).await;
    says(&refused, StatusCode::INTERNAL_SERVER_ERROR, &["This is a bug in ESB", "Reference:", "Ordered"]);
    db.execute_unprepared("ALTER TABLE elsewhere RENAME TO timeline").await.unwrap();
    assert_eq!(tess.send_again(NOTES, &refused).await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn missing_record_or_role_returns_typed_text() {
    let web = saw().await;
    let tess = web.signed_in(Role::Technician).await;
    let token = tess.get("/repairs/1").await.hidden("csrf_token");
    let typed = [("csrf_token", token.as_str()), ID, ("note", "Ordered"), ("name", "Metal shop")];
    says(&tess.post("/repairs/4711/notes", &typed).await, StatusCode::NOT_FOUND, &["Ordered"]);
    says(&tess.post("/admin/areas", &typed).await, StatusCode::FORBIDDEN, &["Metal shop"]);
    let none = tess.post("/repairs/4711/claim", &[("csrf_token", &token), ID, ("version", "1")]).await;
    assert_eq!(none.status, StatusCode::NOT_FOUND);
    keeps_quiet(&none, &["Send again"]);
}

static PANICS: &[Route] =
    &[Route::open_form("/panic", 1_000, |_, _| Box::pin(async { panic!("as tests want") }))];

#[tokio::test]
async fn panic_loses_no_text() {
    let web = serving_routes(with_saw().await.0, PANICS, Limits::STANDARD).await;
    let reply = web.browser().post("/panic?a=1&b=%22", &TYPED).await;
    let texts = ["This is a bug in ESB", "Blade\nwobbles", "action=\"/panic?a&#x3D;1&amp;b&#x3D;%22\""];
    says(&reply, StatusCode::INTERNAL_SERVER_ERROR, &texts);
    assert_eq!(PANICS[0].access, Access::Anyone);
}

#[tokio::test]
async fn secrets_are_on_no_error_page() {
    let web = saw().await;
    let stu = web.signed_in(Role::Staff).await;
    let secrets =
        ["password", "current", "repeated", "code", "wifi_password"].map(|name| (name, "hunter2hunter2"));
    for route in Web::routes().iter().filter(|route| route.method == http::Method::POST) {
        let path = route.pattern.replace("{repair}", "1").replace("{id}", "1");
        if path.contains('{') || route.access == Access::Public {
            continue;
        }
        let typed = [&secrets[..], &[("csrf_token", "x"), ("username", "sam\nis it")]].concat();
        let refused = stu.post(&path, &typed).await;
        says(&refused, StatusCode::FORBIDDEN, &["sam\nis it"]);
        keeps_quiet(&refused, &["hunter2"]);
    }
}

#[tokio::test]
async fn hostile_text_on_error_pages_stays_text() {
    let web = saw().await;
    let tess = web.signed_in(Role::Technician).await;
    let hostile = "</textarea><script>alert(1)</script>\"'`={{page_title}}{{{assets}}}";
    let long = hostile.repeat(3);
    let typed = [(hostile, hostile), ("note", &long), ("request_id", hostile), ("safety_risk", hostile)];
    let refused = tess.post(NOTES, &typed).await;
    says(&refused, StatusCode::FORBIDDEN, &["&lt;/textarea&gt;&lt;script&gt;", "{{page_title}}"]);
    assert_eq!(refused.text().matches("<script").count(), 1, "ours: {}", refused.text());
    let again = refused.form_again();
    for (name, value) in typed {
        assert!(again.contains(&(name.into(), value.into())), "{name} in {again:?}");
    }
}

#[tokio::test]
async fn programs_and_odd_bodies_get_no_form() {
    let web = saw().await;
    let odd = Request::post(REPORT)
        .header(HOST, "esb")
        .header(CONTENT_TYPE, format!("multipart/form-data; boundary={BOUNDARY}"))
        .body(Full::<Bytes>::from(format!("--{BOUNDARY}\r\nnothing")))
        .unwrap();
    assert_eq!(web.send(odd).await.status, StatusCode::BAD_REQUEST);
    let program = Request::post(NOTES)
        .header(HOST, "esb")
        .header("x-api-key", "0".repeat(64))
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Full::<Bytes>::from("note=Ordered"))
        .unwrap();
    let reply = web.send(program).await;
    assert_eq!(reply.status, StatusCode::UNAUTHORIZED);
    keeps_quiet(&reply, &["Ordered", "Send again"]);
}
