//! The daily allowance of visitors' photos: what counts, and how a report over it is recorded.

use crate::support::ops::with_saw;
use crate::support::pictures::{heif, jpeg, mp4, names};
use crate::support::web::{Browser, Parts, Reply, TestWeb, serving_with_allowance};
use chrono::TimeDelta;
use esb::domain::actor::Role;
use esb::domain::file::VisitorAllowance;
use http::StatusCode;
use sea_orm::ConnectionTrait;

const REPORT: &str = "/e/1/report";

/// Room for two photos from one address and three of all.
fn allowance() -> VisitorAllowance {
    let photo = photo().len() as u64;
    VisitorAllowance { address_bytes: 2 * photo, total_bytes: 3 * photo }
}

/// A photo that is kept with as many bytes as it has.
fn photo() -> Vec<u8> {
    heif(b"heic")
}

async fn web() -> TestWeb {
    serving_with_allowance(with_saw().await.0, allowance()).await
}

async fn form(browser: &Browser<'_>, photos: usize) -> Parts {
    let form = browser.form("/e/1", REPORT).await;
    let form = form.text("reporter_name", "Ana").text("description", "Blade wobbles");
    (0..photos).fold(form, |form, n| form.file("photos", &format!("{n}.heic"), &photo()))
}

async fn report(browser: &Browser<'_>, photos: usize) -> Reply {
    browser.send_parts(REPORT, &form(browser, photos).await).await
}

/// What the page after a report says is missing; "" when nothing is.
async fn missing(browser: &Browser<'_>, sent: &Reply) -> String {
    assert_eq!(sent.status, StatusCode::SEE_OTHER, "{}", sent.text());
    let page = browser.get(sent.header("location")).await.text();
    let notice = page.split("<p class=\"notice\">").nth(1).unwrap_or_default();
    notice.split(" could not be saved").next().unwrap().to_owned()
}

#[tokio::test]
async fn reports_over_allowance_are_recorded_without_photos() {
    let web = web().await;
    let (ana, ben) = (web.browser(), web.browser().from("203.0.113.2"));
    let first = report(&ana, 1).await;
    assert_eq!(missing(&ana, &first).await, "");
    let second = form(&ana, 3).await;
    let sent = ana.send_parts(REPORT, &second).await;
    assert_eq!(missing(&ana, &sent).await, "2 photos");
    let page = ana.get(sent.header("location")).await.text();
    assert!(page.contains("the daily limit for visitors"), "{page}");
    let tess = web.signed_in(Role::Technician).await;
    let page = tess.get("/repairs/2").await.text();
    let note = "2 photos could not be kept: visitors had sent as many as are kept in a day.";
    assert!(page.contains(note) && page.contains("0.heic"), "{page}");
    // A third photo of all visitors is somebody else's.
    let sent = report(&ben, 2).await;
    assert_eq!(missing(&ben, &sent).await, "1 photo");
    assert_eq!(names(web.ops.uploads()).len(), 3);
}

#[tokio::test]
async fn total_survives_restart_and_ends_with_day() {
    let web = web().await;
    for (address, photos) in [("203.0.113.1", 2), ("203.0.113.2", 1)] {
        let browser = web.browser().from(address);
        assert_eq!(missing(&browser, &report(&browser, photos).await).await, "");
    }
    let TestWeb { ops, shutdown, serving, .. } = web;
    shutdown.cancel();
    serving.await.unwrap();
    let web = serving_with_allowance(ops, allowance()).await;
    let ana = web.browser();
    assert_eq!(missing(&ana, &report(&ana, 1).await).await, "1 photo");
    web.ops.clock.advance(TimeDelta::days(1) + TimeDelta::seconds(1));
    assert_eq!(missing(&ana, &report(&ana, 2).await).await, "");
}

#[tokio::test]
async fn refused_and_repeated_forms_leave_allowance() {
    let web = web().await;
    let ana = web.browser();
    let incomplete = ana.form("/e/1", REPORT).await.file("photos", "a.heic", &photo());
    let incomplete = incomplete.file("photos", "b.heic", &photo());
    for _ in 0..3 {
        assert_eq!(ana.send_parts(REPORT, &incomplete).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    }
    web.ops.store.write().execute_unprepared("ALTER TABLE timeline RENAME TO elsewhere").await.unwrap();
    assert_eq!(report(&ana, 2).await.status, StatusCode::INTERNAL_SERVER_ERROR);
    web.ops.store.write().execute_unprepared("ALTER TABLE elsewhere RENAME TO timeline").await.unwrap();
    let once = form(&ana, 1).await;
    let sent = ana.send_parts(REPORT, &once).await;
    assert_eq!(ana.send_parts(REPORT, &once).await.header("location"), sent.header("location"));
    assert_eq!(missing(&ana, &report(&ana, 1).await).await, "");
    assert_eq!(missing(&ana, &report(&ana, 1).await).await, "1 photo");
    // Two more are left to the sweep, since their report's end was not known.
    assert_eq!(names(web.ops.uploads()).len(), 4);
}

#[tokio::test]
async fn people_with_accounts_have_no_allowance() {
    let web = web().await;
    let tess = web.signed_in(Role::Technician).await;
    let new = tess.form("/repairs/new?equipment=1", "/repairs/new").await.text("description", "Noise");
    let new = new.file("photos", "film.mp4", &mp4(1_000_000)).file("photos", "a.jpg", &jpeg());
    assert_eq!(tess.send_parts("/repairs/new", &new).await.header("location"), "/repairs/1");
    let ana = web.browser();
    assert_eq!(missing(&ana, &report(&ana, 2).await).await, "", "theirs count against nobody");
    assert_eq!(missing(&tess, &report(&tess, 5).await).await, "");
}
