//! Thread replies in private channels or without their scope, and notices for replies that are lost.

use crate::support::app::{ANA, BO, DEADLINE, TestApp, only, world};
use crate::support::lines::Lines;
use chrono::TimeDelta;
use esb_sandbox::{Channel, Delivered, Message, Sandbox};
use serde_json::json;
use tracing::Level;

impl TestApp {
    /// The card in that channel.
    #[track_caller]
    fn card_in(&self, channel: &str) -> Message {
        let is_card = |m: &Message| m.channel == channel && m.thread_ts.is_none() && !m.blocks.is_empty();
        self.slack.messages().into_iter().find(is_card).expect("a card")
    }

    /// Ana replies to a message; whether Slack tells of it.
    async fn replies(&self, to: &Message, text: &str) -> bool {
        let said = self.slack.say(ANA, &to.channel, text, Some(&to.ts)).await.unwrap();
        self.app.intake.idle().await;
        said.outcome.is_acknowledged()
    }

    /// The message of that text.
    fn written_as(&self, text: &str) -> Message {
        self.slack.messages().into_iter().rfind(|m| m.text == text).expect("a message")
    }

    /// The texts of all notes.
    async fn noted(&self) -> Vec<Option<String>> {
        self.notes().await.into_iter().map(|(_, text, _)| text).collect()
    }
}

#[tokio::test]
async fn private_channel_needs_groups_history() {
    let lines = Lines::from(Level::INFO);
    let mut world = world().channel(Channel::new("C0QUIET", "quiet").private());
    world.scopes.push("groups:history".into());
    let app = TestApp::start_in(world).await;
    let area = app.area("Laser room", "#quiet").await;
    app.add_equipment(area, "Laser").await;
    app.report("laser", "Lens is dirty").await;
    let (quiet, oops) = (app.card_in("C0QUIET"), app.card_in("C0OOPS"));
    assert!(app.replies(&quiet, "In private").await && !app.replies(&oops, "In public").await);
    assert_eq!(app.noted().await, [Some("In private".to_owned())]);
    let told =
        app.slack.wait_for(DEADLINE, |_| lines.with("some features are off without these scopes").pop());
    let told = told.await.expect("a line about missing scopes");
    assert!(told.contains("channels:history") && !told.contains("groups:history"), "{told}");

    let swap = |from: &'static str, to: &'static str| {
        app.slack.change_world(|world| {
            world.scopes.retain(|scope| scope != from);
            world.scopes.push(to.into());
        });
    };
    swap("groups:history", "channels:history");
    assert!(!app.replies(&quiet, "Unheard").await && app.replies(&oops, "Public by now").await);
    swap("channels:history", "groups:read");
    assert!(!app.replies(&quiet, "Unheard").await && !app.replies(&oops, "Unheard").await);
    assert_eq!(app.noted().await, ["In private", "Public by now"].map(|text| Some(text.to_owned())));
    app.slack.posted_in("#quiet");
    app.read_all();
    app.finish().await;
}

#[tokio::test]
async fn failed_reply_is_saved_on_redelivery() {
    let (app, _) = TestApp::with_saw_and_scopes(&["channels:history"]).await;
    app.report("table saw", "Belt slips").await;
    app.read_all();
    let card = app.card();
    // The repair is found and its timeline is not; and not even the repair is.
    for table in ["timeline", "cards"] {
        app.sql(&format!("ALTER TABLE {table} RENAME TO away")).await;
        let lines = Lines::from(Level::INFO);
        let text = format!("Belt is off, says {table}");
        let said = app.slack.say(ANA, "#woodshop", &text, Some(&card.ts)).await.unwrap();
        assert!(!said.outcome.is_acknowledged());
        assert!(lines.only_slack_line().contains("event not handled yet, left unacknowledged"));
        app.sql(&format!("ALTER TABLE away RENAME TO {table}")).await;
        for attempt in [1, 2] {
            let again = app.slack.redeliver(&said, attempt, "timeout").await.unwrap();
            assert!(again.outcome.is_acknowledged());
        }
    }
    let noted = ["Belt is off, says timeline", "Belt is off, says cards"];
    assert_eq!(app.noted().await, noted.map(|text| Some(text.to_owned())));
    assert!(app.slack.direct_messages(ANA).is_empty(), "nothing was lost");
    app.finish().await;
}

#[tokio::test]
async fn author_of_lost_reply_is_notified() {
    let (app, _) = TestApp::with_saw_and_scopes(&["channels:history"]).await;
    app.report("table saw", "Belt slips").await;
    app.read_all();
    let card = app.card();
    app.sql("ALTER TABLE timeline RENAME TO away").await;
    let said = app.slack.say(ANA, "#woodshop", "Belt is off", Some(&card.ts)).await.unwrap();
    let early = app.slack.redeliver(&said, 2, "timeout").await.unwrap();
    assert!(!said.outcome.is_acknowledged() && !early.outcome.is_acknowledged());
    assert!(app.slack.direct_messages(ANA).is_empty(), "Slack sends it again");
    let lines = Lines::from(Level::ERROR);
    assert!(!app.slack.redeliver(&said, 3, "timeout").await.unwrap().outcome.is_acknowledged());
    let told = only(app.slack.direct_messages(ANA)).text;
    assert!(told.starts_with(":x: Your reply in a thread was not saved on its repair. "), "{told}");
    assert!(told.ends_with(" Please write it again, or edit it."), "{told}");
    let reference = told.split_once("(ref ").and_then(|(_, rest)| rest.split_once(')')).unwrap().0;
    assert!(lines.only_slack_line().contains(reference), "{told}");
    app.sql("ALTER TABLE away RENAME TO timeline").await;
    assert_eq!(app.noted().await, []);
    let reply = app.written_as("Belt is off");
    app.slack.edit(&reply, "The belt is off").await.unwrap();
    assert_eq!(app.noted().await, [Some("The belt is off".to_owned())]);

    app.sql("ALTER TABLE timeline RENAME TO away").await;
    let taken_back = app.slack.take_back(&reply).await.unwrap();
    // A person gets a message a second.
    app.clock.advance(TimeDelta::seconds(1));
    app.slack.redeliver(&taken_back, 3, "timeout").await.unwrap();
    let told = only(app.slack.direct_messages(ANA)).text;
    assert!(
        told.starts_with(":x: The message that you deleted in a thread is still on its repair"),
        "{told}"
    );
    assert!(told.ends_with(" Please ask staff to delete the note."), "{told}");
    app.sql("ALTER TABLE away RENAME TO timeline").await;
    app.finish().await;
}

#[tokio::test]
async fn foreign_threads_are_ignored() {
    let (app, _) = TestApp::with_saw_and_scopes(&["channels:history"]).await;
    let is_known = |slack: &Sandbox| slack.calls("auth.test").iter().find(|call| call.ok()).map(|_| ());
    app.slack.wait_for(DEADLINE, is_known).await.expect("the app asks whose it is");
    app.slack.say(BO, "#woodshop", "Lunch?", None).await.unwrap();
    app.settle().await;
    let lunch = app.written_as("Lunch?");
    app.sql("ALTER TABLE cards RENAME TO away").await;
    let last = async |event: Delivered| {
        assert!(!event.outcome.is_acknowledged());
        assert!(!app.slack.redeliver(&event, 3, "timeout").await.unwrap().outcome.is_acknowledged());
    };
    last(app.slack.say(ANA, "#woodshop", "Yes", Some(&lunch.ts)).await.unwrap()).await;
    let mut event = json!({"type": "message", "channel": "C0WOOD", "channel_type": "channel", "user": ANA,
        "text": "Hello", "ts": "1900000000.000001", "thread_ts": "1800000000.000001"});
    last(app.slack.event(event.clone()).await).await;
    assert!(app.slack.direct_messages(ANA).is_empty(), "nobody knows whose thread that is");
    event["subtype"] = json!("thread_broadcast");
    event["root"] = json!({"user": app.slack.world().bot_user});
    last(app.slack.event(event).await).await;
    assert!(only(app.slack.direct_messages(ANA)).text.contains("was not saved on its repair"));
    app.sql("ALTER TABLE away RENAME TO cards").await;
    app.finish().await;
}
