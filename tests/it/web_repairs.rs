//! The technicians' pages: the queue, one repair with its forms, a new one.

use crate::support::ops::{TestOps, ana, open_repairs, report, user, with_saw};
use crate::support::web::{Browser, Reply, TestWeb, serving};
use chrono::NaiveDate;
use esb::domain::actor::Role;
use esb::domain::ids::{EquipmentId, RepairId};
use esb::domain::repair::{RepairStatus, Severity};
use esb::ops::repairs::report_problem::report_problem;
use esb::store::entities::{repair, timeline};
use http::StatusCode;
use sea_orm::{EntityTrait, PaginatorTrait};

/// A serving web with one reported repair, #1.
async fn one_repair() -> (TestWeb, EquipmentId) {
    let (ops, saw) = with_saw().await;
    report_problem(&ops, &ana(), report(saw, 1)).await.unwrap();
    (serving(ops).await, saw)
}

async fn row(ops: &TestOps, id: i64) -> repair::Model {
    repair::Entity::find_by_id(RepairId(id)).one(ops.store.read()).await.unwrap().unwrap()
}

/// Sends a form of the repair's page, as that page had it, with other values for some inputs.
async fn send(browser: &Browser<'_>, page: &Reply, to: &str, fields: &[(&str, &str)]) -> Reply {
    let (token, version) = (page.hidden("csrf_token"), page.hidden("version"));
    let request = format!("{}-{}", page.hidden("request_id"), to.replace('/', "-"));
    let hidden = [("csrf_token", &*token), ("version", &*version), ("request_id", &*request)];
    browser.post(to, &[&hidden, fields].concat()).await
}

#[tokio::test]
async fn repairs_require_technician_or_staff() {
    let (web, _) = one_repair().await;
    for path in ["/repairs", "/repairs/1", "/repairs/new"] {
        let nobody = web.browser().get(path).await;
        assert_eq!(nobody.status, StatusCode::SEE_OTHER);
        assert!(nobody.header("location").starts_with("/login?next="), "{path}");
        for role in [Role::Technician, Role::Staff] {
            assert_eq!(web.signed_in(role).await.get(path).await.status, StatusCode::OK, "{path}");
        }
    }
    let tess = web.signed_in(Role::Technician).await;
    let page = tess.get("/repairs/1").await;
    for form in ["edit", "claim", "resolve", "status", "notes"] {
        let path = format!("/repairs/1/{form}");
        let stranger = web.browser().post(&path, &[("version", "1")]).await;
        assert_eq!(stranger.status, StatusCode::SEE_OTHER, "{form}");
        let forged = tess.post(&path, &[("version", "1"), ("request_id", "0123456789abcdef")]).await;
        assert_eq!(forged.status, StatusCode::FORBIDDEN, "{form}");
    }
    assert_eq!(row(&web.ops, 1).await.version, 1);
    assert_eq!(tess.get("/repairs/2").await.status, StatusCode::NOT_FOUND);
    assert!(page.text().contains("Blade wobbles"));
}

#[tokio::test]
async fn repeated_repair_forms_change_nothing() {
    let (web, _) = one_repair().await;
    let tess = web.signed_in(Role::Technician).await;
    let queue = tess.get("/repairs").await;
    assert!(queue.text().contains("#1 Table saw"));
    let claimed = send(&tess, &queue, "/repairs/1/claim", &[("next", "/repairs?assignee=me")]).await;
    assert_eq!((claimed.status, claimed.header("location")), (StatusCode::SEE_OTHER, "/repairs?assignee=me"));
    let page = tess.get("/repairs/1").await;
    assert!(page.text().contains("<bdi>tess</bdi> is on it") && page.text().contains("Assigned"));
    let noted = send(&tess, &page, "/repairs/1/notes", &[("note", "Belt <b>ordered</b>")]).await;
    assert_eq!(noted.status, StatusCode::SEE_OTHER);
    for _ in 0..2 {
        let resolved = send(&tess, &page, "/repairs/1/resolve", &[("note", "New belt")]).await;
        assert_eq!((resolved.status, resolved.header("location")), (StatusCode::SEE_OTHER, "/repairs/1"));
    }
    assert_eq!((row(&web.ops, 1).await.status, row(&web.ops, 1).await.version), (RepairStatus::Resolved, 3));
    assert_eq!(timeline::Entity::find().count(web.ops.store.read()).await.unwrap(), 6);
    let text = tess.get("/repairs/1").await.text();
    assert!(text.contains("Belt &lt;b&gt;ordered&lt;/b&gt;") && text.contains("New belt"));
    assert!(!tess.get("/repairs").await.text().contains("#1 Table saw"));
    assert!(tess.get("/repairs?state=closed").await.text().contains("#1 Table saw"));
    let page = tess.get("/repairs/1").await;
    let elsewhere =
        send(&tess, &page, "/repairs/1/status", &[("status", "New"), ("next", "//evil.example")]).await;
    assert_eq!(elsewhere.header("location"), "/repairs/1");
}

/// The batch form with its values as they are at first, and some others.
fn batch<'a>(others: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let shown = [
        ("status", "New"),
        ("duplicate_of", ""),
        ("assignee", ""),
        ("severity", "Down"),
        ("eta", ""),
        ("description", "Blade wobbles"),
        ("specialist_description", ""),
        ("note", ""),
    ];
    let kept = shown.iter().filter(|(name, _)| others.iter().all(|(other, _)| other != name));
    kept.chain(others).copied().collect()
}

#[tokio::test]
async fn conflicting_repair_edit_keeps_text() {
    let (web, _) = one_repair().await;
    let (tess, stu) = (web.signed_in(Role::Technician).await, web.signed_in(Role::Staff).await);
    let (hers, his) = (tess.get("/repairs/1").await, stu.get("/repairs/1").await);
    let saved =
        send(&tess, &hers, "/repairs/1/edit", &batch(&[("eta", "2026-03-09"), ("severity", "Degraded")]))
            .await;
    assert_eq!(saved.status, StatusCode::SEE_OTHER);
    let conflict = send(
        &stu,
        &his,
        "/repairs/1/edit",
        &batch(&[("severity", "Not Sure"), ("description", "Belt & <b>"), ("note", "Typed")]),
    )
    .await;
    assert_eq!(conflict.status, StatusCode::CONFLICT);
    let text = conflict.text();
    assert!(text.contains("tess set the severity to “Degraded”"), "{text}");
    assert!(text.contains("Belt &amp; &lt;b&gt;</textarea>") && text.contains("Typed</textarea>"), "{text}");
    assert!(text.contains("value=\"2026-03-09\"") && text.contains("<option value=\"Not Sure\" selected>"));
    assert_eq!((conflict.hidden("version").as_str(), row(&web.ops, 1).await.version), ("2", 2));
    // Having read it, he sends it again.
    let again = [("severity", "Not Sure"), ("description", "Belt"), ("eta", "2026-03-09")];
    assert_eq!(send(&stu, &conflict, "/repairs/1/edit", &batch(&again)).await.status, StatusCode::SEE_OTHER);
    let now = row(&web.ops, 1).await;
    assert_eq!((now.severity, now.eta), (Some(Severity::NotSure), NaiveDate::from_ymd_opt(2026, 3, 9)));
    // A field that he did not touch does not take back hers.
    let his = send(&stu, &his, "/repairs/1/status", &[("status", "In Progress")]).await;
    assert_eq!(his.status, StatusCode::SEE_OTHER);
    assert_eq!(row(&web.ops, 1).await.eta, NaiveDate::from_ymd_opt(2026, 3, 9));
}

#[tokio::test]
async fn refused_repair_form_shows_error_at_field() {
    let (web, _) = one_repair().await;
    let tess = web.signed_in(Role::Technician).await;
    let page = tess.get("/repairs/1").await;
    for (fields, words, at) in [
        (&[("status", "Resolved"), ("eta", "2026-04-01")][..], "what was done", "note-error"),
        (&[("status", "Gone")], "Please choose a status", "status-error"),
        (&[("eta", "soon")], "Please give a date", "eta-error"),
        (&[("assignee", "999")], "That person has no active account", "assignee-error"),
        (&[("description", "\u{200b}")], "Please fill this in", "description-error"),
        (&[("status", "Closed - Duplicate"), ("duplicate_of", "1")], "of itself", "duplicate_of-error"),
    ] {
        let refused = send(&tess, &page, "/repairs/1/edit", &batch(fields)).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{fields:?}");
        let text = refused.text();
        assert!(text.contains(words) && text.contains(&format!("id=\"{at}\"")), "{fields:?}: {text}");
    }
    let empty = send(&tess, &page, "/repairs/1/resolve", &[("note", " ")]).await;
    assert_eq!(empty.status, StatusCode::UNPROCESSABLE_ENTITY);
    let long = "x".repeat(3001);
    let long = send(&tess, &page, "/repairs/1/notes", &[("note", &long)]).await;
    assert_eq!(long.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(long.text().contains("xxxxx</textarea>"));
    assert_eq!((row(&web.ops, 1).await.version, row(&web.ops, 1).await.status), (1, RepairStatus::New));
}

#[tokio::test]
async fn queue_is_sorted_filtered_and_paged() {
    let (ops, saw) = with_saw().await;
    let severities = [Some(Severity::NotSure), Some(Severity::Down), None, Some(Severity::Down)];
    open_repairs(&ops, saw, severities.into_iter().chain(std::iter::repeat_n(None, 60))).await;
    let web = serving(ops).await;
    let tess = web.signed_in(Role::Technician).await;
    let first = tess.get("/repairs").await.text();
    let at = |text: &str, id: i64| text.find(&format!("/repairs/{id}\""));
    let places = [2, 4, 1, 3].map(|id| at(&first, id).unwrap());
    assert!(places.is_sorted(), "{places:?}");
    assert!(first.contains("64 open repairs") && first.contains("Page 1 of 2"));
    let second = tess.get("/repairs?page=2").await.text();
    assert!(at(&second, 64).is_some() && at(&second, 2).is_none());
    let claim = send(&tess, &tess.get("/repairs/4").await, "/repairs/4/claim", &[]).await;
    assert_eq!(claim.status, StatusCode::SEE_OTHER);
    for (query, there, count) in [
        ("severity=Down", 2, "2 open repairs like this"),
        ("assignee=me", 4, "1 open repair like this"),
        ("assignee=unassigned&severity=Down", 2, "1 open repair like this"),
        ("status=Assigned", 4, "1 open repair like this"),
        ("q=%2364", 64, "1 open repair like this"),
        ("q=TABLE", 2, "64 open repairs like this"),
        ("q=wobbles&area=1&sort=age&desc=1", 64, "64 open repairs like this"),
        ("sort=machine&desc=1", 2, "64 open repairs"),
        ("sort=assignee", 4, "64 open repairs"),
        ("sort=eta", 2, "64 open repairs"),
        ("sort=status", 4, "64 open repairs"),
    ] {
        let text = tess.get(&format!("/repairs?{query}")).await.text();
        assert!(at(&text, there).is_some() && text.contains(count), "{query}");
    }
    for nothing in ["q=100%25", "q=%27%3B--", "area=99", "state=closed"] {
        assert!(tess.get(&format!("/repairs?{nothing}")).await.text().contains("Nothing here"), "{nothing}");
    }
    assert!(tess.get("/repairs?page=99999999999999&sort=x&area=y").await.status == StatusCode::OK);
}

#[tokio::test]
async fn technician_opens_a_repair_for_somebody() {
    let (web, saw) = one_repair().await;
    let bo = user(&web.ops, "bo", Role::Technician).await.to_string();
    let tess = web.signed_in(Role::Technician).await;
    assert!(tess.get("/repairs/new?q=saw").await.text().contains("/repairs/new?equipment=1"));
    let page = tess.get(&format!("/repairs/new?equipment={saw}")).await;
    let (token, request, saw) = (page.hidden("csrf_token"), page.hidden("request_id"), saw.to_string());
    let fields = |description: &'static str| {
        vec![
            ("csrf_token", token.clone()),
            ("request_id", request.clone()),
            ("equipment", saw.clone()),
            ("description", description.to_owned()),
            ("status", "Parts Needed".to_owned()),
            ("assignee", bo.clone()),
            ("severity", String::new()),
            ("safety_risk", "1".to_owned()),
        ]
    };
    let send = async |description| {
        let fields = fields(description);
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        tess.post("/repairs/new", &fields).await
    };
    assert_eq!(send(" ").await.status, StatusCode::UNPROCESSABLE_ENTITY);
    for _ in 0..2 {
        assert_eq!(send("Belt slips").await.header("location"), "/repairs/2");
    }
    let row = row(&web.ops, 2).await;
    assert_eq!((row.status, row.severity, row.safety_risk), (RepairStatus::PartsNeeded, None, true));
    assert_eq!((row.reporter_name.as_str(), row.assignee_id.unwrap().to_string()), ("tess", bo.clone()));
    assert_eq!(tess.get("/repairs/new?equipment=99").await.status, StatusCode::NOT_FOUND);
}
