//! Deliveries are sent once, retried on schedule, given up by the rules, and taken over from dead workers.

use crate::support::app::{DEADLINE, TestApp, only, world};
use crate::support::lines::Lines;
use crate::support::ops::{ana, lease, report};
use crate::support::wait::pause;
use chrono::TimeDelta;
use esb::clock::Clock;
use esb::domain::delivery::{DeliveryKind, DeliveryState};
use esb::domain::ids::EquipmentId;
use esb::ops::repairs::report_problem::report_problem;
use esb::store::delivery_queue::{self, Settlement};
use esb::store::entities::{delivery, delivery_attempt};
use esb_sandbox::Fault;
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, Set};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tracing::Level;

const POST: &str = "chat.postMessage";
/// How often something is looked for that tells nobody when it is there.
const MOMENT: Duration = Duration::from_millis(50);

impl TestApp {
    async fn file_report(&self, saw: EquipmentId, request: u8) {
        report_problem(&self.app.ctx, &ana(), report(saw, request)).await.unwrap();
    }

    async fn delivery_to(&self, target: &str) -> delivery::Model {
        let found = delivery::Entity::find().filter(delivery::Column::Target.eq(target));
        found.one(self.app.ctx.store.read()).await.unwrap().unwrap()
    }

    /// What each try to deliver said, in order.
    async fn outcomes(&self, of: &delivery::Model) -> Vec<String> {
        let attempts = delivery_attempt::Entity::find()
            .filter(delivery_attempt::Column::DeliveryId.eq(of.id))
            .order_by_asc(delivery_attempt::Column::Id);
        attempts.all(self.app.ctx.store.read()).await.unwrap().into_iter().map(|a| a.outcome).collect()
    }

    fn read_both_channels(&self) {
        self.slack.posted_in("#woodshop");
        self.slack.posted_in("#oops");
    }
}

#[tokio::test]
async fn message_is_sent_once_and_place_recorded() {
    let (app, saw) = TestApp::with_saw().await;
    app.file_report(saw, 1).await;
    app.settle().await;
    app.settle().await;
    let posted = only(app.slack.posted_in("#woodshop"));
    only(app.slack.posted_in("#oops"));
    let delivery = app.delivery_to("#woodshop").await;
    assert_eq!(delivery.state, DeliveryState::Delivered);
    assert_eq!(delivery.posted_ts.as_deref(), Some(posted.ts.as_str()));
    assert_eq!(delivery.posted_channel.as_deref(), Some("C0WOOD"));
    assert_eq!(app.outcomes(&delivery).await, ["delivered"]);
    app.finish().await;
}

#[tokio::test]
async fn rejected_message_is_dead_after_ten_tries() {
    let (app, saw) = TestApp::with_saw().await;
    app.slack.fail_always(POST, Fault::Error("invalid_blocks"));
    app.file_report(saw, 1).await;
    app.settle().await;
    for (tries, wait) in [30, 60, 120, 300, 900, 3600, 3600, 3600, 3600].into_iter().enumerate() {
        let delivery = app.delivery_to("#woodshop").await;
        assert_eq!(
            (delivery.state, delivery.rejections),
            (DeliveryState::Failed, i32::try_from(tries).unwrap() + 1)
        );
        assert_eq!(delivery.due_at, app.clock.now() + TimeDelta::seconds(wait));
        app.after(TimeDelta::seconds(wait - 1)).await;
        app.after(TimeDelta::seconds(1)).await;
    }
    let delivery = app.delivery_to("#woodshop").await;
    assert_eq!(delivery.state, DeliveryState::Dead);
    assert!(delivery.finished_at.is_some());
    assert_eq!(app.outcomes(&delivery).await, ["invalid_blocks"; 10]);
    app.after(TimeDelta::days(1)).await;
    assert_eq!(app.outcomes(&delivery).await.len(), 10);
    app.finish().await;
}

#[tokio::test]
async fn transient_errors_use_up_nothing_for_seven_days() {
    let (app, saw) = TestApp::with_saw().await;
    app.slack.fail_always(POST, Fault::Http(503));
    app.file_report(saw, 1).await;
    app.settle().await;
    for _ in 0..20 {
        app.after(TimeDelta::hours(1)).await;
    }
    let delivery = app.delivery_to("#woodshop").await;
    assert_eq!((delivery.state, delivery.rejections), (DeliveryState::Failed, 0));
    assert!(delivery.failures > 5, "{}", delivery.failures);

    for fault in [Fault::Error("invalid_auth"), Fault::Error("fatal_error"), Fault::Error("unheard_of")] {
        app.slack.fail_always(POST, fault);
        app.after(TimeDelta::hours(1)).await;
        app.after(TimeDelta::hours(1)).await;
        assert_eq!(app.delivery_to("#woodshop").await.rejections, 0, "{fault:?}");
    }
    app.slack.clear_faults();
    app.after(TimeDelta::hours(1)).await;
    app.read_both_channels();
    assert_eq!(app.delivery_to("#woodshop").await.state, DeliveryState::Delivered);

    app.slack.fail_always(POST, Fault::Http(502));
    app.file_report(saw, 2).await;
    app.settle().await;
    for _ in 0..2 {
        app.after(TimeDelta::days(7)).await;
    }
    let dead = delivery::Entity::find().filter(delivery::Column::State.eq(DeliveryState::Dead));
    assert_eq!(dead.all(app.app.ctx.store.read()).await.unwrap().len(), 2);
    app.slack.clear_faults();
    app.finish().await;
}

#[tokio::test]
async fn retry_after_pauses_only_its_channel() {
    let (app, saw) = TestApp::with_saw().await;
    app.slack.fail_next(POST, Fault::RateLimited(7));
    app.file_report(saw, 1).await;
    app.settle().await;
    let posted = || app.slack.posted_in("#woodshop").len() + app.slack.posted_in("#oops").len();
    assert_eq!(posted(), 1);
    app.file_report(saw, 2).await;
    app.after(TimeDelta::seconds(6)).await;
    assert_eq!(posted(), 1, "only the channel that Slack did not ask to leave alone");
    let tries = app.slack.calls(POST).len();
    app.after(TimeDelta::seconds(1)).await;
    app.after(TimeDelta::seconds(1)).await;
    assert_eq!(posted(), 2);
    assert_eq!(app.slack.calls(POST).len(), tries + 2, "nothing is tried in vain");
    for target in ["#woodshop", "#oops"] {
        assert_eq!(app.delivery_to(target).await.failures, 0, "a named wait does not lengthen the next one");
    }
    app.finish().await;
}

#[tokio::test]
async fn channel_gets_one_message_per_second() {
    let (app, saw) = TestApp::with_saw().await;
    for request in 1..=3 {
        app.file_report(saw, request).await;
    }
    app.settle().await;
    assert_eq!(app.slack.posted_in("#woodshop").len(), 1);
    for _ in 0..2 {
        app.after(TimeDelta::seconds(1)).await;
        assert_eq!(app.slack.posted_in("#woodshop").len(), 1);
    }
    assert_eq!(app.slack.posted_in("#oops").len(), 3);
    assert_eq!(app.delivery_to("#woodshop").await.failures, 0);
    app.finish().await;
}

#[tokio::test]
async fn dead_workers_lease_expires_within_a_minute() {
    let (app, saw) = TestApp::with_saw().await;
    app.file_report(saw, 1).await;
    let now = app.clock.now();
    for target in ["#woodshop", "#oops"] {
        let id = app.delivery_to(target).await.id;
        assert!(lease(&app.app.ctx, id, "another worker", now).await.is_some());
    }
    app.settle().await;
    assert_eq!(app.slack.unread().len(), 0);
    app.after(TimeDelta::seconds(60)).await;
    only(app.slack.posted_in("#woodshop"));
    only(app.slack.posted_in("#oops"));
    app.finish().await;
}

#[tokio::test]
async fn lost_lease_settles_nothing() {
    let (app, saw) = TestApp::with_saw().await;
    app.file_report(saw, 1).await;
    let (now, db) = (app.clock.now(), app.app.ctx.store.write());
    let id = app.delivery_to("#woodshop").await.id;
    lease(&app.app.ctx, id, "mine", now).await.unwrap();
    let settlement = Settlement {
        state: DeliveryState::Delivered,
        failures: 0,
        rejections: 0,
        cause: None,
        due_at: now,
        posted: None,
        in_doubt_since: None,
    };
    assert!(!delivery_queue::settle(db, id, "another's", &settlement, now).await.unwrap());
    assert!(delivery_queue::settle(db, id, "mine", &settlement, now).await.unwrap());
    app.settle().await;
    only(app.slack.posted_in("#oops"));
    app.finish().await;
}

#[tokio::test]
async fn messages_of_one_lane_keep_their_order() {
    let (app, saw) = TestApp::with_saw().await;
    app.slack.fail_always(POST, Fault::Http(500));
    app.file_report(saw, 1).await;
    app.file_report(saw, 2).await;
    let second = delivery::Entity::find()
        .filter(delivery::Column::Target.eq("#woodshop"))
        .order_by_desc(delivery::Column::Id)
        .one(app.app.ctx.store.read())
        .await
        .unwrap()
        .unwrap();
    let first = app.delivery_to("#woodshop").await;
    let mut row = second.clone().into_active_model();
    row.lane = Set(first.lane.clone());
    row.update(app.app.ctx.store.write()).await.unwrap();

    app.settle().await;
    app.slack.clear_faults();
    app.after(TimeDelta::seconds(20)).await;
    assert_eq!(app.outcomes(&second).await, Vec::<String>::new(), "the second waits for the first");
    app.after(TimeDelta::seconds(40)).await;
    app.after(TimeDelta::seconds(1)).await;
    let order: Vec<String> =
        app.slack.posted_in("#woodshop").into_iter().map(|message| message.text).collect();
    assert_eq!(order.len(), 2);
    app.after(TimeDelta::minutes(1)).await;
    app.read_both_channels();
    app.finish().await;
}

#[tokio::test]
async fn lost_answer_may_duplicate_but_never_drops() {
    let (app, saw) = TestApp::with_saw().await;
    app.file_report(saw, 1).await;
    app.slack.fail_next(POST, Fault::CutAfterAccept);
    app.settle().await;
    app.after(TimeDelta::seconds(30)).await;
    let (wood, oops) = (app.slack.posted_in("#woodshop").len(), app.slack.posted_in("#oops").len());
    assert_eq!(wood + oops, 3);
    assert!(wood >= 1 && oops >= 1);
    app.finish().await;
}

#[tokio::test]
async fn two_workers_at_once_send_each_message_once() {
    let (app, saw) = TestApp::with_saw().await;
    let other = app.another_worker().await;
    for request in 1..=5 {
        app.file_report(saw, request).await;
    }
    for _ in 0..12 {
        let (mine, theirs) = tokio::join!(app.app.deliverer.settle(), other.settle());
        mine.unwrap();
        theirs.unwrap();
        app.clock.advance(TimeDelta::seconds(1));
    }
    assert_eq!(app.slack.posted_in("#woodshop").len(), 5);
    assert_eq!(app.slack.posted_in("#oops").len(), 5);
    app.finish().await;
}

#[tokio::test]
async fn wrong_clock_steals_no_lease() {
    let (app, saw) = TestApp::with_saw().await;
    app.file_report(saw, 1).await;
    let ctx = &app.app.ctx;
    // Times as they are, since the database's count here.
    let now = ctx.store.time().await.unwrap();
    let of_area = app.delivery_to("#woodshop").await;
    assert!(lease(ctx, of_area.id, "another", now).await.is_some());
    let ahead = app.another_worker_with(Clock::off_by(TimeDelta::minutes(10))).await;
    ahead.settle().await.unwrap();
    assert_eq!(app.delivery_to("#woodshop").await.lease.as_deref(), Some("another"));
    only(app.slack.posted_in("#oops"));
    assert!(app.slack.posted_in("#woodshop").is_empty());

    let over = now - TimeDelta::seconds(1);
    let mut left = app.delivery_to("#woodshop").await.into_active_model();
    left.leased_until = Set(Some(over));
    left.update(ctx.store.write()).await.unwrap();
    let behind = app.another_worker_with(Clock::off_by(-TimeDelta::minutes(10))).await;
    behind.settle().await.unwrap();
    only(app.slack.posted_in("#woodshop"));
    app.finish().await;
}

#[tokio::test]
async fn channel_without_bot_is_retried_until_invited() {
    let (app, saw) = TestApp::with_saw().await;
    let invite = |is_member| {
        app.slack.change_world(|world| {
            let wood = world.channels.iter_mut().find(|channel| channel.name == "woodshop");
            wood.unwrap().bot_is_member = is_member;
        });
    };
    invite(false);
    app.file_report(saw, 1).await;
    app.settle().await;
    only(app.slack.posted_in("#oops"));
    let failed = app.delivery_to("#woodshop").await;
    assert_eq!((failed.state, failed.rejections), (DeliveryState::Failed, 0));
    let told = app.delivery_to("#oops").await;
    assert_eq!((told.state, app.outcomes(&told).await), (DeliveryState::Delivered, vec!["delivered".into()]));

    invite(true);
    app.after(TimeDelta::seconds(60)).await;
    only(app.slack.posted_in("#woodshop"));
    assert_eq!(app.delivery_to("#woodshop").await.state, DeliveryState::Delivered);
    assert_eq!(app.outcomes(&failed).await, ["not_in_channel", "delivered"]);
    assert!(app.slack.posted_in("#oops").is_empty(), "it has heard of it");
    app.finish().await;
}

#[tokio::test]
async fn delivery_from_fast_clock_is_sent_at_once() {
    let (app, saw) = TestApp::with_saw().await;
    for (request, ahead) in [(1, TimeDelta::milliseconds(5)), (2, TimeDelta::minutes(10))] {
        let web = app.another_app(Clock::off_by(ahead)).await;
        report_problem(&web.ctx, &ana(), report(saw, request)).await.unwrap();
        // Of a limiter of its own, so that no pace matters.
        let worker = app.another_worker_with(Clock::off_by(TimeDelta::zero())).await;
        worker.settle().await.unwrap();
        only(app.slack.posted_in("#woodshop"));
        only(app.slack.posted_in("#oops"));
    }
    app.finish().await;
}

/// Leases are renewed as real time passes, and Slack's silence lasts as long as we wait.
#[tokio::test]
async fn lease_is_renewed_while_slack_is_silent() {
    let lines = Lines::from(Level::WARN);
    let (app, saw) = TestApp::with_saw().await;
    app.file_report(saw, 9).await;
    app.settle().await;
    app.read_both_channels();
    app.sql("DELETE FROM delivery_attempts").await;
    app.sql("DELETE FROM deliveries").await;
    app.clock.advance(TimeDelta::seconds(1));
    let called = app.slack.calls(POST).len();
    app.slack.fail_always(POST, Fault::Silence);
    app.file_report(saw, 1).await;
    let deliverer = Arc::clone(&app.app.deliverer);
    let mut sending = tokio::spawn(async move { deliverer.settle().await });
    let asked =
        app.slack.wait_for(DEADLINE, |slack| (slack.calls(POST).len() == called + 2).then_some(())).await;
    assert!(asked.is_some(), "Slack was not called");

    let lost = app.delivery_to("#woodshop").await;
    let mut taken = lost.clone().into_active_model();
    taken.lease = Set(Some("another".into()));
    taken.leased_until = Set(Some(app.clock.now() + TimeDelta::seconds(120)));
    taken.update(app.app.ctx.store.write()).await.unwrap();
    app.clock.advance(TimeDelta::seconds(44));
    while lines.with("delivery lease lost").is_empty() {
        assert!(timeout(MOMENT, &mut sending).await.is_err(), "it was sent all the same");
    }
    let renewed = async {
        let until = Some(app.clock.now() + TimeDelta::seconds(45));
        while app.delivery_to("#oops").await.leased_until != until {
            pause().await;
        }
    };
    timeout(DEADLINE, renewed).await.expect("the lease is not renewed");
    app.clock.advance(TimeDelta::seconds(44));
    app.another_worker().await.settle().await.unwrap();
    assert_eq!(app.slack.calls(POST).len(), called + 2, "what is renewed is nobody else's");
    sending.await.unwrap().unwrap();
    assert_eq!(app.outcomes(&lost).await, Vec::<String>::new(), "whoever has it says what became of it");
    assert_eq!(app.outcomes(&app.delivery_to("#oops").await).await, ["timed_out"]);

    app.slack.clear_faults();
    app.after(TimeDelta::seconds(60)).await;
    only(app.slack.posted_in("#woodshop"));
    only(app.slack.posted_in("#oops"));
    app.finish().await;
}

#[tokio::test]
async fn messages_are_looked_for_at_slacks_pace() {
    const LOOK: &str = "conversations.history";
    let (app, _) = TestApp::with_saw().await;
    let now = app.clock.now();
    let in_doubt = |n: i32| delivery::ActiveModel {
        target: Set(format!("C00000{n}")),
        dedupe_key: Set(format!("k{n}")),
        lane: Set(format!("l{n}")),
        event: Set("{}".into()),
        state: Set(DeliveryState::Failed),
        failures: Set(1),
        rejections: Set(0),
        due_at: Set(now),
        created_at: Set(now),
        in_doubt_since: Set(Some(now)),
        kind: Set(DeliveryKind::Message),
        ..Default::default()
    };
    let rows = delivery::Entity::insert_many((0..40).map(in_doubt));
    rows.exec_without_returning(app.app.ctx.store.write()).await.unwrap();
    app.settle().await;
    assert_eq!(app.slack.calls(LOOK).len(), 20, "a burst");
    app.after(TimeDelta::seconds(3)).await;
    assert_eq!(app.slack.calls(LOOK).len(), 22, "and then fifty a minute");
}

/// The way to the database is cut while Slack takes a message, for longer than a lease holds.
#[tokio::test]
async fn slack_response_is_retained_until_recorded() {
    let (app, Some(proxy)) = TestApp::behind_proxy(world()).await else {
        return eprintln!("skipped: there are no connections to a file");
    };
    let lines = Lines::from(Level::WARN);
    app.settle().await;
    report_problem(&app.app.ctx, &ana(), report(EquipmentId(1), 1)).await.unwrap();
    app.slack.fail_next(POST, Fault::Delay(Duration::from_secs(2)));
    let deliverer = Arc::clone(&app.app.deliverer);
    let mut sends = JoinSet::new();
    deliverer.poll(&mut sends, &|| ()).await.unwrap();
    let taken = app.slack.wait_for(DEADLINE, |slack| (slack.calls(POST).len() == 1).then_some(())).await;
    assert!(taken.is_some(), "Slack was not called");
    proxy.refuse();
    let cut = Instant::now();
    while cut.elapsed() < Duration::from_secs(50) {
        assert!(timeout(MOMENT * 20, sends.join_next()).await.is_err(), "it was recorded nowhere");
    }
    assert!(!lines.with("not recorded yet").is_empty());
    proxy.restore();
    timeout(DEADLINE, sends.join_next()).await.expect("it is recorded").unwrap().unwrap();
    app.settle().await;
    let wood = app.slack.posted_in("#woodshop").len();
    assert_eq!((wood, app.slack.posted_in("#oops").len()), (1, 1), "nothing is posted twice");
    app.finish().await;
}

#[tokio::test]
async fn record_repeated_after_a_lost_answer_is_recognised() {
    let (app, saw) = TestApp::with_saw().await;
    app.file_report(saw, 1).await;
    let (now, db) = (app.clock.now(), app.app.ctx.store.write());
    let id = app.delivery_to("#woodshop").await.id;
    lease(&app.app.ctx, id, "mine", now).await.unwrap();
    let settlement = Settlement {
        state: DeliveryState::Delivered,
        failures: 0,
        rejections: 0,
        cause: None,
        due_at: now,
        posted: Some(("C0WOOD".into(), "1.000001".into())),
        in_doubt_since: None,
    };
    assert!(!delivery_queue::is_settled_as(db, id, &settlement).await.unwrap());
    assert!(delivery_queue::settle(db, id, "mine", &settlement, now).await.unwrap());
    assert!(!delivery_queue::settle(db, id, "mine", &settlement, now).await.unwrap());
    assert!(delivery_queue::is_settled_as(db, id, &settlement).await.unwrap());
    let other = Settlement { posted: Some(("C0WOOD".into(), "2.000001".into())), ..settlement };
    assert!(!delivery_queue::is_settled_as(db, id, &other).await.unwrap());
    app.settle().await;
    only(app.slack.posted_in("#oops"));
    app.finish().await;
}
