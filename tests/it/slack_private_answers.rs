//! Private answers: where they are posted, and what they say when an action fails.

use crate::support::app::{ANA, DEADLINE, TestApp, only};
use crate::support::lines::Lines;
use chrono::TimeDelta;
use esb::metrics::Metrics;
use esb::slack::dispatch::Dispatcher;
use esb::slack::envelope::{Envelope, Parsed, Source};
use esb::slack::intake::{Dispatch, Intake, Limits, Received, Reference};
use esb_sandbox::{Fault, Sandbox, Submitted};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde_json::{Value, json};
use std::sync::Arc;
use tracing::Level;

/// Ana's form for the table saw, filled in.
async fn filled() -> TestApp {
    let (app, _) = TestApp::with_saw().await;
    app.command(ANA, "/esb-report", "table saw").await;
    app.fill("description", "Belt slips").await;
    app
}

/// A command of Ana's as Slack sends it.
fn command(app: &TestApp, name: &str, text: &str) -> Value {
    json!({
        "team_id": app.slack.world().team_id,
        "user_id": ANA,
        "user_name": "ana",
        "channel_id": "C0WOOD",
        "command": name,
        "text": text,
        "response_url": format!("{}response/unknown", app.slack.api_url()),
        "trigger_id": "1.2.unknown",
    })
}

#[tokio::test]
async fn confirmation_goes_where_the_command_was_typed() {
    let app = filled().await;
    let mark = app.calls();
    app.submit().await;
    assert_eq!(app.called_since(mark)[0], "response_url", "the bot need not be a member there");
    let answer = only(app.slack.private_to(ANA));
    assert_eq!(answer.channel, "C0WOOD");
    assert!(answer.text.contains("repair #1"), "{}", answer.text);
    app.read_all();
    app.finish().await;
}

#[tokio::test]
async fn late_confirmation_is_a_direct_message() {
    let app = filled().await;
    app.clock.advance(TimeDelta::minutes(31));
    assert_eq!(app.submit().await, Submitted::Cleared);
    assert!(app.slack.calls("response_url").is_empty(), "it is known to be dead");
    assert!(only(app.slack.direct_messages(ANA)).text.contains("repair #1"));
    app.read_all();
    app.finish().await;
}

#[tokio::test]
async fn failed_response_url_falls_back_to_message() {
    for fault in [Fault::Error("used_url"), Fault::Http(404), Fault::Http(500), Fault::RateLimited(9)] {
        let app = filled().await;
        app.slack.fail_next("response_url", fault);
        assert_eq!(app.submit().await, Submitted::Cleared);
        assert!(only(app.slack.direct_messages(ANA)).text.contains("repair #1"), "{fault:?}");
        app.read_all();
        app.finish().await;
    }
}

#[tokio::test]
async fn undeliverable_confirmation_is_harmless() {
    let app = filled().await;
    let lines = Lines::from(Level::INFO);
    app.slack.fail_next("response_url", Fault::Http(500));
    app.slack.fail_next("chat.postMessage", Fault::Error("user_not_found"));
    assert_eq!(app.slack.submit(ANA).await.unwrap(), Submitted::Cleared);
    app.settle().await;
    assert!(lines.only_slack_line().contains("private answer failed"));
    assert_eq!(app.repairs().await, 1);
    only(app.slack.posted_in("#woodshop"));
    only(app.slack.posted_in("#oops"));
    app.finish().await;
}

#[tokio::test]
async fn failed_modal_open_is_explained() {
    let (app, _) = TestApp::with_saw().await;
    for name in ["/esb-report", "/esb-status"] {
        for (fault, words) in [
            (Fault::RateLimited(30), "Slack is very busy"),
            (Fault::Error("expired_trigger_id"), "That took too long"),
            (Fault::Error("exchanged_trigger_id"), "That took too long"),
            (Fault::Error("internal_error"), "Something went wrong (ref "),
            (Fault::Error("invalid_auth"), "Something went wrong (ref "),
            (Fault::Http(503), "Something went wrong (ref "),
            (Fault::CutAfterAccept, "Something went wrong (ref "),
        ] {
            let lines = Lines::from(Level::INFO);
            app.slack.fail_next("views.open", fault);
            app.command(ANA, name, "").await;
            let answer = app.private(ANA);
            assert!(answer.starts_with(":x: ") && answer.contains(words), "{name} {fault:?}: {answer}");
            let line = lines.only_slack_line();
            let reference = answer.split_once("(ref ").map_or("", |(_, rest)| &rest[..8]);
            assert!(line.contains(reference), "{line}");
            assert!(!line.contains("response/") && !line.contains("xoxb"), "{line}");
        }
    }
    app.finish().await;
}

#[tokio::test]
async fn unknown_surface_is_answered_and_logged_once() {
    let app = filled().await;
    let before = app.view().shown();
    let lines = Lines::from(Level::INFO);

    let ack = app.send_as("slash_commands", "c", command(&app, "/esb-paint", "x")).await;
    let answer = ack.payload.unwrap();
    assert_eq!(answer["response_type"], "ephemeral");
    assert!(answer["text"].as_str().unwrap().contains("/esb-report"), "{answer}");
    assert!(lines.only_slack_line().contains("unknown Slack request"));

    let mut unknown = app.submission();
    unknown["view"]["callback_id"] = json!("choose_anything");
    let answer = app.send(unknown).await.payload.unwrap();
    assert!(answer["errors"]["equipment"].as_str().unwrap().contains("start again"), "{answer}");
    assert!(lines.only_slack_line().contains("unknown Slack request"));

    for pressed in ["card_claim", "view_area", "page", "", "<!channel>"] {
        app.clock.advance(TimeDelta::seconds(1));
        app.send(app.pressed(pressed, "1")).await;
        let told = only(app.slack.direct_messages(ANA)).text;
        assert!(told.contains("This button is out of date."), "{pressed}: {told}");
        assert!(lines.only_slack_line().contains("out of date"));
        assert_eq!(app.view().shown(), before, "{pressed}: the form stays as it is");
    }

    let mut in_a_message = app.interaction("block_actions");
    in_a_message["actions"] = json!([{ "action_id": "me_too", "value": "1" }]);
    app.send(in_a_message).await;
    assert!(only(app.slack.direct_messages(ANA)).text.contains("out of date"));
    lines.only_slack_line();

    for kind in ["shortcut", "message_action"] {
        let mut shortcut = app.interaction(kind);
        shortcut["callback_id"] = json!("x");
        shortcut["trigger_id"] = json!("1.2.x");
        app.send(shortcut).await;
        lines.only_slack_line();
    }
    assert_eq!(app.repairs().await, 0);
    app.finish().await;
}

#[tokio::test]
async fn another_workspace_is_refused() {
    let app = filled().await;
    let is_known = |slack: &Sandbox| slack.calls("auth.test").iter().find(|call| call.ok()).map(|_| ());
    app.slack.wait_for(DEADLINE, is_known).await.expect("the app asks whose it is");
    let before = app.view().shown();
    let lines = Lines::from(Level::INFO);
    let mut foreign = command(&app, "/esb-report", "saw");
    foreign["team_id"] = json!("T0OTHER");
    let answer = app.send_as("slash_commands", "c", foreign).await.payload.unwrap();
    assert_eq!(answer["text"], ":x: This app serves another workspace.");
    assert!(lines.only_slack_line().contains("another workspace"));

    let mut foreign = app.submission();
    foreign["team"]["id"] = json!("T0OTHER");
    foreign["view"]["app_installed_team_id"] = json!("T0OTHER");
    let answer = app.send(foreign).await.payload.unwrap();
    assert_eq!(answer["errors"]["equipment"], "This app serves another workspace.");
    lines.only_slack_line();

    let mut foreign = app.pressed("me_too", "1");
    foreign["team"]["id"] = json!("T0OTHER");
    foreign["view"]["app_installed_team_id"] = json!("T0OTHER");
    app.send(foreign).await;
    lines.only_slack_line();
    assert_eq!(app.repairs().await, 0);
    assert_eq!(app.view().shown(), before);
    app.finish().await;
}

#[tokio::test]
async fn unknown_slack_user_can_report() {
    let (app, _) = TestApp::with_saw().await;
    app.slack.change_world(|world| world.people[0].deleted = true);
    app.command(ANA, "/esb-report", "table saw").await;
    app.fill("description", "Belt slips").await;
    assert_eq!(app.submit().await, Submitted::Cleared);
    assert_eq!(app.repair(1).await.reporter_name, "Ana Lee");
    app.read_all();
    app.finish().await;
}

#[tokio::test]
async fn channel_id_is_shown_as_name() {
    let app = TestApp::start().await;
    let area = app.area("Metal shop", "C0METAL1").await;
    app.add_equipment(area, "Forge").await;
    app.slack.change_world(|world| world.channels[2].id = "C0METAL1".into());
    app.command(ANA, "/esb-report", "forge").await;
    app.fill("description", "Cold").await;
    app.submit().await;
    assert!(app.private(ANA).contains("Posting to <#C0METAL1> and #oops."));
    app.read_all();
    app.finish().await;
}

/// The program's dispatcher, of which everything breaks off once it is acknowledged.
struct Breaking(Dispatcher);

impl Dispatch for Breaking {
    fn name(&self, _: &Envelope) -> &'static str {
        "other"
    }

    fn apology(&self, envelope: &Envelope, reference: &Reference) -> Option<BoxFuture<'static, ()>> {
        self.0.apology(envelope, reference)
    }

    fn dispatch(&self, received: Received) -> BoxFuture<'static, ()> {
        async move {
            received.ack.empty();
            panic!("told to");
        }
        .boxed()
    }
}

#[tokio::test]
async fn panic_is_answered_where_a_person_waits() {
    let app = filled().await;
    let dispatch = Arc::new(Breaking(Dispatcher::new(app.edge())));
    let intake = Intake::new(dispatch, app.clock.clone(), Metrics::new(), Limits::default());
    let (submission, event) = (app.submission(), json!({ "team_id": "T", "event_id": "E", "event": {} }));
    for (source, payload, is_told) in [
        (Source::Command, command(&app, "/esb-status", ""), true),
        (Source::Interaction, app.pressed("page", "1"), true),
        (Source::Interaction, submission, false),
        (Source::Event(None), event, false),
    ] {
        let lines = Lines::from(Level::ERROR);
        intake.accept(None, Parsed::new(source, payload), drop);
        intake.idle().await;
        let told: Vec<String> = app.slack.direct_messages(ANA).into_iter().map(|it| it.text).collect();
        assert_eq!(told.len(), usize::from(is_told), "{told:?}");
        let line = lines.only_slack_line();
        for told in told {
            let reference = told.split_once("(ref ").map_or("", |(_, rest)| &rest[..8]);
            assert!(told.starts_with(":x: ") && line.contains(reference), "{told} {line}");
        }
    }
    app.slack.forgive();
    app.finish().await;
}
