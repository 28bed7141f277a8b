//! Events that fail are not acknowledged and are handled when Slack redelivers them.

use crate::support::app::{ANA, BO, TestApp, only};
use crate::support::ops::user;
use chrono::TimeDelta;
use esb::domain::actor::Role;
use esb::domain::ids::UserId;
use esb::store::entities::{delivery, user as users};
use esb_sandbox::{Delivered, Fault, Message, Person, Submitted};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use std::time::Duration;

const POST: &str = "chat.postMessage";
const CY: &str = "U0CY";

impl TestApp {
    /// The table saw in a Slack that tells of threads and reactions; Bo and Cy are technicians.
    async fn hears_events() -> (Self, [UserId; 2]) {
        let (app, _) = Self::with_saw_and_scopes(&["channels:history", "reactions:read"]).await;
        let cy = Person::new(CY, "cy", "Cy Ng").email("cy@example.org");
        app.slack.change_world(|world| world.people.push(cy));
        let bo = user(&app.app.ctx, "bo", Role::Technician).await;
        let cy = user(&app.app.ctx, "cy", Role::Technician).await;
        (app, [bo, cy])
    }

    /// Ana has sent a report; nothing is announced yet.
    async fn report_unannounced(&self) {
        self.command(ANA, "/esb-report", "table saw").await;
        self.fill("description", "Belt slips").await;
        assert_eq!(self.slack.submit(ANA).await.unwrap(), Submitted::Cleared);
        self.app.intake.idle().await;
    }

    /// Sends an event for another time; whether it is acknowledged.
    async fn again(&self, event: &Delivered, attempt: u32) -> bool {
        self.slack.redeliver(event, attempt, "timeout").await.unwrap().outcome.is_acknowledged()
    }

    async fn reply_to(&self, to: &Message) -> Delivered {
        self.slack.say(ANA, &to.channel, "Belt is off", Some(&to.ts)).await.unwrap()
    }

    async fn note_texts(&self) -> Vec<Option<String>> {
        self.notes().await.into_iter().map(|(_, text, _)| text).collect()
    }

    async fn assignee(&self) -> Option<UserId> {
        self.repair(1).await.assignee_id
    }
}

/// The only note.
fn once() -> Vec<Option<String>> {
    vec![Some("Belt is off".to_owned())]
}

#[tokio::test]
async fn reply_to_card_being_sent_is_noted_once() {
    let (app, _) = TestApp::hears_events().await;
    app.report_unannounced().await;
    app.slack.fail_next(POST, Fault::Delay(Duration::from_secs(5)));
    let (sent, said) = tokio::join!(app.app.deliverer.settle(), async {
        let posted =
            |slack: &esb_sandbox::Sandbox| slack.messages().into_iter().find(|m| !m.blocks.is_empty());
        let card = app.slack.wait_for(Duration::from_secs(4), posted).await.expect("a card");
        app.reply_to(&card).await
    });
    sent.unwrap();
    assert!(!said.outcome.is_acknowledged(), "nobody knows yet whose card it is");
    assert_eq!(app.note_texts().await, []);
    assert!(app.again(&said, 1).await && app.again(&said, 2).await);
    assert_eq!(app.note_texts().await, once());
    app.settle_and_finish().await;
}

#[tokio::test]
async fn events_on_card_in_doubt_are_handled_once() {
    let (app, [bo, _]) = TestApp::hears_events().await;
    // Messages can be looked for where one is on record.
    app.report("table saw", "Blade wobbles").await;
    app.report_unannounced().await;
    app.slack.fail_always(POST, Fault::CutAfterAccept);
    app.after(TimeDelta::seconds(2)).await;
    app.slack.clear_faults();
    let pending = delivery::Entity::find().filter(delivery::Column::PostedTs.is_null());
    let pending = pending.all(app.app.ctx.store.read()).await.unwrap();
    assert!(pending.len() == 2 && pending.iter().all(|it| it.in_doubt_since.is_some()), "{pending:?}");
    let is_card = |m: &Message| m.channel == "C0WOOD" && m.shown().contains("Belt slips");
    let card = app.slack.messages().into_iter().find(is_card).expect("Slack has it");
    let said = app.reply_to(&card).await;
    let reacted = app.slack.react(BO, &card, "eyes").await.unwrap();
    assert!(!said.outcome.is_acknowledged() && !reacted.outcome.is_acknowledged());
    app.after(TimeDelta::minutes(5)).await;
    for event in [&said, &reacted] {
        assert!(app.again(event, 1).await && app.again(event, 2).await);
    }
    assert_eq!((app.note_texts().await, app.repair(2).await.assignee_id), (once(), Some(bo)));
    app.settle_and_finish().await;
}

#[tokio::test]
async fn other_messages_are_not_waited_for_forever() {
    let (app, _) = TestApp::hears_events().await;
    app.report("table saw", "Belt slips").await;
    app.read_all();
    let reply = app.reply_to(&app.card()).await;
    assert!(reply.outcome.is_acknowledged());
    let lunch = app.slack.say(ANA, "#woodshop", "Lunch?", None).await.unwrap();
    assert!(lunch.outcome.is_acknowledged());
    let lunch = app.slack.messages().into_iter().find(|m| m.text == "Lunch?").unwrap();
    let mut other = app.card();
    other.ts = "1700000000.000001".to_owned();
    assert!(app.reply_to(&other).await.outcome.is_acknowledged(), "no card is being posted");
    // A second card is on its way for as long as the test lasts.
    app.sql("UPDATE deliveries SET state = 'sending' WHERE id = 1").await;
    assert!(app.reply_to(&lunch).await.outcome.is_acknowledged(), "another person's thread");
    let said = app.reply_to(&other).await;
    let reacted = app.slack.react(BO, &other, "eyes").await.unwrap();
    for event in [&said, &reacted] {
        assert!(!event.outcome.is_acknowledged());
        assert!(!app.again(event, 2).await);
        assert!(app.again(event, 3).await, "the last time ends it");
    }
    app.sql("UPDATE deliveries SET state = 'delivered'").await;
    assert_eq!((app.note_texts().await.len(), app.assignee().await), (1, None));
    assert!(app.slack.direct_messages(ANA).is_empty());
    app.finish().await;
}

#[tokio::test]
async fn failed_reactions_are_handled_when_sent_again() {
    let (app, [bo, cy]) = TestApp::hears_events().await;
    app.report("table saw", "Belt slips").await;
    app.read_all();
    let (card, other) = (app.card(), app.another_serve().await);
    app.sql("ALTER TABLE timeline RENAME TO away").await;
    let claimed = app.slack.react(BO, &card, "eyes").await.unwrap();
    let offered = app.slack.react(BO, &card, "white_check_mark").await.unwrap();
    assert!(!claimed.outcome.is_acknowledged() && !offered.outcome.is_acknowledged());
    assert!(app.slack.direct_messages(BO).is_empty(), "Slack sends it again");
    app.sql("ALTER TABLE away RENAME TO timeline").await;
    for attempt in 1..=4 {
        assert!(app.again(&claimed, attempt).await && app.again(&offered, attempt).await);
    }
    assert_eq!(app.assignee().await, Some(bo));
    let version = app.repair(1).await.version;
    only(app.slack.direct_messages(BO));

    // What comes again much later, and to whichever process, takes nothing from whoever was faster since.
    app.clock.advance(TimeDelta::seconds(1));
    assert!(app.slack.react(CY, &card, "eyes").await.unwrap().outcome.is_acknowledged());
    for attempt in 1..=4 {
        assert!(app.again(&claimed, attempt).await);
    }
    assert_eq!((app.assignee().await, app.repair(1).await.version), (Some(cy), version + 1));
    other.stop().await;
    app.settle_and_finish().await;
}

#[tokio::test]
async fn late_claim_takes_nothing_from_later_assignee() {
    let (app, [_, cy]) = TestApp::hears_events().await;
    app.report("table saw", "Belt slips").await;
    app.read_all();
    let card = app.card();
    app.sql("ALTER TABLE timeline RENAME TO away").await;
    let claimed = app.slack.react(BO, &card, "eyes").await.unwrap();
    assert!(!claimed.outcome.is_acknowledged());
    app.sql("ALTER TABLE away RENAME TO timeline").await;
    app.clock.advance(TimeDelta::seconds(30));
    assert!(app.slack.react(CY, &card, "eyes").await.unwrap().outcome.is_acknowledged());
    assert!(app.again(&claimed, 2).await);
    assert_eq!(app.assignee().await, Some(cy));
    app.settle_and_finish().await;
}

#[tokio::test]
async fn claim_waits_while_person_is_unknown() {
    let (app, [bo, _]) = TestApp::hears_events().await;
    app.report("table saw", "Belt slips").await;
    app.read_all();
    app.slack.fail_next("users.info", Fault::Http(500));
    let claimed = app.slack.react(BO, &app.card(), "eyes").await.unwrap();
    assert!(!claimed.outcome.is_acknowledged() && app.assignee().await.is_none());
    assert!(app.again(&claimed, 1).await);
    assert_eq!(app.assignee().await, Some(bo));
    app.settle_and_finish().await;
}

#[tokio::test]
async fn failed_deactivation_applies_on_redelivery() {
    let (app, [bo, _]) = TestApp::hears_events().await;
    app.command(BO, "/esb-report", "table saw").await;
    app.slack.close(BO).await.unwrap();
    app.slack.change_world(|world| world.people[1].deleted = true);
    app.sql("ALTER TABLE audit RENAME TO away").await;
    let left = app.slack.user_changed(BO).await.unwrap();
    assert!(!left.outcome.is_acknowledged());
    app.sql("ALTER TABLE away RENAME TO audit").await;
    let tie = async || {
        let user = users::Entity::find_by_id(bo).one(app.app.ctx.store.read()).await.unwrap();
        user.unwrap().slack_user_id
    };
    assert_eq!(tie().await.as_deref(), Some(BO));
    assert!(app.again(&left, 1).await && app.again(&left, 2).await);
    assert_eq!(tie().await, None);
    app.finish().await;
}

#[tokio::test]
async fn old_user_change_never_overwrites_newer() {
    let (app, _) = TestApp::hears_events().await;
    app.command(BO, "/esb-report", "table saw").await;
    app.slack.close(BO).await.unwrap();
    let rename = |name: &str| app.slack.change_world(|world| world.people[1].real_name = name.into());
    rename("Bo the First");
    app.sql("ALTER TABLE slack_people RENAME TO away").await;
    let first = app.slack.user_changed(BO).await.unwrap();
    assert!(!first.outcome.is_acknowledged());
    app.sql("ALTER TABLE away RENAME TO slack_people").await;
    rename("Bo the Second");
    assert!(app.slack.user_changed(BO).await.unwrap().outcome.is_acknowledged());
    assert!(app.again(&first, 1).await);
    app.command(BO, "/esb-report", "table saw").await;
    assert_eq!(app.slack.top_view(BO).unwrap().value("reporter_name").as_deref(), Some("Bo the Second"));
    app.slack.close(BO).await.unwrap();
    app.finish().await;
}

#[tokio::test]
async fn event_of_ended_process_is_handled_by_another() {
    let (app, _) = TestApp::hears_events().await;
    app.report("table saw", "Belt slips").await;
    app.read_all();
    let card = app.card();
    let other = app.another_serve().await;
    app.sql("ALTER TABLE timeline RENAME TO away").await;
    // Each of the four connections in turn: both processes have failed.
    let mut said = Vec::new();
    for _ in 0..2 {
        said.push(app.reply_to(&card).await);
    }
    other.stop().await;
    app.sql("ALTER TABLE away RENAME TO timeline").await;
    for said in &said {
        assert!(app.again(said, 1).await && app.again(said, 2).await);
    }
    assert_eq!(app.note_texts().await, [once(), once()].concat());
    app.finish().await;
}
