//! `/esb-repair` through Slack: which form each text opens, what each form shows, and what it does.

use crate::support::app::{ANA, BO, TestApp, only};
use crate::support::slack::{errors, errors_of, put, put_option, put_text};
use chrono::{NaiveDate, TimeDelta};
use esb::domain::repair::{RepairStatus, Severity};
use esb_sandbox::{Choice, Submitted, View};
use serde_json::{Value, json};

/// The inputs that a modal shows, by their names.
fn inputs(view: &View) -> Vec<String> {
    let inputs = view.blocks().iter().filter(|block| block["type"] == "input");
    inputs.map(|block| block["block_id"].as_str().unwrap().to_owned()).collect()
}

/// What an element of the modal offers.
fn offers(view: &View, input: &str) -> Vec<String> {
    let options = view.element(input).unwrap()["options"].as_array().unwrap().clone();
    options.into_iter().map(|option| option["value"].as_str().unwrap().to_owned()).collect()
}

impl TestApp {
    async fn act(&self, action: &str) {
        self.command(ANA, "/esb-repair", "1").await;
        self.choose("action", action).await;
    }
}

#[tokio::test]
async fn command_without_text_offers_repair_choice() {
    let app = TestApp::workshop().await;
    let mark = app.calls();
    app.command(ANA, "/esb-repair", "").await;
    assert_eq!(app.called_since(mark), ["users.info", "views.open"], "somebody not seen before");
    let view = app.view();
    assert_eq!((view.callback_id(), inputs(&view)), ("choose_repair", vec!["repair".to_owned()]));
    let offered = app.slack.suggest(ANA, "repair", "").await.unwrap();
    let expected = Choice {
        label: "#1 Table saw — New".into(),
        value: "1".into(),
        description: Some("Down | nobody assigned".into()),
        group: Some("Wood shop".into()),
    };
    assert_eq!(offered, [expected]);
    assert_eq!(errors(app.submit().await).keys().collect::<Vec<_>>(), ["repair"]);
    app.choose("repair", "1").await;
    assert_eq!(app.submit().await, Submitted::Pushed);
    let view = app.view();
    assert_eq!((view.callback_id(), view.title()), ("act_on_repair", "Repair #1"));
    assert_eq!(app.slack.views_of(ANA).len(), 2);
    let shown = view.shown();
    for part in ["*#1*", "*Table saw* (Wood shop)", "Down · New · nobody assigned", "Blade wobbles"] {
        assert!(shown.contains(part), "{part}\n{shown}");
    }
    assert_eq!(inputs(&view), ["action"]);
    assert_eq!(offers(&view, "action"), ["claim", "set_eta", "set_status", "resolve_with_note"]);
    app.choose("action", "claim").await;
    assert_eq!(app.submit().await, Submitted::Cleared);
    assert!(app.slack.views_of(ANA).is_empty(), "all modals are closed");
    assert!(app.private(ANA).starts_with(":arrows_counterclockwise: Repair #1 is yours."));
    app.settle_and_finish().await;
}

#[tokio::test]
async fn without_open_repairs_there_is_no_form() {
    let (app, _) = TestApp::with_saw().await;
    app.technician("ana").await;
    for command in ["/esb-repair", "/esb-update"] {
        app.command(ANA, command, " ").await;
        assert_eq!(app.private(ANA), ":wrench: No open repairs.");
    }
    assert!(app.slack.top_view(ANA).is_none());
    app.finish().await;
}

#[tokio::test]
async fn number_opens_repair_or_answers_privately() {
    let app = TestApp::workshop().await;
    for text in ["1", " #1 "] {
        app.command(ANA, "/esb-repair", text).await;
        assert_eq!(app.view().callback_id(), "act_on_repair");
        app.slack.close(ANA).await.unwrap();
    }
    for (command, text, words) in [
        ("/esb-repair", "99", ":x: There is no repair #99."),
        ("/esb-repair", "#0", ":x: There is no repair #0."),
        ("/esb-update", "#99", ":x: There is no repair #99."),
        ("/esb-update", "99999999999999999999999", ":x: There is no repair #9999999999999999999…."),
    ] {
        app.command(ANA, command, text).await;
        assert_eq!(app.private(ANA), words);
    }
    app.command(ANA, "/esb-update", "<!channel> saw").await;
    assert!(app.private(ANA).starts_with(":x: “&lt;!channel&gt; saw” is no repair's number."));
    assert!(app.slack.top_view(ANA).is_none());
    app.finish().await;
}

#[tokio::test]
async fn action_choice_shows_inputs_and_keeps_text() {
    let app = TestApp::workshop().await;
    app.act("set_eta").await;
    assert_eq!(inputs(&app.view()), ["action", "eta"]);
    app.choose("action", "resolve_with_note").await;
    assert_eq!(inputs(&app.view()), ["action", "note"]);
    app.fill("note", "New blade \"fitted\" & <tested>").await;
    app.choose("action", "set_status").await;
    let view = app.view();
    assert_eq!(inputs(&view), ["action", "status", "note"]);
    assert_eq!(view.value("note").as_deref(), Some("New blade \"fitted\" & <tested>"), "it stays");
    let mut offered: Vec<String> = RepairStatus::ALL.iter().map(ToString::to_string).collect();
    offered.retain(|status| status != "Resolved");
    assert_eq!(offers(&view, "status"), offered);
    assert_eq!(view.value("status").as_deref(), Some("New"));
    app.choose("status", "Closed - Duplicate").await;
    assert_eq!(inputs(&app.view()), ["action", "status", "duplicate_of", "note"]);
    app.choose("action", "claim").await;
    assert_eq!(inputs(&app.view()), ["action"]);
    app.choose("action", "resolve_with_note").await;
    let kept = app.view().value("note");
    assert_eq!(kept.as_deref(), Some("New blade \"fitted\" & <tested>"), "hidden meanwhile");
    app.fill("note", &"🔥".repeat(3000)).await;
    app.choose("action", "set_eta").await;
    assert_eq!(inputs(&app.view()), ["action", "eta"], "too long to be kept");
    app.finish().await;
}

#[tokio::test]
async fn each_action_applies_and_is_confirmed() {
    let app = TestApp::workshop().await;
    app.act("set_eta").await;
    app.choose("eta", "2026-03-09").await;
    app.submit().await;
    let told = app.private(ANA);
    assert!(told.starts_with(":calendar: Repair #1 should be done by Mon 9 Mar."), "{told}");
    assert!(told.contains("Posting to #woodshop and #oops."), "{told}");
    assert_eq!(app.repair(1).await.eta, NaiveDate::from_ymd_opt(2026, 3, 9));

    app.act("set_eta").await;
    assert_eq!(app.view().value("eta").as_deref(), Some("2026-03-09"), "prefilled");
    app.slack.clear(ANA, "eta").await.unwrap();
    app.submit().await;
    assert!(app.private(ANA).starts_with(":calendar: Repair #1 has no ETA any more."));

    app.act("set_status").await;
    app.choose("status", "Parts Ordered").await;
    app.fill("note", "From Acme").await;
    app.submit().await;
    assert!(app.private(ANA).starts_with(":arrows_counterclockwise: Repair #1 is now Parts Ordered."));

    app.act("claim").await;
    app.submit().await;
    assert!(
        app.private(ANA).starts_with(":arrows_counterclockwise: Repair #1 is yours. It is Parts Ordered.")
    );

    app.act("resolve_with_note").await;
    app.fill("note", "New blade").await;
    app.submit().await;
    assert!(app.private(ANA).starts_with(":white_check_mark: Repair #1 is closed: Resolved."));

    app.command(ANA, "/esb-repair", "1").await;
    assert_eq!(offers(&app.view(), "action"), ["set_status"], "a closed one");
    assert_eq!(inputs(&app.view()), ["action", "status", "note"]);
    app.choose("status", "In Progress").await;
    app.submit().await;
    assert!(app.private(ANA).starts_with(":arrows_counterclockwise: Repair #1 is now In Progress."));

    let kinds: Vec<String> = app.timeline().await.into_iter().map(|(kind, ..)| kind).collect();
    assert_eq!(kinds, ["Eta", "Eta", "Status", "Note", "Assignee", "Status", "Note", "Status"]);
    assert!(app.timeline().await.iter().all(|(_, by, _)| by == "Ana Lee"));
    app.settle_and_finish().await;
}

#[tokio::test]
async fn only_inputs_of_chosen_action_are_read() {
    let app = TestApp::workshop().await;
    app.command(ANA, "/esb-repair", "1").await;
    let fill = |submission: &mut Value| {
        put(submission, "eta", json!({ "type": "datepicker", "selected_date": "2026-03-09" }));
        put_option(submission, "status", "Parts Needed");
        put_text(submission, "note", "Something");
    };
    let mut claim = app.submission();
    fill(&mut claim);
    put_option(&mut claim, "action", "claim");
    assert_eq!(app.send(claim).await.payload.unwrap()["response_action"], "clear");
    let repair = app.repair(1).await;
    assert_eq!((repair.status, repair.eta), (RepairStatus::Assigned, None));
    assert!(!app.timeline().await.iter().any(|(kind, ..)| kind == "Note"));

    app.command(ANA, "/esb-repair", "1").await;
    let mut status = app.submission();
    fill(&mut status);
    put_option(&mut status, "action", "set_status");
    assert_eq!(app.send(status).await.payload.unwrap()["response_action"], "clear");
    let repair = app.repair(1).await;
    assert_eq!((repair.status, repair.eta), (RepairStatus::PartsNeeded, None));
    app.settle_and_finish().await;
}

#[tokio::test]
async fn missing_inputs_are_reported_on_their_field() {
    let app = TestApp::workshop().await;
    app.command(ANA, "/esb-repair", "1").await;
    assert_eq!(errors(app.submit().await).keys().collect::<Vec<_>>(), ["action"], "Slack's own");
    app.choose("action", "set_eta").await;
    assert_eq!(errors(app.submit().await)["eta"], "Please pick a date.");
    app.choose("action", "resolve_with_note").await;
    app.fill("note", "\u{200b} \u{2060}").await;
    assert_eq!(errors(app.submit().await)["note"], "Please write a note about what was done.");
    app.choose("action", "set_status").await;
    app.choose("status", "Closed - Duplicate").await;
    assert_eq!(errors(app.submit().await)["duplicate_of"], "Please choose the original repair.");

    app.act("claim").await;
    let mut hidden = app.submission();
    put_option(&mut hidden, "action", "set_eta");
    let refused = errors_of(&app.send(hidden).await);
    assert_eq!(refused["action"], "Please pick a date.", "Slack takes errors on what is there");
    let mut made_up = app.submission();
    put_option(&mut made_up, "action", "delete");
    assert_eq!(errors_of(&app.send(made_up).await)["action"], "Please choose what to do.");
    assert!(app.timeline().await.is_empty());
    app.finish().await;
}

#[tokio::test]
async fn duplicate_select_offers_same_equipment() {
    let app = TestApp::workshop().await;
    app.add_open_repairs("Table saw", "Säge klemmt", 2).await;
    let wood = esb::domain::ids::AreaId(1);
    app.add_equipment(wood, "Drill").await;
    app.add_open_repairs("Drill", "Wobbles", 1).await;
    app.close_repair(2).await;
    app.act("set_status").await;
    app.choose("status", "Closed - Duplicate").await;
    let found = |typed: &'static str| {
        let app = &app;
        async move {
            let found = app.slack.suggest(ANA, "duplicate_of", typed).await.unwrap();
            found.into_iter().map(|choice| choice.label).collect::<Vec<_>>()
        }
    };
    assert_eq!(found("").await, ["#3 — New", "#2 — Resolved"], "newest first, closed ones too, not itself");
    assert_eq!(found("SAGE").await.len(), 2);
    assert_eq!(found("#2").await, ["#2 — Resolved"]);
    assert_eq!(found("4").await, Vec::<String>::new(), "another machine's");
    app.choose("duplicate_of", "3").await;
    app.submit().await;
    assert!(app.private(ANA).starts_with(":white_check_mark: Repair #1 is closed: Closed - Duplicate."));
    assert_eq!(app.repair(1).await.duplicate_of.unwrap().0, 3);
    app.settle_and_finish().await;
}

#[tokio::test]
async fn other_text_opens_a_new_repair() {
    let app = TestApp::workshop().await;
    let ana = app.technician("ana").await;
    app.command(ANA, "/esb-repair", " TABLE saw").await;
    let view = app.view();
    assert_eq!(view.callback_id(), "create_repair");
    let all = ["equipment", "description", "severity", "assignee", "status", "safety_risk", "consumable"];
    assert_eq!(inputs(&view), all);
    assert_eq!(view.value("equipment").as_deref(), Some("Table saw"));
    assert_eq!(view.value("status").as_deref(), Some("New"));
    assert_eq!(offers(&view, "status").len(), 9);
    assert!(!offers(&view, "status").contains(&"Closed - Duplicate".to_owned()));
    assert_eq!(app.slack.suggest(ANA, "equipment", "saw").await.unwrap().len(), 1);
    let people = app.slack.suggest(ANA, "assignee", "ÁN").await.unwrap();
    assert_eq!((people[0].label.as_str(), people[0].description.as_deref()), ("ana", Some("Technician")));
    app.fill("description", "Fence is loose").await;
    app.choose("severity", "Degraded").await;
    app.choose("assignee", "ana").await;
    app.choose("status", "In Progress").await;
    app.choose("safety_risk", "safety_risk").await;
    assert_eq!(app.submit().await, Submitted::Cleared);
    let told = app.private(ANA);
    assert_eq!(told, ":white_check_mark: Repair #2 is created. Posting to #woodshop and #oops.");
    let repair = app.repair(2).await;
    assert_eq!((repair.severity, repair.status), (Some(Severity::Degraded), RepairStatus::InProgress));
    assert_eq!((repair.assignee_id, repair.safety_risk, repair.consumable), (Some(ana), true, false));
    assert_eq!((repair.reporter_name.as_str(), repair.reporter_slack_id.as_deref()), ("Ana Lee", Some(ANA)));
    app.after(TimeDelta::seconds(1)).await;
    only(app.slack.posted_in("#woodshop"));

    app.command(ANA, "/esb-repair", "saws of all kinds").await;
    assert!(app.view().shown().contains("No single machine matches “saws of all kinds”."));
    app.fill("description", "\u{200b}").await;
    assert_eq!(errors(app.submit().await).keys().collect::<Vec<_>>(), ["equipment"], "Slack's own");
    app.choose("equipment", "1").await;
    app.slack.clear(ANA, "severity").await.unwrap();
    assert_eq!(errors(app.submit().await)["description"], "Please fill this in.");
    app.fill("description", "Dull").await;
    app.submit().await;
    assert_eq!(app.repair(3).await.severity, None, "an absent choice is none");
    app.settle_and_finish().await;
}

#[tokio::test]
async fn members_without_access_see_staff_contacts() {
    let app = TestApp::workshop().await;
    let words = "You need a Technician or Staff account with your Slack e-mail address (bo@example.org) \
        for this. Please ask staff.";
    for command in ["/esb-repair", "/esb-update"] {
        for text in ["", "1", "saw"] {
            app.command(BO, command, text).await;
            assert_eq!(app.private(BO), format!(":x: {words}"), "{command} {text}");
        }
    }
    app.sql("UPDATE users SET role = 'Staff', slack_user_id = 'U0ANA'").await;
    app.command(BO, "/esb-repair", "").await;
    assert_eq!(app.private(BO), format!(":x: {words} Staff: <@U0ANA>."));
    assert!(app.slack.top_view(BO).is_none());
    app.finish().await;
}
