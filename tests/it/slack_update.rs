//! `/esb-update` through Slack: what the form shows, what it changes, and how conflicts are handled.

use crate::support::app::{ANA, BO, TestApp};
use crate::support::slack::{errors, errors_of, put, put_option};
use chrono::{NaiveDate, TimeDelta};
use esb::domain::actor::{Account, Actor, Edge, Role};
use esb::domain::edit::RepairEdit;
use esb::domain::field::FieldValue;
use esb::domain::ids::{RepairId, UserId};
use esb::domain::repair::{RepairStatus, Severity};
use esb::domain::text::{Note, RequestId};
use esb::ops::repairs::update_repair::{UpdateRepair, update_repair};
use esb_sandbox::{Submitted, View};
use serde_json::json;

impl TestApp {
    /// Somebody changes repair 1 by another way.
    pub async fn changed_by(&self, name: &str, values: Vec<FieldValue>) {
        let id: UserId = self.technician(name).await;
        let actor = Actor::of_account(Edge::Web, name, Account { id, role: Role::Technician });
        let version = self.repair(1).await.version;
        let request_id = RequestId::from_random(rand::random());
        let note = Some(Note::parse("Looked at it").unwrap());
        let edit = RepairEdit { version, values, note };
        let update = UpdateRepair { repair: RepairId(1), edit, request_id };
        update_repair(&self.app.ctx, &actor, update).await.unwrap();
    }
}

fn inputs(view: &View) -> Vec<String> {
    let inputs = view.blocks().iter().filter(|block| block["type"] == "input");
    inputs.map(|block| block["block_id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn update_form_shows_current_values() {
    let app = TestApp::workshop().await;
    let sam = app.technician("sam").await;
    app.sql(&format!(
        "UPDATE repairs SET status = 'In Progress', eta = '2026-03-09', assignee_id = {sam}, \
         specialist_description = 'Gas fitter', safety_risk = TRUE, consumable = TRUE"
    ))
    .await;
    app.clock.advance(TimeDelta::days(3));
    app.changed_by("sam", vec![FieldValue::Severity(Some(Severity::Degraded))]).await;
    for text in ["1", "#1", ""] {
        app.command(ANA, "/esb-update", text).await;
        if text.is_empty() {
            assert_eq!(app.view().callback_id(), "choose_repair");
            app.choose("repair", "1").await;
            assert_eq!(app.submit().await, Submitted::Pushed);
        }
        let view = app.view();
        assert_eq!((view.callback_id(), view.title()), ("update_repair", "Repair #1"));
        let all = [
            "status",
            "duplicate_of",
            "severity",
            "assignee",
            "eta",
            "specialist_description",
            "safety_risk",
            "consumable",
            "note",
        ];
        assert_eq!(inputs(&view), all);
        for (input, value) in [
            ("status", Some("In Progress")),
            ("duplicate_of", None),
            ("severity", Some("Degraded")),
            ("assignee", Some("sam")),
            ("eta", Some("2026-03-09")),
            ("specialist_description", Some("Gas fitter")),
            ("safety_risk", Some("Somebody could be hurt")),
            ("consumable", Some("Something is used up (blade, filter, filament)")),
            ("note", None),
        ] {
            assert_eq!(view.value(input).as_deref(), value, "{input}");
        }
        assert_eq!(view.element("status").unwrap()["options"].as_array().unwrap().len(), 10);
        let shown = view.shown();
        for part in [
            "*Table saw* (Wood shop)",
            "Reported by Ana 3 days ago",
            "Blade wobbles",
            "sam set the severity from “Down” to “Degraded” just now",
            "sam wrote a note just now: Looked at it",
        ] {
            assert!(shown.contains(part), "{part}\n{shown}");
        }
    }
    app.settle_and_finish().await;
}

#[tokio::test]
async fn update_changes_everything_and_clears_empty() {
    let app = TestApp::workshop().await;
    let ana = app.technician("ana").await;
    app.command(ANA, "/esb-update", "1").await;
    for (input, value) in [
        ("status", "Needs Specialist"),
        ("severity", "Not Sure"),
        ("assignee", "ana"),
        ("eta", "2026-03-10"),
        ("safety_risk", "safety_risk"),
        ("consumable", "consumable"),
    ] {
        app.choose(input, value).await;
    }
    app.fill("specialist_description", "Electrician").await;
    app.fill("note", "Smells burnt").await;
    assert_eq!(app.submit().await, Submitted::Cleared);
    let told = app.private(ANA);
    assert!(told.starts_with(":white_check_mark: Repair #1 is saved. It is Needs Specialist."), "{told}");
    let repair = app.repair(1).await;
    assert_eq!((repair.status, repair.severity), (RepairStatus::NeedsSpecialist, Some(Severity::NotSure)));
    assert_eq!((repair.assignee_id, repair.eta), (Some(ana), NaiveDate::from_ymd_opt(2026, 3, 10)));
    assert!(repair.safety_risk && repair.consumable);
    assert_eq!(repair.specialist_description, "Electrician");

    app.command(ANA, "/esb-update", "1").await;
    for input in ["severity", "assignee", "eta", "specialist_description", "safety_risk", "consumable"] {
        app.slack.clear(ANA, input).await.unwrap();
    }
    assert_eq!(app.submit().await, Submitted::Cleared);
    app.private(ANA);
    let repair = app.repair(1).await;
    assert_eq!((repair.severity, repair.assignee_id, repair.eta), (None, None, None));
    assert!(!repair.safety_risk && !repair.consumable && repair.specialist_description.is_empty());
    assert_eq!(repair.status, RepairStatus::NeedsSpecialist);

    app.command(ANA, "/esb-update", "1").await;
    app.submit().await;
    assert!(app.private(ANA).contains("Nothing to change"));
    assert_eq!(app.repair(1).await.version, repair.version);
    app.settle_and_finish().await;
}

#[tokio::test]
async fn missing_input_leaves_field_unchanged() {
    let app = TestApp::workshop().await;
    app.sql("UPDATE repairs SET eta = '2026-03-09', safety_risk = TRUE").await;
    app.command(ANA, "/esb-update", "1").await;
    let mut sent = app.submission();
    sent["view"]["state"]["values"] = json!({});
    put_option(&mut sent, "severity", "Not Sure");
    assert_eq!(app.send(sent).await.payload.unwrap()["response_action"], "clear");
    let repair = app.repair(1).await;
    assert_eq!(repair.severity, Some(Severity::NotSure));
    assert_eq!((repair.eta, repair.safety_risk), (NaiveDate::from_ymd_opt(2026, 3, 9), true));
    assert_eq!(repair.status, RepairStatus::New);
    app.settle_and_finish().await;
}

#[tokio::test]
async fn overlong_specialist_text_is_shown_and_unchanged() {
    let app = TestApp::workshop().await;
    app.command(ANA, "/esb-update", "1").await;
    app.fill("specialist_description", &"x".repeat(3000)).await;
    app.submit().await;
    app.command(ANA, "/esb-update", "1").await;
    assert_eq!(app.view().value("specialist_description").unwrap().len(), 3000, "the longest that fits");
    app.sql(&format!("UPDATE repairs SET specialist_description = '{}'", "y".repeat(3001))).await;
    app.command(ANA, "/esb-update", "1").await;
    assert!(!inputs(&app.view()).contains(&"specialist_description".to_owned()));
    let shown = app.view().shown();
    assert!(shown.contains("too long to be edited in Slack") && shown.contains("yyyy"), "{shown}");
    app.choose("severity", "Not Sure").await;
    app.submit().await;
    assert_eq!(app.repair(1).await.specialist_description.len(), 3001);
    app.settle_and_finish().await;
}

#[tokio::test]
async fn concurrent_updates_conflict_on_their_field() {
    let app = TestApp::workshop().await;
    app.command(ANA, "/esb-update", "1").await;
    app.changed_by(
        "sam",
        vec![
            FieldValue::Status(RepairStatus::PartsOrdered),
            FieldValue::Severity(Some(Severity::Degraded)),
            FieldValue::Consumable(true),
        ],
    )
    .await;
    app.choose("status", "In Progress").await;
    app.choose("eta", "2026-03-10").await;
    app.fill("note", "My own words").await;
    let refused = errors(app.submit().await);
    assert_eq!(refused.keys().collect::<Vec<_>>(), ["status"]);
    assert!(refused["status"].starts_with("sam set the status to “Parts Ordered” while you were editing."));
    let view = app.view();
    assert_eq!(view.value("status").as_deref(), Some("In Progress"), "it is kept");
    assert_eq!(view.value("note").as_deref(), Some("My own words"));
    assert_eq!(app.repair(1).await.eta, None, "nothing was saved");

    app.changed_by("kim", vec![FieldValue::Status(RepairStatus::PartsReceived)]).await;
    let refused = errors(app.submit().await);
    assert!(refused["status"].starts_with("kim set the status to “Parts Received”"), "{refused:?}");
    assert_eq!(app.submit().await, Submitted::Cleared, "sent again, it stands");
    let repair = app.repair(1).await;
    assert_eq!((repair.status, repair.eta), (RepairStatus::InProgress, NaiveDate::from_ymd_opt(2026, 3, 10)));
    assert_eq!((repair.severity, repair.consumable), (Some(Severity::Degraded), true), "untouched, so sam's");
    let notes = app.timeline().await;
    assert_eq!(notes.iter().filter(|(_, _, text)| text.as_deref() == Some("My own words")).count(), 1);
    app.settle_and_finish().await;
}

#[tokio::test]
async fn invalid_values_are_reported_on_their_field() {
    let app = TestApp::workshop().await;
    app.command(ANA, "/esb-update", "1").await;
    app.choose("status", "Resolved").await;
    assert_eq!(errors(app.submit().await)["note"], "Please write a note about what was done.");
    app.choose("status", "Closed - Duplicate").await;
    assert!(errors(app.submit().await)["duplicate_of"].starts_with("Please choose the original repair"));
    for (input, value) in [("severity", "Terrible"), ("assignee", "x"), ("duplicate_of", "0"), ("status", "")]
    {
        let mut sent = app.submission();
        put_option(&mut sent, input, value);
        assert!(errors_of(&app.send(sent).await)[input].starts_with("Please choose"), "{input}");
    }
    let mut unstorable = app.submission();
    put_option(&mut unstorable, "status", "New");
    put(&mut unstorable, "note", json!({ "value": "a\u{0}b" }));
    assert!(errors_of(&app.send(unstorable).await)["note"].contains("(U+0000)"));
    let mut nobody = app.submission();
    put_option(&mut nobody, "status", "New");
    put_option(&mut nobody, "assignee", "999");
    assert!(errors_of(&app.send(nobody).await)["assignee"].contains("no active account"));
    assert!(app.timeline().await.is_empty());
    app.finish().await;
}

#[tokio::test]
async fn deactivated_assignee_may_stay_assigned() {
    let app = TestApp::workshop().await;
    let bo = app.technician("bo").await;
    app.sql(&format!("UPDATE repairs SET assignee_id = {bo}")).await;
    app.sql("UPDATE users SET active = FALSE WHERE username = 'bo'").await;
    app.command(ANA, "/esb-update", "1").await;
    assert_eq!(app.view().value("assignee").as_deref(), Some("bo"));
    app.choose("severity", "Not Sure").await;
    assert_eq!(app.submit().await, Submitted::Cleared);
    assert_eq!(app.repair(1).await.assignee_id, Some(bo));
    app.command(BO, "/esb-update", "1").await;
    assert!(app.private(BO).contains("a Technician or Staff account"));
    app.settle_and_finish().await;
}

#[tokio::test]
async fn dates_are_written_as_everywhere_in_slack() {
    let app = TestApp::workshop().await;
    let eta = |day| FieldValue::Eta(NaiveDate::from_ymd_opt(2026, 3, day));
    app.changed_by("sam", vec![eta(9)]).await;
    app.changed_by("sam", vec![eta(10)]).await;
    app.command(ANA, "/esb-update", "1").await;
    let shown = app.view().shown();
    assert!(shown.contains("sam set the ETA from “Mon 9 Mar” to “Tue 10 Mar” just now"), "{shown}");
    app.settle_and_finish().await;
}
