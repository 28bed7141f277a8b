//! Technician forms when something interferes: conflicts, a lost role, database outages and Slack errors.

use crate::support::app::{ANA, TestApp, only};
use crate::support::lines::Lines;
use crate::support::slack::{errors, errors_of, put, put_option};
use chrono::TimeDelta;
use esb::domain::field::FieldValue;
use esb::domain::repair::RepairStatus;
use esb_sandbox::{Fault, Submitted};
use serde_json::json;
use tracing::Level;

impl TestApp {
    /// Ana's form for repair 1, with "claim" chosen.
    async fn claiming() -> Self {
        let app = Self::workshop().await;
        app.command(ANA, "/esb-repair", "1").await;
        app.choose("action", "claim").await;
        app
    }
}

#[tokio::test]
async fn revoked_role_is_shown_in_form() {
    let app = TestApp::claiming().await;
    app.sql("UPDATE users SET active = FALSE").await;
    let refused = errors(app.submit().await);
    assert!(refused["action"].starts_with("You need a Technician or Staff account"), "{refused:?}");
    app.choose("action", "set_eta").await;
    assert!(app.private(ANA).contains("a Technician or Staff account"), "nor is anything shown");
    for (command, text) in [("/esb-update", "1"), ("/esb-repair", "table saw")] {
        app.sql("UPDATE users SET active = TRUE").await;
        app.command(ANA, command, text).await;
        if command == "/esb-repair" {
            app.fill("description", "Dull").await;
        }
        app.sql("UPDATE users SET active = FALSE").await;
        let refused = errors(app.submit().await);
        assert_eq!(refused.len(), 1);
        assert!(refused.values().all(|words| words.contains("a Technician or Staff account")), "{refused:?}");
    }
    app.sql("UPDATE users SET active = TRUE").await;
    app.command(ANA, "/esb-repair", "").await;
    app.choose("repair", "1").await;
    app.sql("UPDATE users SET active = FALSE").await;
    let refused = errors(app.submit().await);
    assert!(refused["repair"].contains("a Technician or Staff account"), "nor does Continue: {refused:?}");
    assert!(app.timeline().await.is_empty());
    app.finish().await;
}

#[tokio::test]
async fn closed_repair_rejects_stale_form() {
    let app = TestApp::claiming().await;
    app.changed_by("sam", vec![FieldValue::Status(RepairStatus::Resolved)]).await;
    let refused = errors(app.submit().await);
    assert!(refused["action"].starts_with("This repair is closed (Resolved)."), "{refused:?}");
    let mut late = app.submission();
    put_option(&mut late, "action", "set_eta");
    put(&mut late, "eta", json!({ "selected_date": "2026-03-09" }));
    let refused = errors_of(&app.send(late).await);
    assert!(refused["action"].starts_with("This repair is closed (Resolved)."), "{refused:?}");
    app.choose("action", "set_eta").await;
    let offered = app.view().element("action").unwrap()["options"].as_array().unwrap().len();
    assert_eq!(offered, 1, "the form knows by now");
    assert_eq!(app.repair(1).await.eta, None);
    app.settle_and_finish().await;
}

#[tokio::test]
async fn resubmitted_form_after_closing_gets_first_answer() {
    let app = TestApp::workshop().await;
    for action in ["claim", "set_eta"] {
        app.command(ANA, "/esb-repair", "1").await;
        app.choose("action", action).await;
        if action == "set_eta" {
            app.choose("eta", "2026-03-09").await;
        }
        let sent = app.submission();
        let mut answers = Vec::new();
        for status in [RepairStatus::Resolved, RepairStatus::InProgress] {
            assert_eq!(app.send(sent.clone()).await.payload.unwrap()["response_action"], "clear", "{action}");
            answers.push(app.private(ANA));
            app.changed_by("sam", vec![FieldValue::Status(status)]).await;
        }
        assert_eq!(answers[0], answers[1], "{action}");
    }
    app.settle_and_finish().await;
}

#[tokio::test]
async fn conflict_names_author_and_resubmission_overwrites() {
    let app = TestApp::claiming().await;
    let sam = app.technician("sam").await;
    let person = esb::domain::field::Person { id: sam, name: "sam".into(), slack_id: None };
    app.changed_by("sam", vec![FieldValue::Assignee(Some(person))]).await;
    let refused = errors(app.submit().await);
    assert!(refused["action"].starts_with("sam set the assignee to “sam” while you were editing."));
    assert_eq!(app.repair(1).await.assignee_id, Some(sam));
    assert_eq!(app.submit().await, Submitted::Cleared, "sent again, it stands");
    assert_eq!(app.repair(1).await.assignee_id, Some(app.technician("ana").await));
    app.settle_and_finish().await;
}

#[tokio::test]
async fn same_form_sent_twice_acts_once() {
    let app = TestApp::claiming().await;
    app.choose("action", "set_status").await;
    app.choose("status", "Parts Needed").await;
    app.fill("note", "Once").await;
    let (first, second) = (app.submission(), app.submission());
    for submission in [first, second] {
        assert_eq!(app.send(submission).await.payload.unwrap()["response_action"], "clear");
    }
    let kinds: Vec<String> = app.timeline().await.into_iter().map(|(kind, ..)| kind).collect();
    assert_eq!(kinds, ["Status", "Note"]);
    app.read_all();
    app.command(ANA, "/esb-update", "1").await;
    app.choose("severity", "Not Sure").await;
    app.choose("eta", "2026-03-10").await;
    let (twice, before) = (app.submission(), app.repair(1).await.version);
    for submission in [twice.clone(), twice] {
        assert_eq!(app.send(submission).await.payload.unwrap()["response_action"], "clear");
        assert!(app.private(ANA).starts_with(":white_check_mark: Repair #1 is saved. It is Parts Needed."));
    }
    assert_eq!(app.repair(1).await.version, before + 1);
    app.command(ANA, "/esb-repair", "table saw").await;
    app.fill("description", "Dull").await;
    let twice = app.submission();
    for submission in [twice.clone(), twice] {
        assert_eq!(app.send(submission).await.payload.unwrap()["response_action"], "clear");
    }
    assert_eq!(app.repairs().await, 2);
    app.settle_and_finish().await;
}

#[tokio::test]
async fn outdated_form_says_so() {
    let app = TestApp::workshop().await;
    for (command, text) in
        [("/esb-repair", ""), ("/esb-repair", "1"), ("/esb-repair", "x"), ("/esb-update", "1")]
    {
        app.command(ANA, command, text).await;
        for kept in ["", "{}", "{\"request_id\":\"x\"}"] {
            let mut stale = app.submission();
            stale["view"]["private_metadata"] = json!(kept);
            let refused = errors_of(&app.send(stale).await);
            let words: Vec<&String> = refused.values().collect();
            assert!(words[0].contains("close it and start again"), "{command} {text}: {refused:?}");
        }
    }
    app.finish().await;
}

#[tokio::test]
async fn technician_forms_survive_database_outage() {
    let app = TestApp::claiming().await;
    for table in ["users", "repairs", "timeline", "requests"] {
        app.sql(&format!("ALTER TABLE {table} RENAME TO away")).await;
        let lines = Lines::from(Level::INFO);
        let refused = errors(app.slack.submit(ANA).await.unwrap());
        let words = &refused["action"];
        let reference = words.split_once("(ref ").and_then(|(_, rest)| rest.split_once(')')).unwrap().0;
        assert!(lines.only_slack_line().contains(reference));
        app.sql(&format!("ALTER TABLE away RENAME TO {table}")).await;
    }
    assert_eq!(app.submit().await, Submitted::Cleared);
    app.private(ANA);
    app.command(ANA, "/esb-update", "1").await;
    app.fill("note", "Kept").await;
    app.app.ctx.store.write().clone().close().await.unwrap();
    app.app.ctx.store.read().clone().close().await.unwrap();
    let refused = errors(app.slack.submit(ANA).await.unwrap());
    assert!(refused["status"].starts_with("The database does not answer."), "{refused:?}");
    assert_eq!(app.view().value("note").as_deref(), Some("Kept"));
    for command in ["/esb-repair", "/esb-update"] {
        app.slack.command(ANA, "#woodshop", command, "").await.unwrap();
        app.app.intake.idle().await;
        assert!(app.private(ANA).starts_with(":x: The database does not answer."), "{command}");
    }
}

#[tokio::test]
async fn failed_view_is_explained_privately() {
    let app = TestApp::claiming().await;
    app.slack.close(ANA).await.unwrap();
    for (fault, words) in [
        (Fault::RateLimited(30), "Slack is very busy"),
        (Fault::Error("expired_trigger_id"), "That took too long"),
        (Fault::Http(503), "Something went wrong (ref "),
    ] {
        for (command, text) in [("/esb-repair", ""), ("/esb-repair", "1"), ("/esb-update", "1")] {
            app.slack.fail_next("views.open", fault);
            app.command(ANA, command, text).await;
            assert!(app.private(ANA).contains(words), "{command} {text} {fault:?}");
        }
        app.command(ANA, "/esb-repair", "1").await;
        app.slack.fail_next("views.update", fault);
        app.choose("action", "set_eta").await;
        assert!(app.private(ANA).contains(words), "{fault:?}");
        app.choose("action", "resolve_with_note").await;
        assert!(app.view().element("note").is_some(), "the next choice shows what it needs");
        app.slack.close(ANA).await.unwrap();

        app.command(ANA, "/esb-status", "table saw").await;
        app.slack.fail_next("views.push", fault);
        app.press("open_repair", Some("1")).await;
        assert_eq!(app.view().callback_id(), "status_error", "{fault:?}");
        assert!(app.view().shown().contains(words), "{fault:?}: {}", app.view().shown());
    }
    app.finish().await;
}

#[tokio::test]
async fn silent_slack_times_out() {
    let app = TestApp::workshop().await;
    app.command(ANA, "/esb-repair", "1").await;
    app.slack.fail_next("views.open", Fault::Silence);
    app.command(ANA, "/esb-repair", "1").await;
    assert!(app.private(ANA).starts_with(":x: Something went wrong (ref "));
    app.finish().await;
}

#[tokio::test]
async fn late_answer_is_a_direct_message() {
    let app = TestApp::claiming().await;
    app.clock.advance(TimeDelta::minutes(31));
    assert_eq!(app.submit().await, Submitted::Cleared);
    assert!(app.slack.calls("response_url").is_empty());
    assert!(only(app.slack.direct_messages(ANA)).text.contains("Repair #1 is yours."));
    app.settle_and_finish().await;
}

#[tokio::test]
async fn third_modal_is_replaced_not_stacked() {
    let app = TestApp::workshop().await;
    app.command(ANA, "/esb-repair", "").await;
    app.choose("repair", "1").await;
    let mut deepest = app.submission();
    deepest["view"]["root_view_id"] = json!("V0ROOT");
    deepest["view"]["previous_view_id"] = json!("V0SECOND");
    let answer = app.send(deepest.clone()).await.payload.unwrap();
    assert_eq!(
        (&answer["response_action"], &answer["view"]["callback_id"]),
        (&json!("update"), &json!("act_on_repair"))
    );
    deepest["view"]["previous_view_id"] = json!("V0ROOT");
    assert_eq!(app.send(deepest).await.payload.unwrap()["response_action"], "push", "the second of two");

    app.command(ANA, "/esb-status", "table saw").await;
    let mut pressed = app.pressed("open_repair", "1");
    pressed["view"]["root_view_id"] = json!("V0ROOT");
    pressed["view"]["previous_view_id"] = json!("V0SECOND");
    let mark = app.calls();
    app.send(pressed).await;
    assert_eq!(app.called_since(mark), ["views.update"]);
    assert_eq!(app.view().callback_id(), "act_on_repair");
    app.finish().await;
}

#[tokio::test]
async fn form_opens_before_other_slack_calls() {
    let app = TestApp::claiming().await;
    for (command, text) in
        [("/esb-repair", ""), ("/esb-repair", "1"), ("/esb-repair", "x"), ("/esb-update", "")]
    {
        let mark = app.calls();
        app.command(ANA, command, text).await;
        assert_eq!(app.called_since(mark), ["views.open"], "{command} {text}");
    }
    app.finish().await;
}
