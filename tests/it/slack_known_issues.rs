//! Known issues in the report form, and "Me too" on them.

use crate::support::app::{ANA, BO, TestApp};
use crate::support::lines::Lines;
use esb::ops::board;
use esb_sandbox::{Fault, Submitted};
use tracing::Level;

async fn people(app: &TestApp, equipment: esb::domain::ids::EquipmentId) -> Vec<u64> {
    let equipment = board::equipment(&app.app.ctx, equipment).await.unwrap();
    equipment.open_repairs.iter().map(|repair| repair.me_too).collect()
}

#[tokio::test]
async fn choosing_equipment_shows_problems_and_keeps_text() {
    let (app, _) = TestApp::with_saw().await;
    let area = app.area("Metal shop", "").await;
    app.add_equipment(area, "Forge").await;
    app.report("table saw", "Belt slips & <smokes>").await;
    app.report("table saw", "Second thing").await;
    app.close_repair(2).await;
    app.read_all();

    app.command(ANA, "/esb-report", "").await;
    app.fill("reporter_name", "Ana from wood").await;
    app.fill("description", "It smokes").await;
    app.choose("severity", "Down").await;
    app.choose("safety_risk", "safety_risk").await;
    app.choose("equipment", "Table saw").await;
    let shown = app.view().shown();
    assert!(
        shown.contains("Already known") && shown.contains("*#1* Belt slips &amp; &lt;smokes&gt;"),
        "{shown}"
    );
    assert!(!shown.contains("Second thing"), "closed ones are no issues");
    for (input, kept) in [
        ("reporter_name", "Ana from wood"),
        ("description", "It smokes"),
        ("severity", "Down"),
        ("safety_risk", "Somebody could be hurt"),
        ("equipment", "Table saw"),
    ] {
        assert_eq!(app.view().value(input).as_deref(), Some(kept), "{input}");
    }
    app.choose("equipment", "Forge").await;
    assert!(!app.view().shown().contains("Already known"));
    assert_eq!(app.view().value("description").as_deref(), Some("It smokes"));
    assert_eq!(app.submit().await, Submitted::Cleared);
    app.read_all();
    app.finish().await;
}

#[tokio::test]
async fn preselected_machine_shows_its_issues_at_once() {
    let (app, _) = TestApp::with_saw().await;
    app.report("table saw", "Belt slips").await;
    app.sql("UPDATE repairs SET safety_risk = TRUE").await;
    app.read_all();
    app.command(ANA, "/esb-report", "table saw").await;
    let shown = app.view().shown();
    assert!(shown.contains("*#1* :warning: *Do not use* · Belt slips"), "{shown}");
    app.finish().await;
}

#[tokio::test]
async fn more_than_ten_issues_are_counted() {
    let (app, _) = TestApp::with_saw().await;
    app.add_open_repairs("Table saw", "Thing", 12).await;
    app.command(ANA, "/esb-report", "table saw").await;
    let shown = app.view().shown();
    assert!(shown.contains("*#10* Thing") && !shown.contains("*#11*"), "{shown}");
    assert!(shown.contains("2 more are known: see `/esb-status`."), "{shown}");
    app.close_repair(12).await;
    app.command(ANA, "/esb-report", "table saw").await;
    assert!(app.view().shown().contains("1 more is known: see `/esb-status`."));
    app.finish().await;
}

#[tokio::test]
async fn more_issues_than_are_read_are_counted_too() {
    let (app, _) = TestApp::with_saw().await;
    app.add_open_repairs("Table saw", "Thing", 130).await;
    app.command(ANA, "/esb-report", "table saw").await;
    let shown = app.view().shown();
    assert!(shown.contains("120 more are known: see `/esb-status`."), "{shown}");
    app.choose("equipment", "Table saw").await;
    assert!(app.view().shown().contains("120 more are known"), "also when chosen");
    app.command(ANA, "/esb-status", "table saw").await;
    let status = app.view().shown();
    assert!(status.contains("130 repairs are open. These are the worst 100."), "{status}");
    app.finish().await;
}

#[tokio::test]
async fn me_too_counts_each_person_once() {
    let (app, saw) = TestApp::with_saw().await;
    app.report("table saw", "Belt slips").await;
    app.report("table saw", "Blade wobbles").await;
    app.read_all();
    app.command(ANA, "/esb-report", "table saw").await;
    app.fill("description", "Slips for me").await;
    let first = app.pressed("me_too", "1");
    app.press("me_too", Some("1")).await;
    let shown = app.view().shown();
    assert_eq!(shown.matches("You are counted, thank you.").count(), 1, "{shown}");
    assert!(shown.contains("1 other person has this too"), "{shown}");
    assert!(app.slack.press(ANA, "me_too", Some("1")).await.is_err(), "its button is gone");

    app.press("me_too", Some("2")).await;
    assert_eq!(app.view().shown().matches("You are counted").count(), 2, "the first stays counted");
    assert_eq!(app.view().value("description").as_deref(), Some("Slips for me"));
    app.choose("equipment", "Table saw").await;
    assert_eq!(app.view().shown().matches("You are counted").count(), 2);

    app.send(first.clone()).await;
    app.send(first).await;
    app.command(BO, "/esb-report", "table saw").await;
    app.slack.press(BO, "me_too", Some("1")).await.unwrap();
    app.settle().await;
    assert!(app.slack.top_view(BO).unwrap().shown().contains("2 others have this too"));
    assert_eq!(people(&app, saw).await, [2, 1]);
    app.read_all();
    app.finish().await;
}

#[tokio::test]
async fn counted_person_may_still_report() {
    let (app, _) = TestApp::with_saw().await;
    app.report("table saw", "Belt slips").await;
    app.read_all();
    app.command(ANA, "/esb-report", "table saw").await;
    app.press("me_too", Some("1")).await;
    app.fill("description", "And something else").await;
    assert_eq!(app.submit().await, Submitted::Cleared);
    assert!(app.private(ANA).contains("repair #2"), "the confirmation still finds its way");
    app.read_all();
    app.finish().await;
}

#[tokio::test]
async fn me_too_on_closed_repair_updates_form() {
    let (app, _) = TestApp::with_saw().await;
    app.report("table saw", "Belt slips").await;
    app.report("table saw", "Blade wobbles").await;
    app.read_all();
    app.command(ANA, "/esb-report", "table saw").await;
    app.fill("description", "Slips for me").await;
    app.close_repair(1).await;
    app.press("me_too", Some("1")).await;
    let answer = app.private(ANA);
    assert!(answer.starts_with(":x: This repair is closed now."), "{answer}");
    let shown = app.view().shown();
    assert!(!shown.contains("Belt slips") && shown.contains("Blade wobbles"), "{shown}");
    assert_eq!(app.view().value("description").as_deref(), Some("Slips for me"));
    app.finish().await;
}

#[tokio::test]
async fn invalid_me_too_is_answered_privately() {
    let (app, saw) = TestApp::with_saw().await;
    app.report("table saw", "Belt slips").await;
    app.read_all();
    app.command(ANA, "/esb-report", "table saw").await;
    app.fill("description", "Slips for me").await;
    let lines = Lines::from(Level::INFO);
    for (value, words) in
        [("999", "no longer exists"), ("x", "out of date"), ("", "out of date"), ("-1", "out of date")]
    {
        app.send(app.pressed("me_too", value)).await;
        let answer = app.private(ANA);
        assert!(answer.starts_with(":x: ") && answer.contains(words), "{value}: {answer}");
        let line = lines.only_slack_line();
        assert!(line.contains("Slack request refused"), "{line}");
    }
    assert_eq!(people(&app, saw).await, [0]);
    assert_eq!(app.view().value("description").as_deref(), Some("Slips for me"));
    app.finish().await;
}

#[tokio::test]
async fn form_stays_unchanged_without_database() {
    let (app, _) = TestApp::with_saw().await;
    app.report("table saw", "Belt slips").await;
    app.read_all();
    app.command(ANA, "/esb-report", "table saw").await;
    app.fill("description", "Slips for me").await;
    let before = app.view().shown();
    app.sql("ALTER TABLE repairs RENAME TO away").await;
    app.slack.press(ANA, "me_too", Some("1")).await.unwrap();
    app.slack.choose(ANA, "equipment", "Table saw").await.unwrap();
    app.settle().await;
    app.sql("ALTER TABLE away RENAME TO repairs").await;
    let answers = app.slack.private_to(ANA);
    assert_eq!(answers.len(), 2, "once for each act: {answers:?}");
    for answer in answers {
        assert!(answer.text.starts_with(":x: Something went wrong (ref "), "{}", answer.text);
    }
    assert_eq!(app.view().shown(), before);
    app.finish().await;
}

#[tokio::test]
async fn failed_view_update_is_explained() {
    let (app, saw) = TestApp::with_saw().await;
    app.add_open_repairs("Table saw", "Belt slips", 3).await;
    app.command(ANA, "/esb-report", "table saw").await;
    app.fill("description", "Slips for me").await;
    for (n, fault, words) in [
        (1, Fault::RateLimited(30), Some("Slack is very busy")),
        (2, Fault::Http(503), Some("Something went wrong (ref ")),
        (3, Fault::Error("not_found"), None),
    ] {
        let (press, choice) = (app.pressed("me_too", &n.to_string()), "Table saw");
        app.slack.fail_always("views.update", fault);
        app.send(press).await;
        app.choose("equipment", choice).await;
        app.slack.clear_faults();
        let told: Vec<String> = app.slack.private_to(ANA).into_iter().map(|it| it.text).collect();
        assert_eq!(told.len(), if words.is_some() { 2 } else { 0 }, "{fault:?}: {told:?}");
        assert!(told.iter().all(|told| told.contains(words.unwrap_or_default())), "{fault:?}: {told:?}");
    }
    assert_eq!(people(&app, saw).await, [1, 1, 1], "counted all the same");
    assert_eq!(app.submit().await, Submitted::Cleared);
    app.settle_and_finish().await;
}
