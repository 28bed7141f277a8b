//! `/admin/jobs` and the job page: progress, updates, cancel and resume.

use crate::support::jobs::{member, queue, step};
use crate::support::ops::{report, with_saw};
use crate::support::web::{TestWeb, serving};
use esb::domain::actor::Role;
use esb::domain::ids::RepairId;
use esb::ops::repairs::report_problem::report_problem;
use esb_sandbox::{Options, Sandbox, World};
use http::StatusCode;
use sea_orm::ConnectionTrait;

async fn serving_a_repair() -> (TestWeb, RepairId, Sandbox) {
    let (ops, saw) = with_saw().await;
    let repair = report_problem(&ops, &member(), report(saw, 1)).await.unwrap().repair;
    (serving(ops).await, repair, Sandbox::start(World::new(), Options::default()).unwrap())
}

#[tokio::test]
async fn job_page_shows_progress_and_next_attempt() {
    let (web, repair, slack) = serving_a_repair().await;
    let id = queue(&web.ops, &slack, repair, &["F1", "F2", "F3"], None).await;
    let stu = web.signed_in(Role::Staff).await;
    let page = format!("/admin/jobs/{id}");
    let version = async || {
        let text = stu.get(&page).await.text();
        text.split("data-job=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
    };
    let before = stu.get(&page).await.text();
    for text in [
        "<h1>Job #1: Photos from Slack</h1>",
        "Started by <bdi>Ana Lee</bdi>",
        "<div data-part=\"now\" aria-live=\"polite\">",
        "<span class=\"tag\">Queued</span>",
        "<p>Step 0 of 3 done: Fetching F1.png</p>",
        "<progress max=\"3\" value=\"0\" aria-label=\"Steps done\">0 of 3</progress>",
        "It has nothing to say yet.",
        "action=\"/admin/jobs/1/cancel\"",
        "<noscript><meta http-equiv=\"refresh\"",
    ] {
        assert!(before.contains(text), "{text} in {before}");
    }
    assert!(!before.contains("/resume\"") && !before.contains("data-over"));
    let script = before.split("src=\"").find(|src| src.contains("/job.js")).unwrap();
    let script = web.get(script.split('"').next().unwrap()).await;
    assert!(script.status == StatusCode::OK && script.text().contains("data-part"));
    let first = version().await;
    assert_eq!(version().await, first, "nothing changed");
    step(&web.ops, id).await;
    assert_ne!(version().await, first);
    let after = stu.get(&page).await.text();
    for text in [
        "<span class=\"tag\">Running</span>",
        "<p>Step 1 of 3 done: Fetching &lt;F2&gt;</p>",
        "value=\"1\"",
        "<p class=\"text\">F1 is there &amp; safe.</p>",
    ] {
        assert!(after.contains(text), "{text} in {after}");
    }
}

#[tokio::test]
async fn staff_cancel_and_resume_by_its_forms() {
    let (web, repair, slack) = serving_a_repair().await;
    let id = queue(&web.ops, &slack, repair, &["F1", "F2"], None).await;
    let stu = web.signed_in(Role::Staff).await;
    let page = format!("/admin/jobs/{id}");
    let (cancel, resume) = (format!("{page}/cancel"), format!("{page}/resume"));
    let refused = stu.fill_in(&page, &resume, &[]).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(refused.text().contains("This one is queued."), "{}", refused.text());
    let cancelled = stu.fill_in(&page, &cancel, &[]).await;
    assert_eq!((cancelled.status, cancelled.header("location")), (StatusCode::SEE_OTHER, page.as_str()));
    let shown = stu.get(&page).await.text();
    for text in ["<span class=\"tag\">Cancelled</span>", "Cancelled by stu.", "data-over=\"1\"", "/resume\""]
    {
        assert!(shown.contains(text), "{text} in {shown}");
    }
    assert!(!shown.contains("/job.js") && !shown.contains("/cancel\""));
    assert_eq!(stu.fill_in(&page, &resume, &[]).await.status, StatusCode::SEE_OTHER);
    step(&web.ops, id).await;
    assert_eq!(stu.fill_in(&page, &cancel, &[]).await.status, StatusCode::SEE_OTHER);
    let shown = stu.get(&page).await.text();
    assert!(shown.contains("Canceled: it ends after this step") && !shown.contains("/cancel\""), "{shown}");
    for path in ["/admin/jobs/99", "/admin/jobs/x"] {
        assert_eq!(stu.get(path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    let gone = stu.fill_in(&page, "/admin/jobs/99/cancel", &[]).await;
    assert_eq!(gone.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn job_list_is_paged_and_filtered() {
    let (web, repair, slack) = serving_a_repair().await;
    let stu = web.signed_in(Role::Staff).await;
    assert!(stu.get("/admin/jobs").await.text().contains("There is no job yet."));
    for n in 0..51 {
        queue(&web.ops, &slack, repair, &[&format!("F{n}")], None).await;
    }
    let sql = "UPDATE jobs SET state = 'failed', failure = 'F1.png <is> no picture.' WHERE id IN (3, 7)";
    web.ops.store.write().execute_unprepared(sql).await.unwrap();
    let list = async |query: &str| {
        let text = stu.get(&format!("/admin/jobs{query}")).await.text();
        let ids: Vec<i64> = text
            .split("<h2><a href=\"/admin/jobs/")
            .skip(1)
            .map(|rest| rest.split('"').next().unwrap().parse().unwrap())
            .collect();
        (ids, text)
    };
    let (ids, text) = list("").await;
    assert_eq!(ids, (2..=51).rev().collect::<Vec<_>>(), "newest first, 50 of them");
    assert!(text.contains("<a rel=\"next\" href=\"/admin/jobs?before&#x3D;2\">Older</a>"), "{text}");
    assert_eq!(list("?before=2").await.0, [1]);
    let (ids, text) = list("?state=failed&kind=fetch_photos").await;
    assert_eq!(ids, [7, 3]);
    assert!(
        text.contains("F1.png &lt;is&gt; no picture.")
            && text.contains("<span class=\"tag danger\">Failed</span>")
    );
    assert!(text.contains("<option value=\"failed\" selected>Failed</option>") && !text.contains("Older"));
    assert!(list("?state=succeeded").await.1.contains("Nothing matches."));
    let (_, text) = list("?state=queued").await;
    assert!(!text.contains("Older"), "49 of them fit");
    for wrong in ["?state=baked", "?kind=bread", "?before=x", "?before=0"] {
        assert_eq!(stu.get(&format!("/admin/jobs{wrong}")).await.status, StatusCode::NOT_FOUND, "{wrong}");
    }
}
