//! The Home tab: what each role sees on it, and what its buttons open.

use crate::support::app::{ANA, TestApp, only};
use crate::support::lines::Lines;
use crate::support::ops::user;
use chrono::TimeDelta;
use esb::domain::actor::Role;
use esb_sandbox::{Fault, View};
use serde_json::json;
use tracing::Level;

impl TestApp {
    /// Ana opens the tab; what it shows then.
    async fn home(&self) -> View {
        assert!(self.slack.open_home(ANA).await.unwrap().outcome.is_acknowledged());
        self.settle().await;
        self.slack.home_of(ANA).expect("a Home tab")
    }

    /// Ana presses something on the tab; the modal that opens, which she closes.
    async fn opened_by(&self, action_id: &str, value: Option<&str>) -> View {
        self.press(action_id, value).await;
        let view = self.view();
        self.slack.close(ANA).await.unwrap();
        view
    }
}

#[tokio::test]
async fn home_shows_members_problems_report_and_search() {
    let (app, _) = TestApp::with_saw().await;
    app.add_open_repairs("Table saw", "Blade wobbles", 1).await;
    let area = app.area("Metal shop", "#metalshop").await;
    app.add_equipment(area, "Lathe").await;
    let view = app.home().await;
    let shown = view.shown();
    assert_eq!(view.callback_id(), "home");
    assert!(shown.contains(":no_entry: *Table saw* · Down: Blade wobbles"), "{shown}");
    for absent in ["Lathe", "My repairs", "Nobody’s", "For staff"] {
        assert!(!shown.contains(absent), "{absent}: {shown}");
    }
    let report = app.opened_by("report", None).await;
    assert_eq!((report.callback_id(), report.value("equipment")), ("report_problem", None));
    let board = app.opened_by("back_to_summary", None).await;
    assert_eq!(board.callback_id(), "status_summary");
    let equipment = app.opened_by("view_equipment", Some("1")).await;
    assert_eq!((equipment.callback_id(), equipment.title()), ("status_equipment", "Table saw"));
    let found = app.slack.suggest(ANA, "search_equipment", "lat").await.unwrap();
    assert_eq!(found.iter().map(|it| it.label.as_str()).collect::<Vec<_>>(), ["Lathe"]);
    app.choose("search_equipment", "Lathe").await;
    assert_eq!((app.view().callback_id(), app.view().title()), ("status_equipment", "Lathe"));
    app.press("back_to_summary", None).await;
    assert_eq!(app.view().callback_id(), "status_summary", "within the modal");
    app.finish().await;
}

#[tokio::test]
async fn home_shows_technicians_own_and_unassigned_repairs() {
    let app = TestApp::workshop().await;
    let shown = app.home().await.shown();
    assert!(shown.contains("*My repairs*\nYou have none."), "{shown}");
    assert!(
        shown.contains("*Nobody’s repairs*") && shown.contains("*#1* *Table saw* (Wood shop)"),
        "{shown}"
    );
    app.press("open_repair", Some("1")).await;
    assert_eq!(app.view().callback_id(), "act_on_repair");
    app.choose("action", "claim").await;
    app.submit().await;
    assert!(only(app.slack.direct_messages(ANA)).text.contains("Repair #1 is yours"));
    let shown = app.home().await.shown();
    assert!(!shown.contains("You have none.") && shown.contains("Every open repair is assigned."), "{shown}");
    app.sql("UPDATE users SET active = FALSE").await;
    app.press("open_repair", Some("1")).await;
    assert!(app.slack.top_view(ANA).is_none());
    assert!(only(app.slack.direct_messages(ANA)).text.contains("a Technician or Staff account"));
    assert!(!app.home().await.shown().contains("My repairs"), "whoever they are by then");
    app.settle_and_finish().await;
}

#[tokio::test]
async fn staff_see_their_pages_and_messages_that_failed() {
    let (app, _) = TestApp::with_saw().await;
    user(&app.app.ctx, "ana", Role::Staff).await;
    let shown = app.home().await.shown();
    assert!(shown.contains("No message to a channel has failed"), "{shown}");
    for page in ["areas", "equipment", "users", "config", "jobs", "audit", "tokens"] {
        assert!(shown.contains(&format!("http://esb.test/admin/{page}")), "{page}: {shown}");
    }
    app.slack.fail_always("chat.postMessage", Fault::Error("fatal_error"));
    app.command(ANA, "/esb-report", "table saw").await;
    app.fill("description", "Belt slips").await;
    app.submit().await;
    app.after(TimeDelta::seconds(2)).await;
    let shown = app.home().await.shown();
    assert!(shown.contains("Messages to channels: 2 failed and tried again, 0 given up."), "{shown}");
    app.slack.clear_faults();
    for _ in 0..3 {
        app.after(TimeDelta::minutes(10)).await;
    }
    assert!(app.home().await.shown().contains("No message to a channel has failed"));
    app.settle_and_finish().await;
}

#[tokio::test]
async fn home_is_published_once_per_event() {
    let (app, _) = TestApp::with_saw().await;
    assert!(app.home().await.shown().contains("Every machine works."));
    app.add_open_repairs("Table saw", "Blade wobbles", 1).await;
    let opened = app.slack.open_home(ANA).await.unwrap();
    app.settle().await;
    assert!(app.slack.home_of(ANA).unwrap().shown().contains("Blade wobbles"));
    app.slack.redeliver(&opened, 1, "timeout").await.unwrap();
    app.settle().await;
    assert_eq!(app.slack.calls("views.publish").len(), 2);
    for odd in [
        json!({"type": "app_home_opened", "user": ANA, "tab": "messages", "channel": "D0ANA"}),
        json!({"type": "app_home_opened", "tab": "home"}),
        json!({"type": "app_home_opened", "user": {"id": 7}, "tab": "home"}),
    ] {
        assert!(app.slack.event(odd).await.outcome.is_acknowledged());
        app.settle().await;
    }
    assert_eq!(app.slack.calls("views.publish").len(), 2, "nothing else is published");
    app.finish().await;
}

#[tokio::test]
async fn home_counts_omitted_and_links_board() {
    let app = TestApp::start().await;
    let area = app.area("Wood shop", "#woodshop").await;
    app.add_many_equipment(area, "Saw", 100).await;
    app.add_open_repairs("Saw", "Blade wobbles", 1).await;
    let view = app.home().await;
    assert!(view.shown().contains("… and 39 more"), "{}", view.shown());
    assert!(view.blocks().len() <= 100);
    let board = app.opened_by("back_to_summary", Some("See all")).await;
    assert_eq!(board.callback_id(), "status_summary");
    app.finish().await;
}

#[tokio::test]
async fn outdated_home_button_answers_by_direct_message() {
    let app = TestApp::workshop().await;
    app.home().await;
    app.sql("UPDATE equipment SET archived = TRUE").await;
    app.press("view_equipment", None).await;
    assert!(only(app.slack.direct_messages(ANA)).text.contains("no longer on the board"));
    app.sql("DELETE FROM repairs").await;
    app.press("open_repair", None).await;
    assert!(only(app.slack.direct_messages(ANA)).text.contains("no longer exists"));
    assert!(app.slack.top_view(ANA).is_none());
    app.finish().await;
}

#[tokio::test]
async fn failed_home_publish_is_reported() {
    let (app, _) = TestApp::with_saw().await;
    for (fault, words) in [
        (Fault::RateLimited(30), Some("Slack is very busy")),
        (Fault::Http(503), None),
        (Fault::Error("internal_error"), None),
    ] {
        let lines = Lines::from(Level::INFO);
        app.slack.fail_next("views.publish", fault);
        app.slack.open_home(ANA).await.unwrap();
        app.settle().await;
        let told: Vec<String> = app.slack.direct_messages(ANA).into_iter().map(|it| it.text).collect();
        assert_eq!(told.len(), usize::from(words.is_some()), "{fault:?}: {told:?}");
        assert!(told.iter().all(|told| told.contains(words.unwrap_or_default())), "{told:?}");
        lines.only_slack_line();
    }
    app.finish().await;
}

#[tokio::test]
async fn press_that_fails_leaves_no_stale_tab() {
    let app = TestApp::workshop().await;
    assert!(app.home().await.shown().contains("Blade wobbles"));
    app.close_repair(1).await;
    app.slack.fail_next("views.open", Fault::RateLimited(30));
    app.press("report", None).await;
    assert!(only(app.slack.direct_messages(ANA)).text.contains("Slack is very busy"));
    let shown = app.slack.home_of(ANA).unwrap().shown();
    assert!(shown.contains("Every machine works.") && !shown.contains("Blade wobbles"), "{shown}");

    app.slack.fail_next("views.open", Fault::RateLimited(30));
    app.slack.fail_next("views.publish", Fault::RateLimited(30));
    app.press("report", None).await;
    assert!(only(app.slack.direct_messages(ANA)).text.contains("Slack is very busy"), "said once");
    app.finish().await;
}
