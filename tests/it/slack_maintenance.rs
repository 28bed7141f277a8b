//! Maintenance mode in Slack: everybody except staff gets a notice, and no typed text is lost.

use crate::support::app::{ANA, BO, TestApp};
use crate::support::ops::user;
use crate::support::slack::errors;
use chrono::TimeDelta;
use esb::domain::actor::{Account, Actor, Edge, Role};
use esb::domain::setting::{MAINTENANCE, Setting};
use esb::domain::text::RequestId;
use esb::ops::settings::{change_settings, settings};
use esb_sandbox::Submitted;

const TOLD: &str = "Scheduled maintenance: nothing can be reported or changed at the moment.";

impl TestApp {
    /// Bo, who is staff, turns the switch on `/admin/config`.
    async fn maintenance(&self, on: bool) {
        let ctx = &self.app.ctx;
        let account = Account { id: user(ctx, "bo", Role::Staff).await, role: Role::Staff };
        let bo = Actor::of_account(Edge::Web, "bo", account);
        let version = settings(ctx, &bo).await.unwrap().version;
        let wanted = (Setting::of(MAINTENANCE).unwrap(), on.to_string());
        let request = RequestId::from_random(rand::random());
        change_settings(ctx, &bo, version, &[wanted], &request).await.unwrap();
    }

    /// Ana has been told privately, by the one or the other way.
    fn is_turned_away(&self, what: &str) {
        let told = [self.slack.private_to(ANA), self.slack.direct_messages(ANA)].concat();
        assert_eq!(told.len(), 1, "{what}: {told:?}");
        let told = &told[0].text;
        assert!(told.starts_with(&format!(":x: {TOLD}")), "{what}: {told}");
    }
}

#[tokio::test]
async fn maintenance_answers_every_command_except_staffs() {
    let app = TestApp::workshop().await;
    app.maintenance(true).await;
    for (command, text) in
        [("/esb-report", "table saw"), ("/esb-status", ""), ("/esb-repair", "1"), ("/esb-update", "1")]
    {
        app.command(ANA, command, text).await;
        app.is_turned_away(command);
        assert!(app.slack.views_of(ANA).is_empty(), "{command} opens nothing");
        app.command(BO, command, text).await;
        app.slack.close(BO).await.unwrap_or_else(|_| panic!("staff are let in by {command}"));
    }
    app.slack.shortcut(ANA, "report_problem_shortcut").await.unwrap();
    app.settle().await;
    app.is_turned_away("the shortcut");
    app.maintenance(false).await;
    app.command(ANA, "/esb-report", "table saw").await;
    app.slack.close(ANA).await.unwrap();
    app.finish().await;
}

#[tokio::test]
async fn open_form_survives_maintenance() {
    let app = TestApp::workshop().await;
    app.command(ANA, "/esb-report", "table saw").await;
    app.fill("description", "Belt slips").await;
    app.maintenance(true).await;
    let refused = errors(app.submit().await);
    assert_eq!(refused.keys().collect::<Vec<_>>(), ["equipment"]);
    assert!(refused["equipment"].starts_with(TOLD), "{refused:?}");
    app.press("me_too", Some("1")).await;
    app.is_turned_away("me too");
    assert_eq!(app.view().value("description").as_deref(), Some("Belt slips"));
    assert_eq!(app.repairs().await, 1);
    app.maintenance(false).await;
    assert_eq!(app.submit().await, Submitted::Cleared);
    assert_eq!(app.repairs().await, 2);
    app.settle_and_finish().await;
}

#[tokio::test]
async fn maintenance_blocks_technician_forms_and_buttons() {
    let app = TestApp::workshop().await;
    app.report("table saw", "Belt slips").await;
    let card = app.card();
    app.read_all();
    app.command(ANA, "/esb-repair", "2").await;
    app.choose("action", "claim").await;
    app.maintenance(true).await;
    let refused = errors(app.submit().await);
    assert!(refused["action"].starts_with(TOLD), "{refused:?}");
    app.slack.close(ANA).await.unwrap();
    for button in ["card_claim", "card_resolve", "card_more", "me_too"] {
        app.slack.press_in(ANA, &card, button, Some("2")).await.unwrap();
        // Slack takes a message a second.
        app.after(TimeDelta::seconds(1)).await;
        app.is_turned_away(button);
        assert!(app.slack.views_of(ANA).is_empty(), "{button} opens nothing");
    }
    assert_eq!(app.repair(2).await.assignee_id, None);
    app.settle_and_finish().await;
}

#[tokio::test]
async fn maintenance_variable_overrides_setting() {
    let app = TestApp::workshop().await;
    let forced = app.another_app_with(|config| config.maintenance = true).await;
    assert!(esb::ops::settings::maintenance::is_on(&forced.ctx).await.unwrap());
    assert!(!esb::ops::settings::maintenance::is_on(&app.app.ctx).await.unwrap());
    app.finish().await;
}
