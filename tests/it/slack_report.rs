//! `/esb-report` through Slack: command, modal, submission, messages, board.

use crate::support::app::{ANA, BO, TestApp, only};
use crate::support::database::Kind;
use crate::support::slack::{put, put_option, put_text};
use chrono::TimeDelta;
use esb::domain::board::BoardStatus;
use esb::domain::repair::Severity;
use esb::ops::board::board;
use esb_sandbox::{Fault, Submitted};
use serde_json::{Value, json};

#[tokio::test]
async fn report_reaches_database_channels_and_board() {
    let (app, saw) = TestApp::with_saw().await;
    app.command(ANA, "/esb-report", "table SAW").await;
    let view = app.view();
    assert_eq!(view.callback_id(), "report_problem");
    app.fill("description", "Belt slips").await;
    app.choose("severity", "Down").await;
    assert_eq!(app.submit().await, Submitted::Cleared);

    let wood = only(app.slack.posted_in("#woodshop"));
    let oops = only(app.slack.posted_in("#oops"));
    for message in [&wood, &oops] {
        assert!(
            message.text.starts_with("Table saw ") && message.text.contains("(Wood shop)"),
            "{}",
            message.text
        );
        assert!(message.text.contains("Belt slips") && message.text.contains("Ana Lee"));
    }
    let answer = app.private(ANA);
    assert!(answer.starts_with(":white_check_mark:") && answer.contains("repair #1"), "{answer}");
    assert!(answer.contains("*Table saw*") && answer.contains("Posting to #woodshop and #oops"), "{answer}");
    assert!(answer.contains(&format!("<http://esb.test/e/{saw}|")));
    let equipment = board(&app.app.ctx).await.unwrap().areas[0].equipment[0].clone();
    assert_eq!(equipment.status, BoardStatus::Down);
    let page = app.web.get("/area/1").await.text();
    assert!(page.contains("Table saw") && page.contains("Down") && page.contains("Belt slips"), "{page}");
    assert!(app.slack.top_view(ANA).is_none());
    let repair = app.repair(1).await;
    assert_eq!(repair.reporter_slack_id.as_deref(), Some(ANA));
    assert!(!repair.safety_risk && !repair.consumable);
    app.command(ANA, "/esb-status", "").await;
    assert!(app.view().shown().contains("*Table saw* · Down: Belt slips"));
    app.finish().await;
}

#[tokio::test]
async fn form_prefills_only_known_name() {
    let (app, _) = TestApp::with_saw().await;
    app.command(ANA, "/esb-report", "").await;
    let view = app.view();
    assert_eq!(view.value("reporter_name").as_deref(), Some("Ana Lee"));
    assert_eq!(view.value("severity").as_deref(), Some("Not Sure"));
    for input in ["equipment", "description", "safety_risk", "consumable"] {
        assert_eq!(view.value(input), None, "{input}");
    }
    app.finish().await;
}

#[tokio::test]
async fn unknown_name_is_shown_until_choice() {
    let (app, _) = TestApp::with_saw().await;
    for (typed, shown) in
        [("table sow", "“table sow”"), ("saw", "“saw”"), ("#99", "“#99”"), ("<!x>", "“&lt;!x&gt;”")]
    {
        app.command(ANA, "/esb-report", typed).await;
        let view = app.view();
        let words = format!("No single machine matches {shown}. Please choose one below");
        assert!(view.shown().contains(&words), "{typed}: {}", view.shown());
        assert_eq!(view.value("equipment"), None);
    }
    app.choose("equipment", "Table saw").await;
    assert!(!app.view().shown().contains("No single machine"), "{}", app.view().shown());
    for known in ["", "table saw", "#1"] {
        app.command(ANA, "/esb-report", known).await;
        assert!(!app.view().shown().contains("No single machine"), "{known}");
    }
    app.finish().await;
}

#[tokio::test]
async fn every_severity_says_what_it_means() {
    let (app, _) = TestApp::with_saw().await;
    app.command(ANA, "/esb-report", "").await;
    let view = app.view();
    let element = view.element("severity").unwrap();
    let text = |option: &Value| (option["text"]["text"].clone(), option["description"]["text"].clone());
    let told: Vec<_> = element["options"].as_array().unwrap().iter().map(text).collect();
    let expected = Severity::ALL.iter().map(|it| (json!(it.word()), json!(it.meaning())));
    assert_eq!(told, expected.collect::<Vec<_>>());
    let page = app.web.get("/e/1").await.text();
    for severity in Severity::ALL {
        assert!(page.contains(severity.meaning()), "the web says the same: {page}");
    }
    app.finish().await;
}

#[tokio::test]
async fn every_filled_input_is_saved() {
    let (app, _) = TestApp::with_saw().await;
    app.command(ANA, "/esb-report", "").await;
    app.choose("equipment", "Table saw").await;
    app.fill("reporter_name", "  Ana   of Wood ").await;
    app.fill("description", "Line one\n\nLine two").await;
    app.choose("severity", "Degraded").await;
    app.choose("safety_risk", "safety_risk").await;
    app.choose("consumable", "consumable").await;
    assert_eq!(app.submit().await, Submitted::Cleared);
    let repair = app.repair(1).await;
    assert_eq!(repair.reporter_name, "Ana of Wood");
    assert_eq!(repair.description, "Line one\n\nLine two");
    assert!(repair.safety_risk && repair.consumable);
    for channel in ["#woodshop", "#oops"] {
        let card = only(app.slack.posted_in(channel));
        assert!(card.text.starts_with("Do not use: "), "{}", card.text);
        assert!(card.shown().contains("something is used up") && card.shown().contains(">Line one Line two"));
    }
    app.private(ANA);
    app.finish().await;
}

#[tokio::test]
async fn exact_name_or_number_preselects_equipment() {
    let app = TestApp::start().await;
    let wood = app.area("Wood shop", "#woodshop").await;
    let metal = app.area("Metal shop", "#metalshop").await;
    let saw = app.add_equipment(wood, "Säge  Élan").await;
    app.add_equipment(wood, "Drill").await;
    app.add_equipment(metal, "Drill").await;
    app.add_equipment(metal, "R&D <lathe>").await;
    let gone = app.add_equipment(metal, "Forge").await;
    app.archive(gone).await;
    let number = format!("#{saw}");
    for (typed, chosen) in [
        ("Säge Élan", Some("Säge Élan")),
        ("  sage   ELAN ", Some("Säge Élan")),
        (number.as_str(), Some("Säge Élan")),
        ("R&D <lathe>", Some("R&D <lathe>")),
        ("r&amp;d <lathe>", None),
        ("sage", None),
        ("drill", None),
        ("forge", None),
        (&format!("#{gone}"), None),
        ("#999", None),
        ("#0", None),
        ("#x", None),
        ("%", None),
        ("<!channel>", None),
    ] {
        app.command(ANA, "/esb-report", typed).await;
        assert_eq!(app.view().value("equipment").as_deref(), chosen, "{typed}");
    }
    app.finish().await;
}

#[tokio::test]
async fn no_form_without_any_equipment() {
    let app = TestApp::start().await;
    let wood = app.area("Wood shop", "#woodshop").await;
    for _ in 0..2 {
        app.command(ANA, "/esb-report", "saw").await;
        let answer = app.private(ANA);
        assert!(answer.contains("No machines are registered yet"), "{answer}");
        assert!(app.slack.top_view(ANA).is_none());
        let equipment = app.add_equipment(wood, "Gone").await;
        app.archive(equipment).await;
    }
    app.finish().await;
}

#[tokio::test]
async fn acknowledgement_precedes_every_slack_call() {
    let (app, _) = TestApp::with_saw().await;
    app.command(ANA, "/esb-report", "").await;
    // Known by now: the form is the first thing that Slack is asked for, and asked while it has already
    // been told that the command arrived.
    app.slack.fail_next("views.open", Fault::Silence);
    let mark = app.calls();
    let outcome = app.slack.command(ANA, "#woodshop", "/esb-report", "table saw").await.unwrap();
    assert!(outcome.is_acknowledged(), "{outcome:?}");
    assert!(outcome.ack().unwrap().payload.is_none());
    app.settle().await;
    let called = app.slack.all_calls().split_off(mark);
    assert_eq!(called[0].method, "views.open");
    assert!(called[0].answer.is_null(), "acknowledged without its answer");
    assert!(app.private(ANA).starts_with(":x: Something went wrong (ref "));
    app.finish().await;
}

#[tokio::test]
async fn person_is_cached_for_ten_minutes() {
    let (app, _) = TestApp::with_saw().await;
    let asked = async |wait: i64| {
        app.clock.advance(TimeDelta::seconds(wait));
        let mark = app.calls();
        app.command(ANA, "/esb-report", "").await;
        app.called_since(mark)
    };
    assert_eq!(asked(0).await, ["users.info", "views.open"]);
    assert_eq!(asked(599).await, ["views.open"]);
    app.slack.change_world(|world| world.people[0].real_name = "Ana Lee-Smith".into());
    assert_eq!(asked(2).await, ["users.info", "views.open"]);
    assert_eq!(app.view().value("reporter_name").as_deref(), Some("Ana Lee-Smith"));
    app.finish().await;
}

#[tokio::test]
async fn form_opens_for_unknown_person() {
    let (app, _) = TestApp::with_saw().await;
    for fault in [Fault::Error("user_not_found"), Fault::RateLimited(30), Fault::Http(503), Fault::Silence] {
        app.slack.fail_next("users.info", fault);
        app.command(ANA, "/esb-report", "").await;
        assert_eq!(app.view().value("reporter_name").as_deref(), Some("ana"), "{fault:?}");
    }
    app.command(ANA, "/esb-report", "").await;
    assert_eq!(app.view().value("reporter_name").as_deref(), Some("Ana Lee"), "asked again");
    app.clock.advance(TimeDelta::minutes(11));
    app.slack.fail_next("users.info", Fault::Http(500));
    app.command(ANA, "/esb-report", "").await;
    assert_eq!(app.view().value("reporter_name").as_deref(), Some("Ana Lee"), "what it said before");
    app.finish().await;
}

#[tokio::test]
async fn form_opens_despite_busy_database() {
    if Kind::from_env() != Kind::Sqlite {
        return eprintln!("skipped: only SQLite has one writer at a time");
    }
    let (app, _) = TestApp::with_saw().await;
    let busy = app.app.ctx.store.begin().await.unwrap();
    app.slack.command(ANA, "#woodshop", "/esb-report", "").await.unwrap();
    app.app.intake.idle().await;
    assert_eq!(app.view().value("reporter_name").as_deref(), Some("Ana Lee"));
    busy.rollback().await.unwrap();
    let mark = app.calls();
    app.command(ANA, "/esb-report", "").await;
    assert_eq!(app.called_since(mark), ["users.info", "views.open"], "what could not be kept is asked again");
    app.finish().await;
}

#[tokio::test]
async fn invisible_name_is_not_prefilled() {
    let (app, _) = TestApp::with_saw().await;
    app.slack.change_world(|world| {
        world.people[0].real_name = "\u{200b}\u{0}".into();
        world.people[1].real_name = format!("Bo \n\"\\{{{{x}}}} {}", "🔥".repeat(300));
    });
    app.command(ANA, "/esb-report", "").await;
    assert_eq!(app.view().value("reporter_name").as_deref(), Some(ANA));
    app.command(BO, "/esb-report", "").await;
    let name = app.slack.top_view(BO).unwrap().value("reporter_name").unwrap();
    assert!(name.starts_with("Bo \"\\{{x}} 🔥") && name.chars().count() <= 200, "{name}");
    app.finish().await;
}

#[tokio::test]
async fn same_form_sent_twice_is_one_report() {
    let (app, _) = TestApp::with_saw().await;
    app.command(ANA, "/esb-report", "table saw").await;
    app.fill("description", "Belt slips").await;
    let again = app.submission();
    assert_eq!(app.submit().await, Submitted::Cleared);
    let ack = app.send(again.clone()).await;
    assert_eq!(ack.payload.unwrap(), json!({ "response_action": "clear" }));
    // The same envelope, as a transport may bring it twice: answered, not acted upon.
    app.send_as("interactive", "twice", again.clone()).await;
    app.send_as("interactive", "twice", again).await;

    assert_eq!(app.repairs().await, 1);
    only(app.slack.posted_in("#woodshop"));
    only(app.slack.posted_in("#oops"));
    let answers = app.slack.private_to(ANA);
    assert_eq!(answers.len(), 3);
    assert!(answers.iter().all(|answer| answer.text == answers[0].text), "{answers:?}");
    app.finish().await;
}

#[tokio::test]
async fn same_form_other_text_is_new_report() {
    let (app, _) = TestApp::with_saw().await;
    app.command(ANA, "/esb-report", "table saw").await;
    app.fill("description", "Belt slips").await;
    let mut other = app.submission();
    assert_eq!(app.submit().await, Submitted::Cleared);
    put_text(&mut other, "description", "Noise");
    for _ in 0..2 {
        let ack = app.send(other.clone()).await;
        assert_eq!(ack.payload.unwrap(), json!({ "response_action": "clear" }));
    }
    assert_eq!(app.repairs().await, 2);
    app.clock.advance(TimeDelta::seconds(1));
    app.settle().await;
    app.read_all();
    app.finish().await;
}

#[tokio::test]
async fn missing_checkbox_is_not_ticked() {
    let (app, _) = TestApp::with_saw().await;
    app.command(ANA, "/esb-report", "table saw").await;
    app.fill("description", "Belt slips").await;
    let mut submission = app.submission();
    put_option(&mut submission, "severity", "Down");
    put(&mut submission, "safety_risk", json!({ "type": "checkboxes", "selected_options": [] }));
    submission["view"]["state"]["values"].as_object_mut().unwrap().remove("consumable");
    let ack = app.send(submission).await;
    assert_eq!(ack.payload.unwrap()["response_action"], "clear");
    let repair = app.repair(1).await;
    assert!(!repair.safety_risk && !repair.consumable);
    app.read_all();
    app.finish().await;
}
