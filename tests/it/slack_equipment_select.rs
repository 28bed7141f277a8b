//! The select of the report form that asks for machines.

use crate::support::app::{ANA, TestApp};
use chrono::TimeDelta;
use esb::domain::text::EquipmentName;
use esb_sandbox::{Cannot, Choice};
use serde_json::json;

async fn suggested(app: &TestApp, typed: &str) -> Vec<Choice> {
    app.slack.suggest(ANA, "equipment", typed).await.unwrap()
}

fn labels(choices: &[Choice]) -> Vec<&str> {
    choices.iter().map(|choice| choice.label.as_str()).collect()
}

#[tokio::test]
async fn prefix_matches_come_before_substring_matches() {
    let app = TestApp::start().await;
    let wood = app.area("Wood shop", "#woodshop").await;
    for name in ["Table saw", "Jigsaw", "Säwmill", "SAW stop", "Drill", "100% lathe", "Lathe_2"] {
        app.add_equipment(wood, name).await;
    }
    let gone = app.add_equipment(wood, "Saw of old").await;
    app.archive(gone).await;
    let shed = app.area("Shed", "").await;
    app.add_equipment(shed, "Saw in the shed").await;
    app.sql(&format!("UPDATE areas SET archived = TRUE WHERE id = {shed}")).await;
    app.command(ANA, "/esb-report", "").await;

    let found = suggested(&app, "SÄW").await;
    assert_eq!(labels(&found), ["SAW stop", "Säwmill", "Table saw", "Jigsaw"]);
    assert_eq!(found[0].description.as_deref(), Some("Wood shop"));
    assert_eq!(labels(&suggested(&app, "%").await), ["100% lathe"]);
    assert_eq!(labels(&suggested(&app, "e_").await)[0], "Lathe_2", "as it is written");
    assert_eq!(labels(&suggested(&app, "tabbel").await), ["Table saw"], "the nearest, where none fits");
    assert_eq!(labels(&suggested(&app, "#1").await), ["Table saw"]);
    assert_eq!(suggested(&app, "").await.len(), 7, "archived ones are never offered");
    for nothing in ["xyz", &format!("#{gone}"), "<!channel>", "\"}{{x}}\\", &"s".repeat(10_000)] {
        assert_eq!(suggested(&app, nothing).await, [], "{nothing}");
    }
    app.finish().await;
}

#[tokio::test]
async fn select_offers_best_hundred_of_five_thousand() {
    let app = TestApp::start().await;
    let wood = app.area("Wood shop", "#woodshop").await;
    app.add_many_equipment(wood, "Printer", 5000).await;
    app.add_equipment(wood, "The old printer 4").await;
    app.command(ANA, "/esb-report", "printer 4999").await;
    assert_eq!(app.view().value("equipment").as_deref(), Some("Printer 4999"));
    assert_eq!(suggested(&app, "").await.len(), 100);
    let found = suggested(&app, "printer 4").await;
    assert_eq!((found.len(), found[0].label.as_str()), (100, "Printer 4"));
    assert_eq!(labels(&suggested(&app, "4999").await), ["Printer 4999"]);

    app.slack.close(ANA).await.unwrap();
    assert!(app.slack.open_home(ANA).await.unwrap().outcome.is_acknowledged());
    app.settle().await;
    let found = app.slack.suggest(ANA, "search_equipment", "printer 4").await.unwrap();
    assert_eq!((found.len(), found[0].label.as_str()), (100, "Printer 4"), "on the Home tab, too");
    app.finish().await;
}

#[tokio::test]
async fn names_of_any_length_can_be_chosen() {
    let app = TestApp::start().await;
    let wood = app.area(&"&".repeat(80), "#woodshop").await;
    for name in ["🔥".repeat(EquipmentName::MAX), "\"\\{{x}}<!channel>*_~`".into()] {
        let equipment = app.add_equipment(wood, &name).await;
        app.command(ANA, "/esb-report", "").await;
        app.choose("equipment", &equipment.to_string()).await;
        let shown = app.view().value("equipment").unwrap();
        assert!(name.starts_with(shown.trim_end_matches('…')), "{shown}");
        app.fill("description", "Broken").await;
        app.submit().await;
        assert_eq!(app.repair(equipment.0).await.equipment_id, equipment);
    }
    app.after(TimeDelta::seconds(1)).await;
    app.read_all();
    app.finish().await;
}

#[tokio::test]
async fn search_that_fails_finds_nothing() {
    let (app, _) = TestApp::with_saw().await;
    app.command(ANA, "/esb-report", "").await;
    app.sql("ALTER TABLE equipment RENAME TO away").await;
    assert_eq!(suggested(&app, "saw").await, []);
    app.sql("ALTER TABLE away RENAME TO equipment").await;
    assert_eq!(suggested(&app, "saw").await.len(), 1);
    app.finish().await;
}

#[tokio::test]
async fn unknown_select_offers_no_options() {
    let (app, _) = TestApp::with_saw().await;
    app.command(ANA, "/esb-report", "").await;
    let mut asked = app.interaction("block_suggestion");
    asked["view"] = app.view().json;
    asked["action_id"] = json!("assignee");
    asked["block_id"] = json!("assignee");
    asked["value"] = json!("ana");
    assert_eq!(app.send(asked).await.payload.unwrap(), json!({ "options": [] }));
    assert_eq!(
        app.slack.suggest(ANA, "severity", "x").await.map_err(|e| matches!(e, Cannot::WrongKind { .. })),
        Err(true)
    );
    app.finish().await;
}
