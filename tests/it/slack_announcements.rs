//! Announcements of new reports: each channel is retried on its own schedule and gets each message once.

use crate::support::app::{ANA, BO, TestApp, only};
use crate::support::ops::user;
use chrono::TimeDelta;
use esb::domain::actor::{Account, Actor, Edge, Role};
use esb::domain::delivery::DeliveryState;
use esb::domain::edit::RepairEdit;
use esb::domain::field::FieldValue;
use esb::domain::ids::RepairId;
use esb::domain::repair::RepairStatus;
use esb::domain::text::{Note, RequestId};
use esb::ops::repairs::update_repair::{ClaimRepair, UpdateRepair, claim_repair, update_repair};
use esb::store::entities::{delivery, user as user_table};
use esb_sandbox::Fault;
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, QueryFilter, Set};

/// The delivery to a channel.
async fn delivery_to(app: &TestApp, channel: &str) -> delivery::Model {
    let to = delivery::Entity::find().filter(delivery::Column::Target.eq(channel));
    to.one(app.app.ctx.store.read()).await.unwrap().expect("a delivery")
}

/// What is new in a channel's threads; the cards are read as well.
fn replies_in(app: &TestApp, channel: &str) -> Vec<esb_sandbox::Message> {
    app.slack.posted_in(channel).into_iter().filter(|message| message.thread_ts.is_some()).collect()
}

fn posts_to(app: &TestApp, channel: &str) -> usize {
    app.slack.calls("chat.postMessage").iter().filter(|call| call.args["channel"] == channel).count()
}

#[tokio::test]
async fn missing_channel_is_probed_once_a_minute() {
    let app = TestApp::start().await;
    let area = app.area("Paint shop", "#paint").await;
    app.add_equipment(area, "Spray gun").await;
    app.command(ANA, "/esb-report", "spray gun").await;
    app.fill("description", "Clogged").await;
    app.submit().await;
    only(app.slack.posted_in("#oops"));
    app.private(ANA);
    let failed = delivery_to(&app, "#paint").await;
    assert_eq!((failed.state, failed.failures, failed.rejections), (DeliveryState::Failed, 1, 0));

    for (wait, tried) in [(59, 1), (1, 2), (59, 2), (1, 3)] {
        app.after(TimeDelta::seconds(wait)).await;
        assert_eq!(posts_to(&app, "#paint"), tried);
    }
    // Somebody makes the channel: the next try arrives, and oops hears nothing twice.
    let channel = esb_sandbox::Channel::new("C0PAINT", "paint");
    app.slack.change_world(|world| world.channels.push(channel));
    app.after(TimeDelta::minutes(1)).await;
    assert!(only(app.slack.posted_in("#paint")).text.contains("Clogged"));
    app.after(TimeDelta::days(8)).await;
    assert_eq!((posts_to(&app, "#paint"), posts_to(&app, "#oops")), (4, 1));
    app.finish().await;
}

#[tokio::test]
async fn missing_channel_costs_no_message_its_life() {
    let app = TestApp::start().await;
    let area = app.area("Paint shop", "#paint").await;
    app.add_equipment(area, "Spray gun").await;
    app.report("spray gun", "Clogged").await;
    app.read_all();
    for _ in 0..20 {
        app.after(TimeDelta::hours(1)).await;
    }
    assert_eq!(posts_to(&app, "#paint"), 21);
    assert_eq!(delivery_to(&app, "#paint").await.state, DeliveryState::Failed);
    app.after(TimeDelta::days(7)).await;
    assert_eq!(delivery_to(&app, "#paint").await.state, DeliveryState::Dead);
    app.finish().await;
}

#[tokio::test]
async fn only_rejections_count_towards_giving_up() {
    let (app, _) = TestApp::with_saw().await;
    for fault in
        [Fault::Http(500), Fault::RateLimited(7), Fault::Error("invalid_auth"), Fault::Error("ratelimited")]
    {
        app.slack.fail_always("chat.postMessage", fault);
        app.report("table saw", "Belt slips").await;
        for channel in ["#woodshop", "#oops"] {
            let failed = delivery_to(&app, channel).await;
            assert_eq!((failed.state, failed.rejections), (DeliveryState::Failed, 0), "{fault:?} {channel}");
        }
        app.slack.clear_faults();
        app.after(TimeDelta::hours(1)).await;
        only(app.slack.posted_in("#woodshop"));
        only(app.slack.posted_in("#oops"));
        app.read_all();
        app.sql("DELETE FROM delivery_attempts").await;
        app.sql("DELETE FROM deliveries").await;
    }
    app.finish().await;
}

/// Slack's silence is real, and lasts as long as we wait.
#[tokio::test]
async fn unanswered_message_times_out_and_arrives_once() {
    let (app, _) = TestApp::with_saw().await;
    // Slack is known to answer.
    app.report("table saw", "Blade is dull").await;
    app.read_all();
    for _ in 0..2 {
        app.slack.fail_next("chat.postMessage", Fault::Silence);
    }
    app.command(ANA, "/esb-report", "table saw").await;
    app.fill("description", "Belt slips").await;
    let begun = tokio::time::Instant::now();
    app.submit().await;
    let waited = begun.elapsed().as_secs();
    assert!((15..29).contains(&waited), "{waited} s for both at once");
    let unread = ["#woodshop", "#oops"].map(|channel| app.slack.posted_in(channel).len());
    assert_eq!(unread, [0, 0]);
    app.after(TimeDelta::minutes(1)).await;
    app.after(TimeDelta::minutes(10)).await;
    for channel in ["#woodshop", "#oops"] {
        assert!(only(app.slack.posted_in(channel)).text.contains("Belt slips"), "{channel}");
    }
    app.read_all();
    app.finish().await;
}

#[tokio::test]
async fn report_without_area_channel_goes_to_oops() {
    let app = TestApp::start().await;
    let area = app.area("Attic", "").await;
    app.add_equipment(area, "Loom").await;
    app.command(ANA, "/esb-report", "loom").await;
    app.fill("description", "Thread").await;
    app.submit().await;
    assert!(app.private(ANA).contains("repair #1. Posting to #oops."));
    only(app.slack.posted_in("#oops"));
    assert_eq!(app.slack.calls("chat.postMessage").len(), 1);
    app.finish().await;
}

#[tokio::test]
async fn area_using_oops_gets_one_message() {
    let app = TestApp::start().await;
    let area = app.area("Attic", "#Oops").await;
    app.add_equipment(area, "Loom").await;
    app.report("loom", "Thread").await;
    only(app.slack.posted_in("#oops"));
    app.private(ANA);
    app.finish().await;
}

#[tokio::test]
async fn update_reaches_both_channels_and_mentions_nobody() {
    let (app, _) = TestApp::with_saw().await;
    app.report("table saw", "Belt slips").await;
    app.read_all();
    let ctx = &app.app.ctx;
    let sam = user(ctx, "sam", Role::Technician).await;
    let row = user_table::Entity::find_by_id(sam).one(ctx.store.read()).await.unwrap().unwrap();
    let mut row = row.into_active_model();
    row.slack_user_id = Set(Some(BO.into()));
    row.update(ctx.store.write()).await.unwrap();
    let actor = Actor::of_account(Edge::Web, "sam", Account { id: sam, role: Role::Technician });
    let request = |n| RequestId::from_random([n; 16]);
    let claim = ClaimRepair { repair: RepairId(1), version: None, request_id: request(1) };
    claim_repair(ctx, &actor, claim).await.unwrap();
    app.settle().await;
    for channel in ["#woodshop", "#oops"] {
        let text = only(replies_in(&app, channel)).text;
        assert!(text.starts_with("Table saw (Wood shop)"), "{text}");
        assert!(text.contains("claimed this"), "{text}");
    }
    let note = Some(Note::parse("New belt <!channel>").unwrap());
    let values = vec![FieldValue::Status(RepairStatus::Resolved)];
    let edit = RepairEdit { version: 2, values, note };
    update_repair(ctx, &actor, UpdateRepair { repair: RepairId(1), edit, request_id: request(2) })
        .await
        .unwrap();
    // A channel takes one message a second.
    app.after(TimeDelta::seconds(2)).await;
    for channel in ["#woodshop", "#oops"] {
        let text = only(replies_in(&app, channel)).text;
        assert!(text.starts_with("Table saw (Wood shop)"), "{text}");
        assert!(text.ends_with("sam fixed this: New belt &lt;!channel&gt;"), "{text}");
    }
    app.finish().await;
}
