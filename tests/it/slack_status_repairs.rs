//! `/esb-status` for technicians: buttons to repairs, past repairs, links and documents.

use crate::support::app::{ANA, BO, TestApp, only};
use crate::support::pictures::pdf;
use chrono::TimeDelta;
use esb::domain::text::{LinkTitle, LinkUrl};
use esb::store::equipment_links;
use esb_sandbox::Submitted;
use http::StatusCode;

/// The values of the buttons of this name in the modal before a person.
fn buttons(app: &TestApp, person: &str) -> Vec<String> {
    let view = app.slack.top_view(person).unwrap();
    let buttons = view.blocks().iter().map(|block| &block["accessory"]);
    let values = buttons.filter(|button| button["action_id"] == "open_repair");
    values.map(|button| button["value"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn technicians_open_repairs_from_status() {
    let app = TestApp::workshop().await;
    app.add_open_repairs("Table saw", "Fence is loose", 1).await;
    app.add_equipment(esb::domain::ids::AreaId(1), "Lathe").await;
    for text in ["wood shop", "table saw"] {
        app.command(ANA, "/esb-status", text).await;
        assert_eq!(buttons(&app, ANA), ["1", "2"], "{text}: one for each open repair");
        app.command(BO, "/esb-status", text).await;
        assert_eq!(buttons(&app, BO), Vec::<String>::new(), "{text}: none for members");
    }
    app.command(ANA, "/esb-status", "wood shop").await;
    let shown = app.view().shown();
    assert!(
        shown.contains("Also on *Table saw*\n>Fence is loose\n>#2 · Down · New · nobody assigned"),
        "{shown}"
    );
    assert!(shown.contains("*Lathe* · Operational"), "{shown}");
    app.press("open_repair", Some("2")).await;
    assert_eq!((app.view().title(), app.slack.views_of(ANA).len()), ("Repair #2", 2));
    app.choose("action", "claim").await;
    assert_eq!(app.submit().await, Submitted::Cleared);
    let told = only(app.slack.private_to(ANA));
    assert!(told.text.contains("Repair #2 is yours."), "{}", told.text);
    app.settle_and_finish().await;
}

#[tokio::test]
async fn status_actions_answer_in_original_channel() {
    let app = TestApp::workshop().await;
    let kept = |who: &str| app.slack.top_view(who).unwrap().json["private_metadata"].to_string();
    for (minutes, is_direct) in [(0, false), (31, true)] {
        app.command(ANA, "/esb-status", "").await;
        app.command(BO, "/esb-status", "").await;
        assert!(kept(ANA) != kept(BO) && kept(ANA).contains("response"), "each has their own");
        app.press("view_area", Some("1")).await;
        app.press("back_to_summary", None).await;
        app.send(app.pressed("view_area", "99")).await;
        assert_eq!(app.view().callback_id(), "status_error");
        app.press("back_to_summary", None).await;
        app.press("view_area", Some("1")).await;
        app.clock.advance(TimeDelta::minutes(minutes));
        app.press("open_repair", Some("1")).await;
        app.choose("action", "claim").await;
        assert_eq!(app.submit().await, Submitted::Cleared);
        let told = match is_direct {
            true => only(app.slack.direct_messages(ANA)),
            false => only(app.slack.private_to(ANA)),
        };
        assert!(told.text.contains("Repair #1 is yours."), "{}", told.text);
        assert_eq!(told.channel == "C0WOOD", !is_direct, "{}", told.channel);
    }
    app.settle_and_finish().await;
}

#[tokio::test]
async fn missing_repair_is_shown_in_view() {
    let app = TestApp::workshop().await;
    app.command(ANA, "/esb-status", "table saw").await;
    app.send(app.pressed("open_repair", "99")).await;
    assert_eq!(app.view().callback_id(), "status_error");
    assert!(app.view().shown().contains("no longer exists"), "{}", app.view().shown());
    app.sql("UPDATE users SET active = FALSE").await;
    app.command(ANA, "/esb-status", "table saw").await;
    app.send(app.pressed("open_repair", "1")).await;
    assert!(app.view().shown().contains("a Technician or Staff account"), "{}", app.view().shown());
    app.finish().await;
}

#[tokio::test]
async fn equipment_status_shows_links_and_past_repairs() {
    let app = TestApp::workshop().await;
    app.add_open_repairs("Table saw", "Was dull", 90).await;
    app.sql("UPDATE repairs SET status = 'Resolved', open = FALSE WHERE id > 1").await;
    let (title, url) =
        (LinkTitle::parse("Manual <1>").unwrap(), LinkUrl::parse("https://example.org/a?b=1&c=2").unwrap());
    let equipment = app.repair(1).await.equipment_id;
    let db = app.app.ctx.store.write();
    equipment_links::add(db, equipment, (&title, &url), app.clock.now()).await.unwrap();
    app.command(BO, "/esb-status", "table saw").await;
    let shown = app.slack.top_view(BO).unwrap().shown();
    assert!(shown.contains("• <https://example.org/a?b=1&amp;c=2|Manual &lt;1&gt;>"), "{shown}");
    assert!(!shown.contains("Was dull"), "{shown}");

    app.command(ANA, "/esb-status", "table saw").await;
    let (mut shown, mut ids) = (app.view().shown(), buttons(&app, ANA));
    while let Some(next) = app.view().blocks().iter().find(|block| block["block_id"] == "next") {
        let next = next["elements"][0]["value"].as_str().unwrap().to_owned();
        app.press("page", Some(&next)).await;
        shown.push_str(&app.view().shown());
        ids.extend(buttons(&app, ANA));
    }
    assert!(shown.contains("*Closed before*"), "{shown}");
    assert_eq!(shown.matches("Was dull").count(), 90);
    assert_eq!((ids.len(), ids[0].as_str(), ids[1].as_str()), (91, "1", "91"), "open ones, then the newest");
    app.press("open_repair", Some(ids.last().unwrap())).await;
    assert_eq!(app.view().callback_id(), "act_on_repair", "and it can be reopened");
    app.finish().await;
}

#[tokio::test]
async fn machine_shows_its_documents_to_everybody() {
    let (app, saw) = TestApp::with_saw().await;
    let (at, to) = (format!("/equipment/{saw}"), format!("/equipment/{saw}/documents"));
    let stu = app.staff().await;
    for title in ["Manual & <!channel>", "Blade guide"] {
        let form = stu.form(&at, &to).await.text("category", "Owner's Manual").text("document_title", title);
        let sent = stu.send_parts(&to, &form.file("document", "manual.pdf", &pdf())).await;
        assert_eq!(sent.status, StatusCode::SEE_OTHER, "{}", sent.text());
    }
    app.command(BO, "/esb-status", "table saw").await;
    let shown = app.slack.top_view(BO).unwrap().shown();
    assert!(
        shown.contains(
            "*Documents*\n• <http://esb.test/documents/1|Manual &amp; &lt;!channel&gt;>\n\
             • <http://esb.test/documents/2|Blade guide>"
        ),
        "{shown}"
    );
    app.finish().await;
}
