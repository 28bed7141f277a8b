//! What each Slack surface shows while the database is down.

use crate::support::app::{ANA, DEADLINE, TestApp, only};
use crate::support::slack::errors_of;
use chrono::TimeDelta;
use esb_sandbox::{Message, Submitted};
use serde_json::{Value, json};

const AWAY: &str = "The database does not answer.";

/// The repair card in the wood shop before Ana, a technician; her Home tab is open.
async fn shop() -> (TestApp, Message) {
    let (app, _) = TestApp::with_saw_and_scopes(&["reactions:read"]).await;
    app.technician("ana").await;
    app.report("table saw", "Belt slips").await;
    app.read_all();
    app.slack.open_home(ANA).await.unwrap();
    app.settle().await;
    let card = app.card();
    (app, card)
}

impl TestApp {
    async fn lose_the_database(&self) {
        self.app.ctx.store.write().clone().close().await.unwrap();
        self.app.ctx.store.read().clone().close().await.unwrap();
    }

    /// The only direct message to Ana, once nothing is being worked upon.
    async fn told_directly(&self) -> String {
        self.app.intake.idle().await;
        let told = only(self.slack.direct_messages(ANA)).text;
        // Slack takes a message a second.
        self.clock.advance(TimeDelta::seconds(1));
        told
    }

    fn home_shows(&self) -> String {
        self.slack.home_of(ANA).expect("a Home tab").shown()
    }
}

/// Filled in forms that wait to be sent, with the input on which each says what is wrong.
async fn forms(app: &TestApp, card: &Message) -> Vec<(&'static str, Value)> {
    app.command(ANA, "/esb-repair", "").await;
    app.choose("repair", "1").await;
    let choose = app.submission();
    assert_eq!(app.submit().await, Submitted::Pushed);
    app.choose("action", "claim").await;
    let act = app.submission();
    app.command(ANA, "/esb-repair", "table saw").await;
    app.fill("description", "Dull").await;
    let create = app.submission();
    app.command(ANA, "/esb-update", "1").await;
    let update = app.submission();
    assert!(app.slack.press_in(ANA, card, "card_resolve", None).await.unwrap().is_acknowledged());
    app.settle().await;
    app.fill("note", "New belt").await;
    let resolve = app.submission();
    app.slack.close(ANA).await.unwrap();
    vec![("repair", choose), ("action", act), ("equipment", create), ("status", update), ("note", resolve)]
}

#[tokio::test]
async fn every_form_shows_outage_on_first_input() {
    let (app, card) = shop().await;
    let forms = forms(&app, &card).await;
    app.lose_the_database().await;
    for (input, form) in forms {
        let envelope = json!({ "envelope_id": input, "type": "interactive", "payload": form });
        assert!(app.slack.wire().send_envelope(envelope));
        let refused = errors_of(&app.slack.wire().wait_for_ack(input, DEADLINE).await.expect("an answer"));
        assert_eq!(refused.keys().collect::<Vec<_>>(), [input]);
        assert!(refused[input].starts_with(AWAY) && refused[input].contains("(ref "), "{refused:?}");
    }
    app.app.intake.idle().await;
    assert!(app.slack.direct_messages(ANA).is_empty() && app.slack.private_to(ANA).is_empty());
}

#[tokio::test]
async fn outage_answers_buttons_and_shortcuts_privately() {
    let (app, card) = shop().await;
    app.lose_the_database().await;
    for button in ["card_claim", "card_resolve", "card_more", "me_too"] {
        assert!(app.slack.press_in(ANA, &card, button, None).await.unwrap().is_acknowledged(), "{button}");
        app.app.intake.idle().await;
        let told = app.private(ANA);
        assert!(told.starts_with(&format!(":x: {AWAY}")), "{button}: {told}");
    }
    app.slack.shortcut(ANA, "report_problem_shortcut").await.unwrap();
    assert!(app.told_directly().await.starts_with(&format!(":x: {AWAY}")));
    assert!(app.slack.message_shortcut(ANA, &card, "report_from_message").await.unwrap().is_acknowledged());
    assert!(app.told_directly().await.starts_with(&format!(":x: {AWAY}")));
    assert!(app.slack.top_view(ANA).is_none());
}

#[tokio::test]
async fn home_tab_shows_outage() {
    let (app, _) = shop().await;
    assert!(app.home_shows().contains("Belt slips"));
    app.lose_the_database().await;
    assert!(app.slack.press(ANA, "open_repair", Some("1")).await.unwrap().is_acknowledged());
    assert!(app.told_directly().await.starts_with(&format!(":x: {AWAY}")));
    let shown = app.home_shows();
    assert!(shown.starts_with(&format!(":x: {AWAY}")) && !shown.contains("Belt slips"), "{shown}");
    for _ in 0..3 {
        app.slack.open_home(ANA).await.unwrap();
        app.app.intake.idle().await;
        assert!(app.home_shows().starts_with(&format!(":x: {AWAY}")), "{}", app.home_shows());
    }
    assert!(app.slack.direct_messages(ANA).is_empty(), "the tab says it");
}

#[tokio::test]
async fn reactions_during_outage_send_no_message() {
    let (app, card) = shop().await;
    app.lose_the_database().await;
    for emoji in ["eyes", "white_check_mark"] {
        let reacted = app.slack.react(ANA, &card, emoji).await.unwrap();
        assert!(!reacted.outcome.is_acknowledged(), "it may have been a technician");
        app.slack.redeliver(&reacted, 3, "timeout").await.unwrap();
    }
    assert!(app.slack.direct_messages(ANA).is_empty());
}
