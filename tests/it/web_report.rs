//! Reporting and "me too" on the web: what is kept, what is refused, and how it is said.

use crate::support::ops::with_saw;
use crate::support::web::{Browser, Reply, TestWeb, serving};
use chrono::TimeDelta;
use esb::domain::actor::Role;
use esb::store::entities::request as request_table;
use http::StatusCode;
use sea_orm::{ConnectionTrait, EntityTrait};

async fn saw() -> TestWeb {
    serving(with_saw().await.0).await
}

/// Opens the form and sends it with `fields` besides the hidden ones.
async fn report(browser: &Browser<'_>, fields: &[(&str, &str)]) -> Reply {
    let page = browser.get("/e/1").await;
    let (token, request) = (page.hidden("csrf_token"), page.hidden("request_id"));
    let mut form = vec![("csrf_token", token.as_str()), ("request_id", request.as_str())];
    form.extend(fields);
    browser.post("/e/1/report", &form).await
}

const GOOD: [(&str, &str); 2] = [("reporter_name", "Ana"), ("description", "Blade wobbles")];

async fn open_repairs(web: &TestWeb) -> usize {
    web.get("/e/1.json").await.json()["open_repairs"].as_array().unwrap().len()
}

#[tokio::test]
async fn report_is_saved_and_confirmed() {
    let web = saw().await;
    let ana = web.browser();
    let fields = [("severity", "Down"), ("safety_risk", "1"), ("reporter_email", "ana@example.org")];
    let reply = report(&ana, &[GOOD.as_slice(), &fields].concat()).await;
    assert_eq!(reply.status, StatusCode::SEE_OTHER, "{}", reply.text());
    let next = ana.get(reply.header("location")).await;
    assert_eq!(next.status, StatusCode::OK);
    for text in ["#1", "Table saw", "#woodshop", "#oops", "href=\"/e/1\""] {
        assert!(next.text().contains(text), "{text} in {}", next.text());
    }
    let elsewhere = reply.header("location").replace("/e/1/", "/e/2/");
    assert_eq!(ana.get(&elsewhere).await.status, StatusCode::NOT_FOUND);
    let page = ana.get("/e/1").await.text();
    assert!(
        page.contains("Blade wobbles") && page.contains("Safety risk") && !page.contains("ana@example.org")
    );
}

#[tokio::test]
async fn sending_the_same_form_twice_reports_once() {
    let web = saw().await;
    let ana = web.browser();
    let page = ana.get("/e/1").await;
    let (token, request) = (page.hidden("csrf_token"), page.hidden("request_id"));
    let form = [("csrf_token", token.as_str()), ("request_id", &request), GOOD[0], GOOD[1]];
    let (first, second) = (ana.post("/e/1/report", &form).await, ana.post("/e/1/report", &form).await);
    assert_eq!(first.status, StatusCode::SEE_OTHER);
    assert_eq!(first.header("location"), second.header("location"));
    assert_eq!(open_repairs(&web).await, 1);
}

#[tokio::test]
async fn another_problem_after_back_is_another_report() {
    let web = saw().await;
    let ana = web.browser();
    let page = ana.get("/e/1").await;
    let (token, request) = (page.hidden("csrf_token"), page.hidden("request_id"));
    let hidden = [("csrf_token", token.as_str()), ("request_id", &request), GOOD[0]];
    let send = async |text| ana.post("/e/1/report", &[&hidden[..], &[("description", text)]].concat()).await;
    let (first, second) = (send("Blade wobbles").await, send("Belt slips").await);
    assert_ne!(first.header("location"), second.header("location"));
    assert!(ana.get(second.header("location")).await.text().contains("#2"));
    assert_eq!(send("Belt slips").await.header("location"), second.header("location"));
    assert_eq!(open_repairs(&web).await, 2);
}

#[tokio::test]
async fn request_id_works_on_every_form() {
    let web = saw().await;
    let stu = web.signed_in(Role::Staff).await;
    let page = stu.get("/admin/areas").await;
    let (token, request) = (page.hidden("csrf_token"), page.hidden("request_id"));
    let hidden = [("csrf_token", token.as_str()), ("request_id", &request)];
    for (to, fields) in [
        ("/admin/areas", &[("name", "Metal shop")][..]),
        ("/e/1/report", &GOOD),
        ("/equipment/1/notes", &[("text", "Oil it monthly")]),
        ("/repairs/1/notes", &[("note", "Ordered")]),
        ("/repairs/1/claim", &[("version", "1")]),
    ] {
        let reply = stu.post(to, &[&hidden[..], fields].concat()).await;
        assert_eq!(reply.status, StatusCode::SEE_OTHER, "{to}: {}", reply.text());
    }
}

/// Fields as typed, and what the answer must show; nothing: it is accepted.
type Case<'a> = (&'a [(&'a str, &'a str)], &'a [&'a str]);

#[tokio::test]
async fn refused_report_returns_form_with_text() {
    let web = saw().await;
    let ana = web.browser();
    let long = "x".repeat(100_000);
    let cases: &[Case<'_>] = &[
        (
            &[("reporter_name", "Ana"), ("description", " \u{200b} ")],
            &["Please fill this in.", "value=\"Ana\""],
        ),
        (
            &[("description", "Blade")],
            &["id=\"reporter_name-error\">Please fill this in.", ">\nBlade</textarea>"],
        ),
        (&[GOOD[0], ("description", &long)], &["Please keep this to 3000 characters; it has 100000."]),
        (&[GOOD[0], ("description", "a\0b")], &["U+0000"]),
        (&[GOOD[0], GOOD[1], ("reporter_email", "<x>")], &["e-mail address", "value=\"&lt;x&gt;\""]),
        (
            &[GOOD[0], GOOD[1], ("severity", "Awful")],
            &["Please choose one of the three.", ">\nBlade wobbles<"],
        ),
        (&[GOOD[0], GOOD[1], ("website", "http://spam")], &["against robots", ">\nBlade wobbles<"]),
        (&[("reporter_name", "\"><script>"), ("description", "{{x}}<!channel>")], &[]),
    ];
    for (fields, texts) in cases {
        let reply = report(&ana, fields).await;
        if texts.is_empty() {
            assert_eq!(reply.status, StatusCode::SEE_OTHER);
            continue;
        }
        assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY, "{texts:?}");
        for text in *texts {
            assert!(reply.text().contains(text), "{text} in {}", reply.text());
        }
    }
    assert_eq!(open_repairs(&web).await, 1, "only the hostile but honest one");
    assert!(ana.get("/e/1").await.text().contains("{{x}}&lt;!channel&gt;"));
}

#[tokio::test]
async fn other_submissions_have_no_confirmation_page() {
    let web = saw().await;
    let stu = web.signed_in(Role::Staff).await;
    let form = stu.get("/admin/areas").await;
    let (csrf, request) = (form.hidden("csrf_token"), form.hidden("request_id"));
    let area = [("csrf_token", csrf.as_str()), ("request_id", &request), ("name", "Metal shop")];
    assert_eq!(stu.post("/admin/areas", &area).await.status, StatusCode::SEE_OTHER);
    let stored = request_table::Entity::find().one(web.ops.store.read()).await.unwrap().unwrap().id;
    for token in [&request, &stored] {
        let reply = web.get(&format!("/e/1/reported/{token}")).await;
        assert_eq!(reply.status, StatusCode::NOT_FOUND, "it is that of another form");
    }
}

#[tokio::test]
async fn ten_reports_in_ten_minutes_are_enough() {
    let web = saw().await;
    let ana = web.browser();
    for _ in 0..10 {
        assert_eq!(report(&ana, &GOOD).await.status, StatusCode::SEE_OTHER);
    }
    let refused = report(&ana, &GOOD).await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(refused.header("retry-after"), "60");
    assert!(refused.text().contains("in a minute") && refused.text().contains(">\nBlade wobbles<"));
    assert_eq!(open_repairs(&web).await, 10);
    web.ops.clock.advance(TimeDelta::seconds(60));
    assert_eq!(report(&ana, &GOOD).await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn server_errors_do_not_count_towards_limit() {
    let web = saw().await;
    let (ana, db) = (web.browser(), web.ops.store.write());
    db.execute_unprepared("ALTER TABLE timeline RENAME TO elsewhere").await.unwrap();
    for _ in 0..12 {
        assert_eq!(report(&ana, &GOOD).await.status, StatusCode::INTERNAL_SERVER_ERROR);
    }
    db.execute_unprepared("ALTER TABLE elsewhere RENAME TO timeline").await.unwrap();
    assert_eq!(report(&ana, &GOOD).await.status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn repeated_form_is_not_rate_limited() {
    let web = saw().await;
    let ana = web.browser();
    let page = ana.get("/e/1").await;
    let (token, request) = (page.hidden("csrf_token"), page.hidden("request_id"));
    let form = [("csrf_token", token.as_str()), ("request_id", &request), GOOD[0], GOOD[1]];
    let first = ana.post("/e/1/report", &form).await;
    assert_eq!(first.status, StatusCode::SEE_OTHER);
    for _ in 0..5 {
        assert_eq!(ana.post("/e/1/report", &form).await.status, StatusCode::SEE_OTHER);
    }
    for _ in 0..9 {
        assert_eq!(report(&ana, &GOOD).await.status, StatusCode::SEE_OTHER);
    }
    assert_eq!(report(&ana, &GOOD).await.status, StatusCode::TOO_MANY_REQUESTS);
    let again = ana.post("/e/1/report", &form).await;
    assert_eq!((again.status, again.header("location")), (first.status, first.header("location")));
    assert_eq!(open_repairs(&web).await, 10);
}

#[tokio::test]
async fn me_too_counts_a_browser_once() {
    let web = saw().await;
    let (ana, ben) = (web.browser(), web.browser());
    report(&ana, &GOOD).await;
    for (browser, expected) in [(&ana, 1), (&ana, 1), (&ben, 2)] {
        let token = browser.get("/e/1").await.hidden("csrf_token");
        let reply = browser.post("/e/1/me-too/1", &[("csrf_token", &token)]).await;
        assert_eq!(reply.header("location"), "/e/1?thanks=1#repair-1");
        assert_eq!(web.get("/e/1.json").await.json()["open_repairs"][0]["me_too"], expected);
    }
    assert!(ana.get("/e/1?thanks=1").await.text().contains("Thank you, noted."));
    let token = ana.get("/e/1").await.hidden("csrf_token");
    assert_eq!(ana.post("/e/1/me-too/4711", &[("csrf_token", &token)]).await.status, StatusCode::NOT_FOUND);
    assert_eq!(ana.post("/e/2/me-too/1", &[("csrf_token", &token)]).await.status, StatusCode::NOT_FOUND);
}
