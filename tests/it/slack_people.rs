//! How Slack users are linked to accounts, and how changes of either take effect.

use crate::support::app::{ANA, BO, TestApp};
use crate::support::lines::Lines;
use chrono::TimeDelta;
use esb::domain::ids::UserId;
use esb::domain::text::EmailAddress;
use esb::store::entities::{audit, slack_person, user};
use esb::store::users::{self, UserChange};
use esb_sandbox::{Fault, Person};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use serde_json::json;
use std::time::Duration;
use tracing::Level;

impl TestApp {
    /// To whom in Slack the account is tied.
    async fn tie(&self, id: UserId) -> Option<String> {
        let user = user::Entity::find_by_id(id).one(self.app.ctx.store.read()).await.unwrap();
        user.unwrap().slack_user_id
    }

    /// Whether a technician's command opens its form for this person; nothing is left open or unread.
    async fn is_let_in(&self, person: &str) -> bool {
        self.command(person, "/esb-repair", "").await;
        let told = self.slack.private_to(person);
        let opened = self.slack.close(person).await.is_ok();
        assert_ne!(opened, told.iter().any(|it| it.text.contains("a Technician or Staff account")));
        opened
    }

    /// How often Slack was asked who somebody is.
    fn asked(&self) -> usize {
        self.slack.calls("users.info").len()
    }

    async fn ties_audited(&self) -> Vec<String> {
        let ties = audit::Entity::find().filter(audit::Column::Action.contains("linked"));
        let ties = ties.order_by_asc(audit::Column::Id).all(self.app.ctx.store.read()).await.unwrap();
        ties.into_iter().map(|entry| entry.action).collect()
    }
}

#[tokio::test]
async fn email_link_survives_slack_email_change() {
    let app = TestApp::workshop().await;
    let ana = app.technician("ana").await;
    assert_eq!(app.tie(ana).await, None);
    app.slack.change_world(|world| world.people[0].email = Some("ANA@Example.org".into()));
    assert!(app.is_let_in(ANA).await, "case ignored");
    assert_eq!(app.tie(ana).await.as_deref(), Some(ANA));
    assert!(app.is_let_in(ANA).await);
    assert_eq!(app.asked(), 1, "what Slack said is believed for a while");
    app.slack.change_world(|world| world.people[0].email = Some("ana@elsewhere.org".into()));
    app.clock.advance(TimeDelta::minutes(11));
    assert!(app.is_let_in(ANA).await);
    assert_eq!(app.asked(), 2, "and asked again after ten minutes");
    assert_eq!(app.ties_audited().await, ["user.linked"]);
    app.finish().await;
}

#[tokio::test]
async fn new_or_changed_user_applies_at_once() {
    let app = TestApp::workshop().await;
    assert!(!app.is_let_in(BO).await);
    app.clock.advance(TimeDelta::seconds(5));
    let bo = app.technician("bo").await;
    assert!(app.is_let_in(BO).await, "made");
    app.sql("UPDATE users SET active = FALSE WHERE username = 'bo'").await;
    assert!(!app.is_let_in(BO).await, "shut out");
    app.sql("UPDATE users SET active = TRUE WHERE username = 'bo'").await;
    assert!(app.is_let_in(BO).await, "let in again");

    // What Slack said of the other person is still believed: it must be asked anew.
    let ana = app.technician("ana").await;
    app.sql("UPDATE users SET email = 'x@example.org', email_key = 'x@example.org' WHERE username = 'ana'")
        .await;
    assert!(!app.is_let_in(ANA).await);
    app.slack.change_world(|world| world.people[0].email = Some("new@example.org".into()));
    app.clock.advance(TimeDelta::seconds(5));
    let now = app.clock.now();
    let email = EmailAddress::parse("new@example.org").unwrap();
    let change = UserChange { email: Some(&email), ..UserChange::default() };
    users::change(app.app.ctx.store.write(), ana, change, now).await.unwrap();
    assert!(app.is_let_in(ANA).await, "another e-mail in the record");
    assert_eq!((app.tie(ana).await.as_deref(), app.tie(bo).await.as_deref()), (Some(ANA), Some(BO)));
    app.finish().await;
}

#[tokio::test]
async fn user_change_event_updates_person_without_lookup() {
    let app = TestApp::workshop().await;
    let (ana, bo) = (app.technician("ana").await, app.technician("bo").await);
    app.sql("UPDATE users SET email = 'b@example.org', email_key = 'b@example.org' WHERE username = 'bo'")
        .await;
    assert!(app.is_let_in(ANA).await && !app.is_let_in(BO).await);
    let asked = app.asked();
    app.slack.change_world(|world| world.people[1].email = Some("b@example.org".into()));
    assert!(app.slack.user_changed(BO).await.unwrap().outcome.is_acknowledged());
    app.settle().await;
    assert!(app.is_let_in(BO).await, "a new e-mail");
    app.slack.change_world(|world| world.people[1].real_name = "Bo the Great".into());
    app.slack.user_changed(BO).await.unwrap();
    app.settle().await;
    app.command(BO, "/esb-report", "table saw").await;
    assert_eq!(app.slack.top_view(BO).unwrap().value("reporter_name").as_deref(), Some("Bo the Great"));
    app.slack.close(BO).await.unwrap();
    assert_eq!(app.asked(), asked, "Slack need not be asked");

    app.slack.change_world(|world| world.people[1].deleted = true);
    let left = app.slack.user_changed(BO).await.unwrap();
    app.settle().await;
    assert_eq!(app.tie(bo).await, None, "who left is no user");
    assert!(!app.is_let_in(BO).await);
    app.slack.redeliver(&left, 1, "timeout").await.unwrap();
    app.settle().await;
    assert_eq!(app.ties_audited().await, ["user.linked", "user.linked", "user.unlinked"]);
    assert_eq!(app.tie(ana).await.as_deref(), Some(ANA));

    app.slack.change_world(|world| world.people.push(Person::new("U0NEW", "new", "New")));
    app.slack.user_changed("U0NEW").await.unwrap();
    let lines = Lines::from(Level::INFO);
    app.slack.event(json!({ "type": "user_change", "user": { "name": "no id" } })).await;
    app.settle().await;
    assert!(lines.only_slack_line().contains("user_change event without a user"));
    app.finish().await;
}

#[tokio::test]
async fn user_change_waits_for_slow_database() {
    let app = TestApp::workshop().await;
    let bo = app.technician("bo").await;
    assert!(app.is_let_in(BO).await);
    app.slack.change_world(|world| world.people[1].real_name = "Bo the Great".into());
    let store = app.another_store().await;
    let tx = store.begin().await.unwrap();
    let theirs = slack_person::Entity::update_many().col_expr(slack_person::Column::Name, Expr::value("?"));
    theirs.exec(&tx).await.unwrap();
    app.slack.user_changed(BO).await.unwrap();
    let done = tokio::time::timeout(Duration::from_secs(1), app.app.intake.idle()).await;
    assert!(done.is_err(), "it waits for the database");
    tx.rollback().await.unwrap();
    app.settle().await;
    let known = slack_person::Entity::find_by_id(BO).one(app.app.ctx.store.read()).await.unwrap().unwrap();
    assert_eq!((known.name.as_str(), app.tie(bo).await.as_deref()), ("Bo the Great", Some(BO)));
    app.finish().await;
}

#[tokio::test]
async fn apps_and_people_who_left_are_no_users() {
    let app = TestApp::workshop().await;
    let robot = app.technician("robot").await;
    let bot = Person::new("U0ROBOT", "robot", "Robot").email("robot@example.org").bot();
    app.slack.change_world(|world| {
        world.people.push(bot);
        world.people[1].deleted = true;
    });
    app.technician("bo").await;
    assert!(!app.is_let_in("U0ROBOT").await && !app.is_let_in(BO).await);
    assert_eq!(app.tie(robot).await, None);
    app.finish().await;
}

#[tokio::test]
async fn unknown_role_is_answered_try_again() {
    let app = TestApp::workshop().await;
    for fault in [Fault::Http(500), Fault::RateLimited(3), Fault::Silence] {
        app.slack.fail_next("users.info", fault);
        app.command(ANA, "/esb-repair", "").await;
        let told = app.private(ANA);
        assert!(told.starts_with(":x: Slack did not identify you in time. Please try again"), "{told}");
    }
    assert!(app.is_let_in(ANA).await);
    app.clock.advance(TimeDelta::minutes(11));
    app.slack.fail_next("users.info", Fault::Http(500));
    assert!(app.is_let_in(ANA).await, "who is tied to an account is known without Slack");
    assert!(!app.is_let_in(BO).await);
    app.clock.advance(TimeDelta::minutes(11));
    app.slack.fail_next("users.info", Fault::Http(500));
    app.command(BO, "/esb-repair", "").await;
    assert!(app.private(BO).contains("Please try again"), "they may have an account by now");
    app.finish().await;
}

#[tokio::test]
async fn inactive_users_email_links_nobody() {
    let app = TestApp::workshop().await;
    assert!(app.is_let_in(ANA).await);
    app.slack.change_world(|world| {
        world.people.push(Person::new("U0ANA2", "ana2", "Ana Two").email("ana@example.org"));
    });
    assert!(!app.is_let_in("U0ANA2").await, "the account is tied to another person");
    app.slack.change_world(|world| world.people[0].deleted = true);
    app.slack.user_changed(ANA).await.unwrap();
    app.settle().await;
    assert!(app.is_let_in("U0ANA2").await, "who has left");
    app.finish().await;
}
