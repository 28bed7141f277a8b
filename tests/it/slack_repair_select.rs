//! The selects of technician forms with many repairs, equipment and people.

use crate::support::app::{ANA, BO, TestApp};
use crate::support::slack::{errors_of, put_option};
use chrono::TimeDelta;
use esb::store::entities::repair;
use esb_sandbox::{Cannot, Choice};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use serde_json::json;
use std::time::{Duration, Instant};

/// Slack waits 3 s for an answer.
const ANSWER_LIMIT: Duration = Duration::from_secs(3);

async fn suggested(app: &TestApp, select: &str, typed: &str) -> Vec<Choice> {
    let asked = Instant::now();
    let found = app.slack.suggest(ANA, select, typed).await.unwrap();
    assert!(asked.elapsed() < ANSWER_LIMIT, "{select} {typed}: {:?}", asked.elapsed());
    found
}

fn values(choices: &[Choice]) -> Vec<&str> {
    choices.iter().map(|choice| choice.value.as_str()).collect()
}

/// 5,000 machines in two areas, of which 1,500 have an open repair; 21 technicians.
async fn large() -> TestApp {
    let app = TestApp::start().await;
    let wood = app.area("Wood shop", "#woodshop").await;
    let metal = app.area("Métal shop", "#metalshop").await;
    app.add_many_equipment(wood, "Printer", 3_500).await;
    app.add_many_equipment(metal, "Forge", 1_500).await;
    app.add_open_repairs("Forge", "Cold", 1).await;
    app.technician("ana").await;
    for n in 1..=20 {
        app.technician(&format!("tech{n}")).await;
    }
    app
}

#[tokio::test]
async fn repair_select_offers_best_hundred() {
    let app = large().await;
    app.sql("UPDATE repairs SET severity = 'Degraded'").await;
    app.sql("UPDATE repairs SET severity = 'Down' WHERE id IN (700, 1400)").await;
    app.sql("UPDATE repairs SET severity = NULL WHERE id = 2").await;
    let long_ago = repair::Entity::update_many()
        .col_expr(repair::Column::CreatedAt, Expr::value(app.clock.now() - TimeDelta::days(9)))
        .filter(repair::Column::Id.eq(1400));
    long_ago.exec(app.app.ctx.store.write()).await.unwrap();
    app.sql("UPDATE equipment SET area_id = 1 WHERE name = 'Forge 3'").await;
    app.sql(
        "UPDATE repairs SET assignee_id = (SELECT id FROM users WHERE username = 'tech7') WHERE id = 900",
    )
    .await;
    app.command(ANA, "/esb-repair", "").await;

    let all = suggested(&app, "repair", "").await;
    assert_eq!(all.len(), 100);
    assert_eq!(values(&all)[..2], ["1400", "700"], "worst first, then oldest");
    assert!(!values(&all).contains(&"2"), "without a severity it is the least");
    let groups: Vec<&str> = all.iter().filter_map(|choice| choice.group.as_deref()).collect();
    assert_eq!((groups[0], groups[99]), ("Métal shop", "Wood shop"), "a group begins with its worst");
    assert!(groups.is_sorted(), "each group once");

    let found = suggested(&app, "repair", "#150").await;
    assert_eq!(values(&found), ["150", "1500"], "that very number, then what begins with it");
    assert_eq!(suggested(&app, "repair", "METAL").await.len(), 100);
    assert_eq!(values(&suggested(&app, "repair", "tech7").await), ["900"]);
    let by_name = suggested(&app, "repair", "forge 1234").await;
    assert_eq!((by_name.len(), by_name[0].label.as_str()), (1, "#1234 Forge 1234 — New"));
    assert_eq!(suggested(&app, "repair", "<!channel>").await, []);

    app.choose("repair", "1234").await;
    app.submit().await;
    assert_eq!(app.view().title(), "Repair #1234");
    app.finish().await;
}

#[tokio::test]
async fn change_shows_in_the_select_at_once() {
    let app = TestApp::workshop().await;
    app.command(ANA, "/esb-repair", "").await;
    assert_eq!(suggested(&app, "repair", "").await[0].label, "#1 Table saw — New");
    app.sql("UPDATE repairs SET status = 'In Progress'").await;
    assert_eq!(suggested(&app, "repair", "").await[0].label, "#1 Table saw — In Progress");
    app.close_repair(1).await;
    assert_eq!(suggested(&app, "repair", "").await, []);
    app.finish().await;
}

#[tokio::test]
async fn equipment_and_people_selects_scale() {
    let app = large().await;
    app.command(ANA, "/esb-repair", "something new").await;
    assert_eq!(suggested(&app, "equipment", "").await.len(), 100);
    assert_eq!(suggested(&app, "equipment", "forge 149").await.len(), 11);
    assert_eq!(suggested(&app, "assignee", "").await.len(), 21);
    let found: Vec<String> =
        suggested(&app, "assignee", "TECH1").await.into_iter().map(|choice| choice.label).collect();
    assert_eq!(found.len(), 11, "{found:?}");
    app.sql("UPDATE users SET active = FALSE WHERE username = 'tech1'").await;
    assert_eq!(suggested(&app, "assignee", "tech1").await.len(), 10, "nobody inactive");
    app.finish().await;
}

#[tokio::test]
async fn duplicate_select_finds_oldest_of_many() {
    let (app, _) = TestApp::with_saw().await;
    app.technician("ana").await;
    app.add_open_repairs("Table saw", "Belt slips", 1_500).await;
    app.sql("UPDATE repairs SET description = 'Smoke' WHERE id = 2").await;
    app.sql("UPDATE repairs SET description = 'No smoke at all' WHERE id = 1499").await;
    app.command(ANA, "/esb-update", "7").await;
    let all = suggested(&app, "duplicate_of", "").await;
    assert_eq!((all.len(), all[0].value.as_str()), (100, "1500"), "the newest first");
    assert_eq!(
        values(&suggested(&app, "duplicate_of", "SMOKE").await),
        ["2", "1499"],
        "what begins with it first"
    );
    assert_eq!(values(&suggested(&app, "duplicate_of", "#9").await), ["9"], "that very number");
    let begun = suggested(&app, "duplicate_of", "07").await;
    assert!(begun.is_empty(), "no number begins so: {begun:?}");
    app.close_repair(7).await;
    app.finish().await;
}

#[tokio::test]
async fn names_of_any_length_can_be_chosen() {
    let app = TestApp::start().await;
    app.technician("ana").await;
    let area = app.area(&"🔥".repeat(80), "").await;
    let name = "🪚".repeat(200);
    app.add_equipment(area, &name).await;
    app.add_open_repairs(&name, "\"\\{{x}}<!channel>*_~`", 1).await;
    app.sql("UPDATE repairs SET status = 'Needs Specialist'").await;
    app.command(ANA, "/esb-repair", "").await;
    let label = suggested(&app, "repair", "").await.remove(0).label;
    assert!(label.ends_with(" — Needs Specialist") && label.chars().count() == 75, "{label}");
    app.choose("repair", "1").await;
    app.submit().await;
    assert_eq!(app.view().callback_id(), "act_on_repair");
    app.finish().await;
}

#[tokio::test]
async fn selects_offer_nothing_without_technician_role() {
    let app = TestApp::workshop().await;
    app.command(ANA, "/esb-repair", "").await;
    app.sql("UPDATE users SET active = FALSE").await;
    assert_eq!(suggested(&app, "repair", "").await, []);
    for (select, metadata) in [("assignee", ""), ("duplicate_of", "{}"), ("repair", "")] {
        let mut asked = app.interaction("block_suggestion");
        asked["user"] = json!({ "id": BO, "name": "bo" });
        asked["action_id"] = json!(select);
        asked["value"] = json!("");
        asked["view"] = json!({ "id": "V1", "private_metadata": metadata });
        assert_eq!(app.send(asked).await.payload.unwrap(), json!({ "options": [] }), "{select}");
    }
    assert!(matches!(app.slack.suggest(ANA, "nothing", "").await, Err(Cannot::NoElement { .. })));
    let mut chosen = app.submission();
    put_option(&mut chosen, "repair", "1");
    assert!(
        errors_of(&app.send(chosen).await)["repair"].starts_with("You need a Technician or Staff account"),
        "nor let in"
    );
    app.finish().await;
}

#[tokio::test]
async fn people_select_puts_prefix_matches_first() {
    let (app, _) = TestApp::with_saw().await;
    app.technician("ana").await;
    for n in 1..=120 {
        app.technician(&format!("a-smith{n}")).await;
    }
    app.technician("smithers").await;
    app.command(ANA, "/esb-repair", "something new").await;
    assert_eq!(suggested(&app, "assignee", "").await.len(), 100);
    let found = suggested(&app, "assignee", "SMÍTH").await;
    assert_eq!((found.len(), found[0].label.as_str()), (100, "smithers"));
    assert!(found[1..].iter().all(|choice| choice.label.starts_with("a-smith")), "{found:?}");
    app.choose("assignee", "smithers").await;
    app.finish().await;
}
