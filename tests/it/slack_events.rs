//! Redelivered Slack events act once across processes and restarts.

use crate::support::app::{ANA, BO, DEADLINE, Process, TestApp, only, world};
use crate::support::ops::user;
use chrono::TimeDelta;
use esb::domain::actor::Role;
use esb_sandbox::Delivered;

const POST: &str = "chat.postMessage";

impl TestApp {
    /// A workshop in a Slack that tells of everything; Bo is a technician.
    async fn hearing() -> Self {
        let mut world = world();
        let scopes = ["im:history", "app_mentions:read", "channels:history", "reactions:read"];
        world.scopes.extend(scopes.map(String::from));
        let app = Self::start_in(world).await;
        app.furnish_workshop().await;
        app
    }

    async fn furnish_workshop(&self) {
        let area = self.area("Wood shop", "#woodshop").await;
        self.add_equipment(area, "Table saw").await;
        user(&self.app.ctx, "bo", Role::Technician).await;
    }

    /// Slack sends an event so often again that each connection of two processes has had it.
    async fn sent_again(&self, event: &Delivered, other: &Process) {
        for attempt in 1..=4 {
            let again = self.slack.redeliver(event, attempt, "timeout").await.unwrap();
            assert!(again.outcome.is_acknowledged());
            self.settle().await;
            other.app.intake.idle().await;
        }
    }
}

#[tokio::test]
async fn event_sent_to_two_processes_is_answered_once() {
    let app = TestApp::hearing().await;
    let other = app.another_serve().await;
    let asked = app.slack.say(ANA, ANA, "help", None).await.unwrap();
    app.sent_again(&asked, &other).await;
    only(app.slack.direct_messages(ANA));
    app.slack.mention(BO, "#woodshop", "help", None).await.unwrap();
    let answered = app.slack.wait_for(DEADLINE, |slack| (slack.calls(POST).len() == 2).then_some(())).await;
    assert!(answered.is_some(), "another event is another question");
    only(app.slack.posted_in("#woodshop"));
    let opened = app.slack.open_home(ANA).await.unwrap();
    app.sent_again(&opened, &other).await;
    assert_eq!(app.slack.calls("views.publish").len(), 1);
    other.stop().await;
    app.finish().await;
}

#[tokio::test]
async fn redelivered_reaction_offers_resolve_once() {
    let app = TestApp::hearing().await;
    let other = app.another_serve().await;
    app.report("table saw", "Belt slips").await;
    app.after(TimeDelta::seconds(2)).await;
    app.read_all();
    let reacted = app.slack.react(BO, &app.card(), "white_check_mark").await.unwrap();
    app.sent_again(&reacted, &other).await;
    only(app.slack.direct_messages(BO));
    other.stop().await;
    app.finish().await;
}

#[tokio::test]
async fn answered_event_is_not_repeated_after_restart() {
    let app = TestApp::hearing().await;
    let before = app.another_serve().await;
    let mut asked = Vec::new();
    for _ in 0..4 {
        // A person gets a message a second.
        app.clock.advance(TimeDelta::seconds(1));
        asked.push(app.slack.say(ANA, ANA, "help", None).await.unwrap());
        app.settle().await;
        before.app.intake.idle().await;
    }
    assert_eq!(app.slack.direct_messages(ANA).len(), 4);
    before.stop().await;
    let after = app.another_serve().await;
    for event in &asked {
        app.sent_again(event, &after).await;
    }
    assert!(app.slack.direct_messages(ANA).is_empty());
    after.stop().await;
    app.finish().await;
}

#[tokio::test]
async fn event_is_answered_without_database() {
    let app = TestApp::hearing().await;
    app.sql("ALTER TABLE requests RENAME TO elsewhere").await;
    app.slack.say(ANA, ANA, "help", None).await.unwrap();
    app.settle().await;
    only(app.slack.direct_messages(ANA));
    app.finish().await;
}
