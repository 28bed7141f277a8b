//! Mentions of the bot and direct messages to it: what they ask, and where they are answered.

use crate::support::app::{ANA, BO, DEADLINE, TestApp, only, world};
use crate::support::lines::Lines;
use chrono::TimeDelta;
use esb_sandbox::{Channel, Message};
use serde_json::json;
use tracing::Level;

impl TestApp {
    /// A workshop in a Slack that tells of mentions and direct messages.
    async fn listening() -> Self {
        let mut world = world().channel(Channel::new("C0FAR", "far").without_bot());
        world.scopes.extend(["im:history", "app_mentions:read", "channels:history"].map(String::from));
        let app = Self::start_in(world).await;
        let area = app.area("Wood shop", "#woodshop").await;
        app.add_equipment(area, "Table saw").await;
        app.add_equipment(area, "Band saw").await;
        app.technician("ana").await;
        app.add_open_repairs("Table saw", "Blade wobbles", 1).await;
        app
    }

    /// Bo mentions the bot; what it answers in the thread.
    async fn mention(&self, text: &str) -> Message {
        // A channel takes a message a second.
        self.clock.advance(TimeDelta::seconds(1));
        self.slack.mention(BO, "#woodshop", text, None).await.unwrap();
        let asked = self.slack.messages().into_iter().rfind(|message| message.user == BO).unwrap();
        self.settle().await;
        let answer = only(self.slack.posted_in("#woodshop"));
        assert_eq!(answer.thread_ts, Some(asked.thread_ts.unwrap_or(asked.ts)), "in its thread");
        answer
    }

    /// Ana writes to the bot; what it answers.
    async fn write(&self, text: &str) -> Message {
        self.slack.say(ANA, ANA, text, None).await.unwrap();
        self.settle().await;
        only(self.slack.direct_messages(ANA))
    }

    /// Ana presses a button of an answer.
    async fn press_in(&self, answer: &Message, action_id: &str) {
        let outcome = self.slack.press_in(ANA, answer, action_id, None).await.unwrap();
        assert!(outcome.is_acknowledged(), "{outcome:?}");
        self.settle().await;
    }
}

#[tokio::test]
async fn mention_is_answered_in_thread_with_button() {
    let app = TestApp::listening().await;
    for (text, says, button, opens) in [
        ("status", ":no_entry: *Table saw* · Down: Blade wobbles", "back_to_summary", "status_summary"),
        ("status wood SHOP", "*Wood shop*", "view_area", "status_area"),
        ("status table", "*#1* Blade wobbles", "view_equipment", "status_equipment"),
        ("status saw", "2 machines match *saw*", "view_equipment", "status_equipment"),
        ("status anvil", "No area and no machine is called “anvil”", "back_to_summary", "status_summary"),
        ("report band saw", "report a problem with *Band saw*", "report", "report_problem"),
        ("report saw", "No single machine matches *saw*", "report", "report_problem"),
        ("report", "Press the button to report a problem", "report", "report_problem"),
        ("#1", "*#1* *Table saw* (Wood shop)", "open_repair", "act_on_repair"),
        ("help", "I know which machines work", "report", "report_problem"),
        ("make me a coffee", "I know which machines work", "report", "report_problem"),
        ("", "I know which machines work", "report", "report_problem"),
    ] {
        let answer = app.mention(text).await;
        assert!(answer.text.contains(says) && answer.shown().contains(says), "{text}: {}", answer.text);
        app.press_in(&answer, button).await;
        assert_eq!(app.view().callback_id(), opens, "{text}");
        let chosen = app.view().value("equipment");
        assert_eq!(chosen.as_deref() == Some("Band saw"), text == "report band saw", "{text}");
    }
    let answer = app.mention("42").await;
    assert_eq!((answer.text.as_str(), answer.thread_ts.is_some()), (":x: There is no repair #42.", true));
    app.finish().await;
}

#[tokio::test]
async fn direct_message_is_answered_in_place() {
    let app = TestApp::listening().await;
    let answer = app.write("status").await;
    assert!(answer.text.contains("*Table saw*") && answer.thread_ts.is_none(), "{answer:?}");
    app.slack.say(ANA, ANA, "1", Some(&answer.ts)).await.unwrap();
    app.settle().await;
    let answered = only(app.slack.direct_messages(ANA));
    assert_eq!(answered.thread_ts, Some(answer.ts));
    app.finish().await;
}

#[tokio::test]
async fn member_pressing_technician_button_is_refused_privately() {
    let app = TestApp::listening().await;
    let answer = app.mention("1").await;
    app.slack.press_in(BO, &answer, "open_repair", None).await.unwrap();
    app.settle().await;
    assert!(app.slack.top_view(BO).is_none());
    assert!(only(app.slack.direct_messages(BO)).text.contains("a Technician or Staff account"));
    app.finish().await;
}

#[tokio::test]
async fn typed_text_notifies_nobody() {
    let app = TestApp::listening().await;
    for text in ["status <!channel>", "report &lt;!channel&gt;", "status <!here|*x*>"] {
        let answer = app.mention(text).await;
        let sent = app.slack.last_args("chat.postMessage").unwrap().to_string();
        assert!(!sent.contains("<!") && !answer.text.contains("<!"), "{sent}");
    }
    app.finish().await;
}

#[tokio::test]
async fn unwritable_channel_is_answered_by_direct_message() {
    let app = TestApp::listening().await;
    app.slack.mention(BO, "#far", "help", None).await.unwrap();
    app.settle().await;
    assert!(only(app.slack.direct_messages(BO)).text.contains("I know which machines work"));
    app.finish().await;
}

#[tokio::test]
async fn apps_edits_and_repetitions_are_not_answered() {
    let app = TestApp::listening().await;
    let direct = json!({"type": "message", "channel_type": "im", "channel": "D0ANA", "user": ANA,
        "text": "status", "ts": "1.2"});
    let with = |more: serde_json::Value| {
        let mut event = direct.clone();
        event.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        event
    };
    for odd in [
        with(json!({"bot_id": "B0OTHER"})),
        with(json!({"bot_id": "B0OTHER", "type": "app_mention", "channel": "C0WOOD"})),
        with(json!({"subtype": "message_changed"})),
        with(json!({"subtype": "message_deleted", "user": null})),
        with(json!({"subtype": "bot_message"})),
        with(json!({"user": "not an id"})),
        with(json!({"ts": 7})),
        with(json!({"channel_type": "channel", "channel": "C0WOOD"})),
    ] {
        assert!(app.slack.event(odd.clone()).await.outcome.is_acknowledged(), "{odd}");
        app.settle().await;
        assert_eq!(app.slack.calls("chat.postMessage").len(), 0, "{odd}");
    }
    let asked = app.slack.say(ANA, ANA, "help", None).await.unwrap();
    app.settle().await;
    app.slack.redeliver(&asked, 1, "timeout").await.unwrap();
    app.settle().await;
    only(app.slack.direct_messages(ANA));
    assert_eq!(app.slack.calls("chat.postMessage").len(), 1, "the same event acts once");
    app.finish().await;
}

#[tokio::test]
async fn mention_during_outage_is_answered() {
    let app = TestApp::listening().await;
    app.sql("ALTER TABLE repairs RENAME TO elsewhere").await;
    app.slack.mention(BO, "#woodshop", "status", None).await.unwrap();
    app.app.intake.idle().await;
    assert!(only(app.slack.direct_messages(BO)).text.starts_with(":x: "));
    assert!(app.slack.posted_in("#woodshop").is_empty());
}

#[tokio::test]
async fn missing_event_scopes_are_logged() {
    let lines = Lines::from(Level::INFO);
    let (app, _) = TestApp::with_saw().await;
    app.slack.mention(BO, "#woodshop", "status", None).await.unwrap();
    app.slack.say(ANA, ANA, "status", None).await.unwrap();
    app.settle().await;
    let told =
        app.slack.wait_for(DEADLINE, |_| lines.with("some features are off without these scopes").pop());
    let told = told.await.expect("a line about missing scopes");
    assert!(told.contains("im:history") && told.contains("app_mentions:read"), "{told}");
    app.finish().await;
}
