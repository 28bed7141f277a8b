//! A changed system clock stops no delivery and sends nothing twice.

use crate::support::app::{TestApp, only};
use crate::support::ops::{ana, lease, report};
use chrono::TimeDelta;
use esb::domain::delivery::DeliveryState;
use esb::domain::ids::EquipmentId;
use esb::ops::repairs::report_problem::report_problem;
use esb::store::entities::delivery;
use esb_sandbox::Fault;
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, Set};
use std::sync::Arc;
use std::time::Duration;

const POST: &str = "chat.postMessage";
const SECOND: TimeDelta = TimeDelta::seconds(1);

impl TestApp {
    async fn new_report(&self, saw: EquipmentId, request: u8) {
        report_problem(&self.app.ctx, &ana(), report(saw, request)).await.unwrap();
    }

    async fn row(&self, target: &str) -> delivery::Model {
        let found = delivery::Entity::find().filter(delivery::Column::Target.eq(target));
        found.one(self.app.ctx.store.read()).await.unwrap().unwrap()
    }
}

#[tokio::test]
async fn clock_set_back_stops_no_delivery() {
    for back in [TimeDelta::minutes(5), TimeDelta::days(1)] {
        let (app, saw) = TestApp::with_saw().await;
        // One that was sent, one that failed and waits, one that is new.
        app.new_report(saw, 1).await;
        app.settle().await;
        app.slack.fail_always(POST, Fault::Error("invalid_blocks"));
        app.new_report(saw, 2).await;
        app.after(SECOND).await;
        app.slack.clear_faults();
        app.clock.set_wall_clock(-back);
        app.new_report(saw, 3).await;
        for _ in 0..3 {
            app.after(SECOND).await;
        }
        assert_eq!(app.slack.posted_in("#woodshop").len(), 3, "{back}");
        assert_eq!(app.slack.posted_in("#oops").len(), 3, "{back}");
        app.finish().await;
    }
}

#[tokio::test]
async fn rows_from_the_future_are_due_after_restart() {
    let (app, saw) = TestApp::with_saw().await;
    app.new_report(saw, 1).await;
    // As a process leaves them whose clock was a day ahead.
    let ahead = app.clock.now() + TimeDelta::days(1);
    let mut failed = app.row("#woodshop").await.into_active_model();
    (failed.state, failed.due_at) = (Set(DeliveryState::Failed), Set(ahead));
    failed.update(app.app.ctx.store.write()).await.unwrap();
    let mut sending = app.row("#oops").await.into_active_model();
    (sending.state, sending.lease) = (Set(DeliveryState::Sending), Set(Some("a dead worker".into())));
    (sending.due_at, sending.leased_until) = (Set(ahead), Set(Some(ahead)));
    sending.update(app.app.ctx.store.write()).await.unwrap();
    app.settle().await;
    only(app.slack.posted_in("#woodshop"));
    only(app.slack.posted_in("#oops"));
    app.finish().await;
}

#[tokio::test]
async fn clock_set_forward_sends_nothing_twice() {
    let (app, saw) = TestApp::with_saw().await;
    app.settle().await;
    app.slack.fail_always(POST, Fault::Delay(Duration::from_millis(500)));
    app.new_report(saw, 1).await;
    let (deliverer, mut sends) = (Arc::clone(&app.app.deliverer), tokio::task::JoinSet::new());
    deliverer.poll(&mut sends, &|| ()).await.unwrap();
    assert_eq!(sends.len(), 1, "the first one of a process is a probe");
    let other = app.another_worker().await;
    other.settle().await.unwrap();
    app.clock.set_wall_clock(TimeDelta::days(1));
    deliverer.poll(&mut sends, &|| ()).await.unwrap();
    other.settle().await.unwrap();
    while sends.join_next().await.is_some() {}
    app.slack.clear_faults();
    deliverer.release().await.unwrap();
    app.after(SECOND).await;
    only(app.slack.posted_in("#woodshop"));
    only(app.slack.posted_in("#oops"));
    app.finish().await;
}

#[tokio::test]
async fn dead_lease_expires_after_clock_change() {
    for step in [TimeDelta::days(1), -TimeDelta::days(1)] {
        let (app, saw) = TestApp::with_saw().await;
        app.settle().await;
        app.new_report(saw, 1).await;
        let id = app.row("#woodshop").await.id;
        lease(&app.app.ctx, id, "another worker", app.clock.now()).await.unwrap();
        app.settle().await;
        only(app.slack.posted_in("#oops"));
        app.clock.set_wall_clock(step);
        app.settle().await;
        app.after(TimeDelta::seconds(44)).await;
        assert!(app.slack.posted_in("#woodshop").is_empty(), "{step}: it may be renewed by the new clock");
        app.after(TimeDelta::seconds(2)).await;
        only(app.slack.posted_in("#woodshop"));
        app.finish().await;
    }
}

#[tokio::test]
async fn clock_change_leaves_retry_after_as_it_is() {
    for step in [TimeDelta::minutes(5), -TimeDelta::minutes(5), -TimeDelta::days(1)] {
        let (app, saw) = TestApp::with_saw().await;
        for _ in 0..2 {
            app.slack.fail_next(POST, Fault::RateLimited(20));
        }
        app.new_report(saw, 1).await;
        app.settle().await;
        app.clock.set_wall_clock(step);
        let tries = app.slack.calls(POST).len();
        app.after(TimeDelta::seconds(19)).await;
        assert_eq!(app.slack.calls(POST).len(), tries, "{step}: too early");
        app.after(SECOND).await;
        app.after(SECOND).await;
        only(app.slack.posted_in("#woodshop"));
        only(app.slack.posted_in("#oops"));
        app.finish().await;
    }
}
