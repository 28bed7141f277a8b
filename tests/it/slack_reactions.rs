//! Reactions to cards: eyes claim, a check mark offers to resolve, and others do nothing.

use crate::support::app::{ANA, BO, TestApp, only};
use crate::support::ops::user;
use chrono::TimeDelta;
use esb::domain::actor::Role;
use esb::domain::ids::UserId;
use esb::domain::repair::RepairStatus;
use esb::store::settings;
use esb_sandbox::{Message, Outcome, Person, Submitted};

const CY: &str = "U0CY";

impl TestApp {
    /// A report whose cards have been read; Bo and Cy are technicians.
    async fn with_technicians() -> (Self, Message, [UserId; 2]) {
        let (app, _) = Self::with_saw_and_scopes(&["reactions:read"]).await;
        let cy = Person::new(CY, "cy", "Cy Ng").email("cy@example.org");
        app.slack.change_world(|world| world.people.push(cy));
        let bo = user(&app.app.ctx, "bo", Role::Technician).await;
        let cy = user(&app.app.ctx, "cy", Role::Technician).await;
        app.report("table saw", "Belt slips").await;
        app.read_all();
        let card = app.card();
        (app, card, [bo, cy])
    }

    /// Somebody reacts to a message; everything that follows from it is done.
    async fn react(&self, who: &str, message: &Message, emoji: &str) {
        assert!(self.slack.react(who, message, emoji).await.unwrap().outcome.is_acknowledged());
        self.settle().await;
        self.after(TimeDelta::seconds(2)).await;
    }

    /// Somebody presses a button that was offered; everything that follows from it is done.
    async fn take(&self, who: &str, action: &str) {
        assert!(self.slack.press_message(who, who, action, None).await.unwrap().is_acknowledged());
        self.after(TimeDelta::seconds(2)).await;
    }
}

#[tokio::test]
async fn technician_eyes_reaction_claims_or_reassigns() {
    let (app, card, [bo, cy]) = TestApp::with_technicians().await;
    app.react(BO, &card, "eyes").await;
    let repair = app.repair(1).await;
    assert_eq!((repair.assignee_id, repair.status), (Some(bo), RepairStatus::Assigned));
    assert!(app.card().shown().contains(":wrench: <@U0BO>"), "{}", app.card().shown());
    app.react(BO, &card, "eyes").await;
    assert_eq!(app.repair(1).await.version, repair.version, "it is theirs already");
    assert!(app.slack.direct_messages(BO).is_empty());

    app.react(CY, &card, "eyes").await;
    let taken = app.repair(1).await;
    assert_eq!((taken.assignee_id, taken.status), (Some(cy), RepairStatus::Assigned));
    assert!(app.slack.direct_messages(CY).is_empty(), "the card shows it");
    app.read_all();
    app.finish().await;
}

#[tokio::test]
async fn check_mark_offers_resolve_button() {
    let (app, card, _) = TestApp::with_technicians().await;
    app.react(BO, &card, "white_check_mark").await;
    assert!(app.repair(1).await.open, "a reaction closes nothing");
    assert!(only(app.slack.direct_messages(BO)).text.contains("Is it done?"));
    app.take(BO, "card_resolve").await;
    app.slack.fill(BO, "note", "New belt").await.unwrap();
    assert_eq!(app.slack.submit(BO).await.unwrap(), Submitted::Cleared);
    app.after(TimeDelta::seconds(2)).await;
    assert_eq!(app.repair(1).await.status, RepairStatus::Resolved);

    app.react(BO, &card, "white_check_mark").await;
    assert!(app.slack.direct_messages(BO).is_empty(), "it is done already");
    app.react(BO, &card, "eyes").await;
    assert!(only(app.slack.direct_messages(BO)).text.starts_with(":x: "), "what is closed cannot be claimed");
    app.read_all();
    app.finish().await;
}

#[tokio::test]
async fn other_reactions_do_nothing() {
    let (app, card, _) = TestApp::with_technicians().await;
    app.react(ANA, &card, "eyes").await;
    app.react(ANA, &card, "white_check_mark").await;
    app.react(BO, &card, "wave").await;
    app.slack.say(ANA, "#woodshop", "Hello", None).await.unwrap();
    let hello = app.slack.messages().into_iter().find(|m| m.text == "Hello").unwrap();
    app.react(BO, &hello, "eyes").await;
    for event in [
        serde_json::json!({ "type": "reaction_added", "user": BO, "reaction": "eyes", "item": { "type": "file" } }),
        serde_json::json!({ "type": "reaction_added" }),
    ] {
        assert!(app.slack.event(event).await.outcome.is_acknowledged());
    }
    let (db, now) = (app.app.ctx.store.write(), app.clock.now());
    settings::set(db, "slack_reactions", "false", now).await.unwrap();
    app.react(BO, &card, "eyes").await;
    app.react(BO, &card, "white_check_mark").await;
    let repair = app.repair(1).await;
    assert_eq!((repair.assignee_id, repair.version), (None, 1));
    app.finish().await;
}

#[tokio::test]
async fn reactions_have_no_effect_without_scope() {
    let (app, _) = TestApp::with_saw().await;
    user(&app.app.ctx, "bo", Role::Technician).await;
    app.report("table saw", "Belt slips").await;
    app.read_all();
    for emoji in ["eyes", "white_check_mark"] {
        let reacted = app.slack.react(BO, &app.card(), emoji).await.unwrap();
        assert!(matches!(reacted.outcome, Outcome::Kept), "{:?}", reacted.outcome);
        app.settle().await;
    }
    let repair = app.repair(1).await;
    assert_eq!((repair.assignee_id, repair.version), (None, 1));
    assert!(app.slack.direct_messages(BO).is_empty());
    app.finish().await;
}
