//! What people write in a card's thread becomes the repair's timeline, once, and follows what they change.

use crate::support::app::{ANA, BO, TestApp};
use crate::support::jobs::{PNG, photos, pictures};
use crate::support::ops::user;
use chrono::TimeDelta;
use esb::domain::actor::Role;
use esb::domain::ids::{RepairId, UserId};
use esb::ops::repairs::brief;
use esb::store::entities::timeline;
use esb_sandbox::{File, Message};
use sea_orm::{EntityTrait, QueryOrder};
use serde_json::{Value, json};

impl TestApp {
    /// A report whose cards have been read; Bo is a technician.
    async fn with_thread() -> (Self, Message, UserId) {
        let (app, _) = Self::with_saw_and_scopes(&["channels:history"]).await;
        let bo = user(&app.app.ctx, "bo", Role::Technician).await;
        app.report("table saw", "Belt slips").await;
        app.read_all();
        let card = app.card();
        (app, card, bo)
    }

    /// Somebody replies in the thread; what was written.
    async fn reply(&self, who: &str, card: &Message, text: &str) -> Message {
        let said = self.slack.say(who, "#woodshop", text, Some(&card.ts)).await.unwrap();
        assert!(said.outcome.is_acknowledged());
        self.settle().await;
        self.slack.messages().into_iter().rev().find(|m| m.text == text).expect("the reply")
    }

    /// Something happened in the workspace; everything that follows from it is done.
    async fn told(&self, event: Value) {
        assert!(self.slack.event(event).await.outcome.is_acknowledged());
        self.settle().await;
    }

    /// What the timeline says now, of notes.
    async fn says(&self) -> Vec<Option<String>> {
        let brief = brief(&self.app.ctx, RepairId(1)).await.unwrap();
        let notes =
            brief.latest.into_iter().filter(|it| it.kind == esb::domain::timeline::TimelineKind::Note);
        notes.map(|note| note.new).collect()
    }
}

/// A reply as Slack tells of it.
fn event_of(card: &Message, ts: &str, text: &str) -> Value {
    json!({ "type": "message", "channel": card.channel, "channel_type": "channel", "user": ANA, "text": text,
        "ts": ts, "thread_ts": card.ts, "event_ts": ts })
}

fn edit_of(message: &Value, ts: &str, text: &str) -> Value {
    let mut after = message.clone();
    after["text"] = json!(text);
    after["edited"] = json!({ "user": ANA, "ts": ts });
    json!({ "type": "message", "subtype": "message_changed", "channel": message["channel"], "message": after,
        "previous_message": message, "ts": ts, "event_ts": ts, "hidden": true })
}

fn deletion_of(message: &Value, ts: &str) -> Value {
    json!({ "type": "message", "subtype": "message_deleted", "channel": message["channel"],
        "deleted_ts": message["ts"], "previous_message": message, "ts": ts, "event_ts": ts, "hidden": true })
}

#[tokio::test]
async fn thread_replies_become_authors_notes() {
    let (app, card, bo) = TestApp::with_thread().await;
    app.reply(ANA, &card, "Still &lt;slips&gt;, see <https://a.test|the manual>").await;
    app.reply(BO, &card, "Thanks <@U0ANA>!").await;
    let notes = app.notes().await;
    let expected =
        [("Ana Lee", "Still <slips>, see the manual (https://a.test)"), ("Bo Okafor", "Thanks @Ana Lee!")];
    assert_eq!(notes, expected.map(|(who, text)| (who.into(), Some(text.into()), false)));
    let entries = timeline::Entity::find().order_by_desc(timeline::Column::Id);
    let entries = entries.all(app.app.ctx.store.read()).await.unwrap();
    assert_eq!((entries[0].actor_user_id, entries[1].actor_user_id), (Some(bo), None));
    app.finish().await;
}

#[tokio::test]
async fn edit_supersedes_and_a_deletion_blanks() {
    let (app, card, _) = TestApp::with_thread().await;
    let reply = app.reply(ANA, &card, "Blet slips").await;
    let mut unfurled = edit_of(&event_of(&card, &reply.ts, "Blet slips"), "0", "Blet slips");
    unfurled["message"].as_object_mut().unwrap().remove("edited");
    app.told(unfurled).await;
    assert_eq!(app.notes().await.len(), 1, "a link that Slack unfurls is no edit");
    app.clock.advance(TimeDelta::seconds(5));
    assert!(app.slack.edit(&reply, "Belt slips").await.unwrap().outcome.is_acknowledged());
    app.settle().await;
    assert_eq!(app.says().await, [Some("Belt slips".to_owned())]);
    app.clock.advance(TimeDelta::seconds(5));
    assert!(app.slack.take_back(&reply).await.unwrap().outcome.is_acknowledged());
    app.settle().await;
    assert_eq!(app.says().await, [None]);
    let ana = |text: Option<&str>, edits| ("Ana Lee".to_owned(), text.map(str::to_owned), edits);
    let expected = [ana(Some("Blet slips"), false), ana(Some("Belt slips"), true), ana(None, true)];
    assert_eq!(app.notes().await, expected);
    app.finish().await;
}

/// Slack's own words in the place of a reply.
fn tombstone_of(message: &Value, ts: &str) -> Value {
    let inner = json!({ "type": "message", "subtype": "tombstone", "text": "This message was deleted.",
        "user": "USLACKBOT", "hidden": true, "ts": message["ts"], "thread_ts": message["thread_ts"],
        "parent_user_id": "USLACKBOT" });
    json!({ "type": "message", "subtype": "message_changed", "channel": message["channel"], "message": inner,
        "previous_message": message, "ts": ts, "event_ts": ts, "hidden": true })
}

#[tokio::test]
async fn tombstone_blanks_the_note_of_its_author() {
    let (app, card, _) = TestApp::with_thread().await;
    let reply = app.reply(ANA, &card, "My phone is 555 0199").await;
    app.clock.advance(TimeDelta::seconds(5));
    assert!(app.slack.leave_tombstone(&reply).await.unwrap().outcome.is_acknowledged());
    app.settle().await;
    let ana = |text: Option<&str>, edits| ("Ana Lee".to_owned(), text.map(str::to_owned), edits);
    assert_eq!(app.notes().await, [ana(Some("My phone is 555 0199"), false), ana(None, true)]);
    assert_eq!(app.says().await, [None]);
    app.finish().await;
}

#[tokio::test]
async fn tombstones_edits_and_deletions_act_in_any_order() {
    let (app, card, _) = TestApp::with_thread().await;
    let at = |second: usize| format!("1900000000.00000{second}");
    let reply = event_of(&card, &at(1), "First");
    let edit = edit_of(&reply, &at(2), "Second");
    let tombstone = tombstone_of(&reply, &at(3));
    // When a tombstone goes, too, Slack names neither author nor text.
    let mut deletion = deletion_of(&reply, &at(4));
    deletion["previous_message"] = tombstone["message"].clone();
    let orders: [&[&Value]; 5] = [
        &[&reply, &edit, &tombstone, &tombstone, &deletion],
        &[&reply, &tombstone, &edit, &deletion, &tombstone],
        &[&tombstone, &edit, &reply, &deletion],
        &[&reply, &deletion, &tombstone, &edit],
        &[&deletion, &tombstone, &reply, &edit],
    ];
    for (number, order) in orders.into_iter().enumerate() {
        for event in order {
            let renamed = event.to_string().replace("1900000000.", &format!("190000000{number}."));
            app.told(serde_json::from_str(&renamed).unwrap()).await;
        }
    }
    assert!(app.says().await.iter().all(Option::is_none), "{:?}", app.says().await);
    let written = app.notes().await.into_iter().map(|(who, text, _)| (who, text));
    let written: Vec<(String, Option<String>)> = written.collect();
    let by = |who: &str, text: Option<&str>| (who.to_owned(), text.map(str::to_owned));
    let expected = [
        by("Ana Lee", Some("First")),
        by("Ana Lee", Some("Second")),
        by("Ana Lee", None),
        by("Ana Lee", Some("First")),
        by("Ana Lee", None),
        by("Ana Lee", Some("First")),
        by("Slack", None),
    ];
    assert_eq!(written, expected);
    app.finish().await;
}

#[tokio::test]
async fn card_or_bot_tombstone_changes_nothing() {
    let (app, card, _) = TestApp::with_thread().await;
    app.reply(ANA, &card, "Belt is off").await;
    let mut root = event_of(&card, &card.ts, "The card");
    root["bot_id"] = json!("B0BOT");
    app.told(tombstone_of(&root, "1900000000.000002")).await;
    let mut bots = event_of(&card, "1900000000.000001", "An update");
    bots["bot_id"] = json!("B0BOT");
    app.told(tombstone_of(&bots, "1900000000.000003")).await;
    assert_eq!(app.says().await, [Some("Belt is off".to_owned())]);
    app.finish().await;
}

#[tokio::test]
async fn repeated_or_reordered_events_act_once() {
    let (app, card, _) = TestApp::with_thread().await;
    let said = app.slack.say(ANA, "#woodshop", "Once", Some(&card.ts)).await.unwrap();
    app.settle().await;
    app.slack.redeliver(&said, 1, "timeout").await.unwrap();
    app.after(TimeDelta::days(2)).await;
    app.slack.redeliver(&said, 2, "timeout").await.unwrap();
    app.settle().await;
    assert_eq!(app.notes().await.len(), 1);

    let late = event_of(&card, "1900000000.000001", "First");
    app.told(edit_of(&late, "1900000000.000003", "Third")).await;
    app.told(edit_of(&late, "1900000000.000002", "Second")).await;
    app.told(late.clone()).await;
    assert_eq!(app.says().await[0].as_deref(), Some("Third"));
    app.told(deletion_of(&late, "1900000000.000004")).await;
    app.told(edit_of(&late, "1900000000.000003", "Third")).await;
    assert_eq!(app.says().await[0], None);

    let gone = event_of(&card, "1900000001.000001", "Gone");
    app.told(deletion_of(&gone, "1900000001.000002")).await;
    let count = app.notes().await.len();
    app.told(gone).await;
    assert_eq!(app.notes().await.len(), count, "what was deleted before we heard of it is no note");
    app.finish().await;
}

#[tokio::test]
async fn concurrent_redeliveries_make_one_note() {
    let (app, card, _) = TestApp::with_thread().await;
    let event = event_of(&card, "1900000000.000001", "Together");
    let events = (0..12).map(|_| app.slack.event(event.clone()));
    for heard in futures_util::future::join_all(events).await {
        assert!(heard.outcome.is_acknowledged());
    }
    app.settle().await;
    assert_eq!(app.notes().await, [("Ana Lee".to_owned(), Some("Together".to_owned()), false)]);
    app.finish().await;
}

#[tokio::test]
async fn thread_photos_are_copied_other_files_named() {
    let (app, card, _) = TestApp::with_thread().await;
    app.slack.change_world(|world| {
        pictures(world, &["F1"]);
        world.files.push(File::new("F2", "plan.pdf", "application/pdf", "%PDF"));
        world.files.push(File::new("F3", "away.png", "image/png", PNG).external("https://drive.test/a"));
    });
    let said = app.slack.say_with(ANA, "#woodshop", "", Some(&card.ts), &["F1"]).await.unwrap();
    app.settle().await;
    assert_eq!((photos(&app.app.ctx).await, app.notes().await.len()), (vec!["F1".to_owned()], 0));
    assert!(app.job_message_text().contains("1 of 1 done."));
    app.after(TimeDelta::days(1)).await;
    app.slack.redeliver(&said, 1, "timeout").await.unwrap();
    app.settle().await;
    assert_eq!(app.asked_for(), ["F1"], "asked for once");
    app.slack.say_with(ANA, "#woodshop", "Look", Some(&card.ts), &["F2", "F3"]).await.unwrap();
    app.settle().await;
    let note = app.says().await[0].clone().unwrap();
    assert!(note.starts_with("Look\nIn Slack only:\nplan.pdf: https://sandbox.slack.com/files/F2"), "{note}");
    assert!(note.ends_with("away.png: https://drive.test/a"), "{note}");
    assert_eq!(app.asked_for(), ["F1"]);
    app.finish().await;
}

#[tokio::test]
async fn unrelated_messages_leave_no_note() {
    let (app, card, _) = TestApp::with_thread().await;
    let other = app.slack.say(ANA, "#woodshop", "Lunch?", None).await.unwrap();
    assert!(other.outcome.is_acknowledged());
    let lunch = app.slack.messages().into_iter().find(|m| m.text == "Lunch?").unwrap();
    app.slack.say(BO, "#woodshop", "Yes", Some(&lunch.ts)).await.unwrap();
    app.slack.say(ANA, "#oops", "Another channel", Some(&card.ts)).await.unwrap();
    app.told(event_of(&card, &card.ts, "The card itself")).await;
    for (key, value) in [
        ("bot_id", json!("B0BOT")),
        ("bot_id", json!("B0OTHER")),
        ("subtype", json!("bot_message")),
        ("subtype", json!("channel_join")),
        ("user", Value::Null),
        ("ts", json!("x".repeat(40))),
        ("text", json!(" \u{200b}\u{0}")),
    ] {
        let mut event = event_of(&card, "1900000000.000001", "Hello");
        event[key] = value;
        app.told(event).await;
    }
    assert_eq!(app.notes().await, []);
    let mut long = event_of(&card, "1900000002.000001", &"x".repeat(5_000));
    long["user"] = json!("U0NOBODY");
    app.told(long).await;
    let notes = app.notes().await;
    assert_eq!(
        (notes.len(), notes[0].1.as_ref().unwrap().chars().count()),
        (1, 3_000),
        "the thread has the rest"
    );
    app.finish().await;
}

#[tokio::test]
async fn note_deleted_on_web_stays_deleted() {
    let (app, card, _) = TestApp::with_thread().await;
    let reply = event_of(&card, "1900000000.000001", "Hello");
    app.told(reply.clone()).await;
    app.sql("UPDATE cards SET channel = NULL, ts = NULL").await;
    app.told(edit_of(&reply, "1900000000.000002", "Hello all")).await;
    assert_eq!(app.says().await, [Some("Hello all".to_owned())]);
    app.sql(
        "INSERT INTO timeline (repair_id, kind, actor_name, version, supersedes, created_at) \
         SELECT repair_id, 'note', 'stu', version, id, created_at FROM timeline \
         WHERE kind = 'note' AND supersedes IS NULL",
    )
    .await;
    app.told(edit_of(&reply, "1900000000.000003", "Once more")).await;
    assert_eq!(app.says().await, [None]);
    app.finish().await;
}
