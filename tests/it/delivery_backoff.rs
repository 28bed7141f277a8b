//! Deliveries blocked by Slack, the token or a channel back off together, cost one probe a minute, and resume at once.

use crate::support::app::{TestApp, only};
use crate::support::lines::Lines;
use crate::support::ops::{ana, report};
use chrono::TimeDelta;
use esb::domain::ids::EquipmentId;
use esb::ops::repairs::report_problem::report_problem;
use esb::store::delivery_queue::request_channel_retries;
use esb_sandbox::Fault;
use serde_json::json;
use tracing::Level;

const POST: &str = "chat.postMessage";
const MINUTE: TimeDelta = TimeDelta::minutes(1);

impl TestApp {
    /// Reports, each of a machine whose area has a channel of its own.
    async fn reports_in_channels(&self, count: u8) {
        for n in 0..count {
            let (id, name) = (format!("C0AREA{n}"), format!("area{n}"));
            self.slack.change_world(|world| world.channels.push(esb_sandbox::Channel::new(&id, &name)));
            let area = self.area(&format!("Area {n}"), &format!("#{name}")).await;
            let equipment = self.add_equipment(area, "Saw").await;
            self.one_report(equipment, n).await;
        }
    }

    async fn one_report(&self, equipment: EquipmentId, request: u8) {
        report_problem(&self.app.ctx, &ana(), report(equipment, request)).await.unwrap();
    }

    fn posts(&self) -> usize {
        self.slack.calls(POST).len()
    }

    async fn pending(&self) -> i64 {
        esb::ops::deliveries::queue_stats::queue(&self.app.ctx).await.unwrap().pending
    }

    /// Sends for so many seconds.
    async fn for_seconds(&self, seconds: i64) {
        for _ in 0..seconds {
            self.after(TimeDelta::seconds(1)).await;
        }
    }
}

#[tokio::test]
async fn outage_costs_one_call_a_minute() {
    for fault in [Fault::Http(503), Fault::Error("service_unavailable"), Fault::Error("token_revoked")] {
        let app = TestApp::start().await;
        app.slack.fail_always(POST, fault);
        app.reports_in_channels(12).await;
        app.settle().await;
        let first = app.posts();
        assert!(first <= 2, "{fault:?}: {first} calls to find out");
        for minutes in 1..=45 {
            app.after(MINUTE).await;
            assert_eq!(app.posts(), first + minutes, "{fault:?}: one probe a minute");
        }
        app.slack.clear_faults();
        app.after(MINUTE).await;
        app.for_seconds(12).await;
        for n in 0..12 {
            only(app.slack.posted_in(&format!("#area{n}")));
        }
        assert_eq!(app.pending().await, 0, "{fault:?}");
        app.slack.posted_in("#oops");
        app.finish().await;
    }
}

#[tokio::test]
async fn restart_sends_pending_deliveries_at_once() {
    let app = TestApp::start().await;
    app.slack.fail_always(POST, Fault::Error("invalid_auth"));
    app.reports_in_channels(3).await;
    for _ in 0..10 {
        app.after(MINUTE).await;
    }
    app.slack.clear_faults();
    let restarted = app.another_worker().await;
    for _ in 0..3 {
        restarted.settle().await.unwrap();
        app.clock.advance(TimeDelta::seconds(1));
    }
    assert_eq!(app.pending().await, 0);
    app.read_whole_slack();
    app.finish().await;
}

#[tokio::test]
async fn refused_token_is_one_error_line() {
    let lines = Lines::from(Level::INFO);
    let app = TestApp::start().await;
    app.slack.fail_always(POST, Fault::Error("account_inactive"));
    app.reports_in_channels(5).await;
    app.settle().await;
    for _ in 0..5 {
        app.after(MINUTE).await;
    }
    let errors = lines.with("Slack does not accept SLACK_BOT_TOKEN");
    assert!(only_line(&errors).contains("account_inactive"), "{errors:?}");
    assert_eq!(lines.with(" delivery failed: ").len(), 6, "one line a try, one try a minute");
    app.slack.clear_faults();
    app.for_seconds(70).await;
    assert_eq!(lines.with("Slack accepts SLACK_BOT_TOKEN again").len(), 1);
    app.read_whole_slack();
    app.finish().await;
}

fn only_line(lines: &[String]) -> &str {
    assert_eq!(lines.len(), 1, "{lines:?}");
    &lines[0]
}

#[tokio::test]
async fn repaired_channel_receives_pending_messages() {
    for code in ["channel_not_found", "is_archived", "restricted_action", "not_in_channel"] {
        let (app, saw) = TestApp::with_saw().await;
        app.slack.fail_always(POST, Fault::Error(code));
        for request in 1..=4 {
            app.one_report(saw, request).await;
        }
        app.settle().await;
        for _ in 0..30 {
            app.after(MINUTE).await;
        }
        assert_eq!(app.posts(), 2 + 60, "{code}: one a minute and channel");
        app.slack.clear_faults();
        app.after(MINUTE).await;
        app.for_seconds(4).await;
        assert_eq!(app.slack.posted_in("#woodshop").len(), 4, "{code}");
        assert_eq!(app.slack.posted_in("#oops").len(), 4, "{code}");
        app.finish().await;
    }
}

#[tokio::test]
async fn requested_retry_is_one_call_without_probe() {
    let (app, saw) = TestApp::with_saw().await;
    app.slack.fail_always(POST, Fault::Error("not_in_channel"));
    for request in 1..=3 {
        app.one_report(saw, request).await;
    }
    app.after(MINUTE).await;
    let tried = app.posts();
    // The bot joins some other channel: one call to each of the two that wait.
    app.after(TimeDelta::seconds(5)).await;
    request_channel_retries(app.app.ctx.store.write()).await.unwrap();
    app.for_seconds(3).await;
    assert_eq!(app.posts(), tried + 2);
    app.slack.clear_faults();
    request_channel_retries(app.app.ctx.store.write()).await.unwrap();
    app.for_seconds(3).await;
    assert_eq!(app.slack.posted_in("#woodshop").len(), 3);
    assert_eq!(app.slack.posted_in("#oops").len(), 3);
    app.finish().await;
}

#[tokio::test]
async fn message_failing_in_slack_delays_no_other() {
    let (app, saw) = TestApp::with_saw().await;
    app.one_report(saw, 1).await;
    app.settle().await;
    app.read_whole_slack();
    app.slack.fail_next(POST, Fault::Error("internal_error"));
    app.one_report(saw, 2).await;
    app.settle().await;
    for request in 3..=5 {
        app.one_report(saw, request).await;
        app.for_seconds(2).await;
    }
    let posted = app.slack.posted_in("#woodshop").len() + app.slack.posted_in("#oops").len();
    assert_eq!(posted, 7, "all but the one");
    app.after(MINUTE).await;
    app.read_whole_slack();
    app.finish().await;
}

#[tokio::test]
async fn channel_receives_pending_messages_when_bot_joins() {
    let (app, saw) = TestApp::with_saw_and_scopes(&["channels:read"]).await;
    let invite = |is_member| {
        app.slack.change_world(|world| {
            let wood = world.channels.iter_mut().find(|channel| channel.name == "woodshop");
            wood.unwrap().bot_is_member = is_member;
        });
    };
    invite(false);
    app.one_report(saw, 1).await;
    app.for_seconds(5).await;
    let tried = app.posts();
    let joined = |who: &str| json!({ "type": "member_joined_channel", "user": who, "channel": "C0WOOD" });
    let bot = app.app.identity.wait().await.user_id.clone();
    invite(true);
    app.slack.event(joined("U0BO")).await;
    app.for_seconds(2).await;
    assert_eq!(app.posts(), tried, "somebody else says nothing about the bot");
    assert!(app.slack.event(joined(&bot)).await.outcome.is_acknowledged());
    app.for_seconds(2).await;
    only(app.slack.posted_in("#woodshop"));
    app.read_whole_slack();
    app.finish().await;
}
