//! Spellings of paths, and forms about archived or unknown equipment.

use crate::support::ops::{open_repairs, with_saw};
use crate::support::web::{TestWeb, serving};
use esb::domain::repair::Severity;
use http::{Method, StatusCode};
use sea_orm::ConnectionTrait;

async fn saw() -> TestWeb {
    let (ops, saw) = with_saw().await;
    open_repairs(&ops, saw, [Some(Severity::Down)]).await;
    serving(ops).await
}

#[tokio::test]
async fn capitals_and_slashes_lead_to_page() {
    let web = saw().await;
    for (typed, page) in [
        ("/e/1/", "/e/1"),
        ("/E/1", "/e/1"),
        ("/E/1/?thanks=1", "/e/1?thanks=1"),
        ("/E/1.JSON", "/e/1.json"),
        ("/Area/1/", "/area/1"),
        ("/LOGIN", "/login"),
        ("/Status.json/", "/status.json"),
        ("/Public/Equipment/1/", "/public/equipment/1"),
        ("/PUBLIC", "/public"),
    ] {
        for method in [Method::GET, Method::HEAD] {
            let reply = web.ask(method, typed, &[]).await;
            assert_eq!((reply.status, reply.header("location")), (StatusCode::FOUND, page), "{typed}");
        }
        let there = web.get(page).await.status;
        assert!(there.is_success() || there.is_redirection(), "{page}: {there}");
    }
    for nowhere in ["/e/1/x/", "//e/1/", "//example.org/", "/E/", "/ee/1/"] {
        assert_eq!(web.get(nowhere).await.status, StatusCode::NOT_FOUND, "{nowhere}");
    }
    let form = web.browser().post("/E/1/report/", &[("description", "Belt slips")]).await;
    assert_eq!(form.status, StatusCode::NOT_FOUND, "forms are not typed");
}

#[tokio::test]
async fn forms_about_archived_equipment_are_gone() {
    let web = saw().await;
    let ana = web.browser();
    for to in ["/e/4711/report", "/e/4711/me-too/1", "/e/1/me-too/4711"] {
        let reply = ana.post(to, &[("description", "Belt slips")]).await;
        assert_eq!(reply.status, StatusCode::NOT_FOUND, "{to}");
    }
    for archive in ["UPDATE equipment SET archived = TRUE", "UPDATE repairs SET open = FALSE"] {
        web.ops.store.write().execute_unprepared(archive).await.unwrap();
        for to in ["/e/1/report", "/e/1/me-too/1"] {
            let reply = ana.post(to, &[("reporter_name", "Ana"), ("description", "Belt slips")]).await;
            assert_eq!(reply.status, StatusCode::GONE, "{to} after {archive}");
            assert!(reply.text().contains("taken off the board") || to.contains("me-too"));
        }
    }
    assert_eq!(ana.get("/e/1").await.status, StatusCode::GONE);
}

#[tokio::test]
async fn forms_about_equipment_of_archived_area_are_gone() {
    let web = saw().await;
    web.ops.store.write().execute_unprepared("UPDATE areas SET archived = TRUE").await.unwrap();
    for to in ["/e/1/report", "/e/1/me-too/1"] {
        let reply = web.browser().post(to, &[("reporter_name", "Ana"), ("description", "Noise")]).await;
        assert_eq!(reply.status, StatusCode::GONE, "{to}");
    }
}
