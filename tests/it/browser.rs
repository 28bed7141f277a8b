//! End-to-end tests in a real browser: forms, redirects, cookies and the content security policy.

use crate::support::app::TestApp;
use crate::support::chromium::Chromium;
use crate::support::events::Listener;
use crate::support::jobs::{queue, staff, step};
use crate::support::ops::{ana, empty, report, user, with_saw};
use crate::support::pictures::jpeg;
use crate::support::web::{config, serving_as};
use chrono::TimeDelta;
use esb::domain::actor::Role;
use esb::ops::jobs::cancel;
use esb::ops::repairs::report_problem::report_problem;
use esb::web::WebConfig;
use esb_sandbox::{Options, Sandbox, World};
use http::StatusCode;
use sea_orm::ConnectionTrait;
use tokio::net::TcpStream;

/// Over plain http a browser keeps no cookie that is for https only.
fn plain() -> WebConfig {
    WebConfig { base_url: None, ..config() }
}

#[tokio::test]
async fn new_technician_chooses_own_password() {
    let web = serving_as(empty().await, plain()).await;
    let Some(chromium) = Chromium::desk(web.site.0).await else { return };
    chromium.go("/setup").await;
    chromium.fill("#code", web.setup_code.as_deref().unwrap()).await;
    chromium.fill("#username", "stu").await;
    chromium.fill("#email", "stu@example.org").await;
    chromium.fill("#password", "a long password").await;
    chromium.submit("main button[type=submit]").await;
    chromium.go("/admin/users").await;
    chromium.assert_fits().await;
    chromium.fill("#username", "tess").await;
    chromium.fill("#email", "tess@example.org").await;
    chromium.choose("#role", "Technician").await;
    chromium.submit("main form button[type=submit]").await;
    let temporary = chromium.text_of(".secret code").await;
    chromium.submit("form.person button").await;

    chromium.go("/login").await;
    chromium.assert_fits().await;
    chromium.fill("#username", "tess").await;
    chromium.fill("#password", &temporary).await;
    chromium.submit("main button[type=submit]").await;
    assert_eq!(chromium.path().await, "/password");
    assert!(chromium.text().await.contains("Choose your own password"));
    chromium.go("/repairs").await;
    assert_eq!(chromium.path().await, "/password", "nothing else is open before");
    chromium.fill("#current", &temporary).await;
    chromium.fill("#password", "another long one").await;
    chromium.fill("#repeated", "another long one").await;
    chromium.submit("main button[type=submit]").await;
    chromium.go("/repairs").await;
    assert_eq!(chromium.path().await, "/repairs");
    chromium.submit("form.person button").await;

    chromium.go("/login").await;
    chromium.fill("#username", "tess").await;
    chromium.fill("#password", &temporary).await;
    chromium.submit("main button[type=submit]").await;
    assert!(chromium.text().await.contains("Wrong username or password"), "the temporary one is spent");
    chromium.close().await;
}

#[tokio::test]
async fn phone_reports_problem_with_photo() {
    let (ops, saw) = with_saw().await;
    let web = serving_as(ops, plain()).await;
    let Some(phone) = Chromium::phone(web.site.0).await else { return };
    let directory = tempfile::tempdir().unwrap();
    let photo = directory.path().join("belt.jpg");
    std::fs::write(&photo, jpeg()).unwrap();
    phone.go(&format!("/e/{saw}")).await;
    phone.assert_fits().await;
    assert!(phone.text().await.contains("Operational"));
    phone.fill("#reporter_name", "Ana Lee").await;
    phone.fill("#description", "Belt slips").await;
    phone.click("input[name=severity][value=Down]").await;
    phone.attach("#photos", &photo).await;
    phone.submit("#report button.main").await;
    assert!(phone.path().await.starts_with(&format!("/e/{saw}/reported/")));
    phone.assert_fits().await;
    phone.go(&format!("/e/{saw}")).await;
    let page = phone.text().await;
    assert!(page.contains("Down") && page.contains("Belt slips"), "{page}");
    phone.assert_fits().await;

    phone.sign_in(&web, Role::Technician).await;
    phone.go("/repairs/1").await;
    phone.assert_fits().await;
    assert!(phone.is_drawn(".photos img").await, "technicians see the photo");
    phone.go("/repairs").await;
    phone.assert_fits().await;
    phone.close().await;
}

#[tokio::test]
async fn refused_report_is_sent_again_from_error_page() {
    let (ops, saw) = with_saw().await;
    let web = serving_as(ops, plain()).await;
    let Some(phone) = Chromium::phone(web.site.0).await else { return };
    let long = "x".repeat(200);
    let db = web.ops.store.write();
    phone.go(&format!("/e/{saw}")).await;
    phone.fill("#reporter_name", &long[..60]).await;
    phone.fill("#description", &long).await;
    phone.click("input[name=safety_risk]").await;
    db.execute_unprepared("ALTER TABLE timeline RENAME TO elsewhere").await.unwrap();
    phone.submit("#report button.main").await;
    let page = phone.text().await;
    assert!(page.contains("This is a bug in ESB") && page.contains(&long[..60]), "{page}");
    phone.assert_fits().await;
    db.execute_unprepared("ALTER TABLE elsewhere RENAME TO timeline").await.unwrap();
    phone.submit(".resubmit button.main").await;
    assert!(phone.path().await.starts_with(&format!("/e/{saw}/reported/")));
    phone.go(&format!("/e/{saw}")).await;
    let page = phone.text().await;
    assert!(page.contains(&long) && page.contains("Safety risk"), "{page}");
    phone.close().await;
}

#[tokio::test]
async fn technician_resolves_report_from_queue() {
    let (ops, saw) = with_saw().await;
    let repair = report_problem(&ops, &ana(), report(saw, 1)).await.unwrap().repair;
    let web = serving_as(ops, plain()).await;
    let Some(chromium) = Chromium::desk(web.site.0).await else { return };
    chromium.go("/login").await;
    chromium.sign_in(&web, Role::Technician).await;
    chromium.go("/repairs").await;
    chromium.assert_fits().await;
    chromium.submit(".queue form button").await;
    assert_eq!(chromium.path().await, "/repairs", "one stays where one was");
    assert!(chromium.text_of(".queue").await.contains("Assigned"));

    chromium.go(&format!("/repairs/{repair}")).await;
    chromium.assert_fits().await;
    chromium.choose("#severity", "Down").await;
    chromium.choose("#status", "Parts Ordered").await;
    chromium.fill("#note", "A new belt is on its way").await;
    chromium.submit("form[action$='/edit'] button").await;
    let page = chromium.text().await;
    assert!(page.contains("Parts Ordered") && page.contains("A new belt is on its way"), "{page}");

    chromium.fill("#resolve-note", "New belt").await;
    chromium.submit("form[action$='/resolve'] button").await;
    let page = chromium.text().await;
    assert!(page.contains("Resolved") && page.contains("New belt"), "{page}");
    chromium.go("/").await;
    assert!(chromium.text().await.contains("Operational"));
    chromium.close().await;
}

#[tokio::test]
async fn job_page_updates_without_reload() {
    let (ops, saw) = with_saw().await;
    let repair = report_problem(&ops, &ana(), report(saw, 1)).await.unwrap().repair;
    let slack = Sandbox::start(World::new(), Options::default()).unwrap();
    let id = queue(&ops, &slack, repair, &["F1", "F2"], None).await;
    let web = serving_as(ops, plain()).await;
    let Some(chromium) = Chromium::desk(web.site.0).await else { return };
    chromium.go("/login").await;
    chromium.sign_in(&web, Role::Staff).await;
    chromium.go(&format!("/admin/jobs/{id}")).await;
    chromium.assert_fits().await;
    chromium.wait_for_text("[data-part=now]", "Step 0 of 2 done: Fetching F1.png").await;
    chromium.mark().await;
    step(&web.ops, id).await;
    chromium.wait_for_text("[data-part=now]", "Step 1 of 2 done: Fetching <F2>").await;
    web.ops.clock.advance(TimeDelta::seconds(1));
    cancel(&web.ops, &staff(user(&web.ops, "stu", Role::Staff).await), id).await.unwrap();
    chromium.wait_for_text("[data-part=now]", "Canceled: it ends after this step").await;
    assert!(chromium.is_marked().await, "it is the same page");
    chromium.close().await;
}

#[tokio::test]
async fn open_board_updates_and_disconnects_while_hidden() {
    let (app, _) = TestApp::with_saw().await;
    let Some(chromium) = Chromium::desk(app.web.0).await else { return app.finish().await };
    chromium.go("/").await;
    chromium.wait_for_text("[data-live]", "Operational").await;
    chromium.mark().await;
    app.report("table saw", "Belt slips").await;
    chromium.wait_for_text("[data-live]", "Belt slips").await;

    // The other places are taken: whether one is free says whether the board listens.
    let crowd = Listener::crowd(&app.web, 999).await;
    Listener::until_answered(&app.web, StatusCode::SERVICE_UNAVAILABLE).await;
    chromium.hide_window().await;
    Listener::until_answered(&app.web, StatusCode::OK).await;
    app.report("table saw", "Fence is loose").await;
    assert!(!chromium.text_now("[data-live]").await.contains("1 more problem"), "nobody looks");
    chromium.show_window().await;
    chromium.wait_for_text("[data-live]", "1 more problem").await;
    Listener::until_answered(&app.web, StatusCode::SERVICE_UNAVAILABLE).await;
    assert!(chromium.is_marked().await, "it is the same page");
    drop(crowd);
    chromium.close().await;
    app.read_all();
    app.finish().await;
}

#[tokio::test]
async fn test_that_fails_leaves_no_browser_behind() {
    let web = serving_as(empty().await, plain()).await;
    let Some(chromium) = Chromium::desk(web.site.0).await else { return };
    let browser = chromium.debugger();
    assert!(TcpStream::connect(browser).await.is_ok());
    let failing = async move {
        chromium.go("/login").await;
        assert!(chromium.is_marked().await, "this test has to fail");
    };
    assert!(tokio::spawn(failing).await.unwrap_err().is_panic());
    assert!(TcpStream::connect(browser).await.is_err(), "it is gone");
}
