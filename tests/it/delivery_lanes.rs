//! A burst delays no other channel, each channel gets one message a second, and a backlog causes no writes.

use crate::support::app::{BO, TestApp};
use crate::support::ops::{ana, report};
use crate::support::passwords::{made, new_user};
use chrono::TimeDelta;
use esb::domain::ids::EquipmentId;
use esb::domain::text::RequestId;
use esb::ops::repairs::report_problem::report_problem;
use esb::store::entities::delivery;
use sea_orm::{EntityTrait, QueryOrder};

const SECOND: TimeDelta = TimeDelta::seconds(1);

impl TestApp {
    async fn burst(&self, equipment: EquipmentId, count: usize) {
        for _ in 0..count {
            let mut one = report(equipment, 0);
            one.request_id = RequestId::from_random(rand::random());
            report_problem(&self.app.ctx, &ana(), one).await.unwrap();
        }
    }

    pub fn read_whole_slack(&self) {
        for message in self.slack.messages() {
            self.slack.posted_in(&message.channel);
        }
    }

    fn in_channel(&self, channel: &str) -> usize {
        self.slack.messages().iter().filter(|message| message.channel == channel).count()
    }
}

#[tokio::test]
async fn burst_delays_neither_passwords_nor_quiet_channels() {
    let app = TestApp::with_bo().await;
    let wood = app.area("Sawmill", "#woodshop").await;
    let saw = app.add_equipment(wood, "Panel saw").await;
    let area = app.area("Forge", "#metalshop").await;
    let lathe = app.add_equipment(area, "Power hammer").await;
    app.burst(saw, 70).await;
    for _ in 0..5 {
        app.after(SECOND).await;
    }
    made(&app.app.ctx, &app.staff_user().await, new_user("bo", false)).await;
    app.burst(lathe, 1).await;
    app.after(SECOND).await;
    assert_eq!(app.slack.direct_messages(BO).len(), 1, "a password waits for no channel");
    assert_eq!(app.in_channel("C0METAL"), 1, "a quiet channel waits for no other");
    for _ in 0..70 {
        app.after(SECOND).await;
    }
    app.read_whole_slack();
    app.finish().await;
}

#[tokio::test]
async fn five_busy_channels_keep_their_pace() {
    let app = TestApp::start().await;
    for n in 0..4 {
        let (id, name) = (format!("C0AREA{n}"), format!("area{n}"));
        app.slack.change_world(|world| world.channels.push(esb_sandbox::Channel::new(&id, &name)));
        let area = app.area(&format!("Area {n}"), &format!("#{name}")).await;
        let equipment = app.add_equipment(area, "Saw").await;
        app.burst(equipment, 12).await;
    }
    app.settle().await;
    for _ in 0..11 {
        app.after(SECOND).await;
    }
    for n in 0..4 {
        assert_eq!(app.in_channel(&format!("C0AREA{n}")), 12, "area {n}");
    }
    assert_eq!(app.in_channel("C0OOPS"), 12);
    for _ in 0..37 {
        app.after(SECOND).await;
    }
    app.read_whole_slack();
    app.finish().await;
}

#[tokio::test]
async fn waiting_backlog_is_not_rewritten() {
    let (app, saw) = TestApp::with_saw().await;
    app.burst(saw, 20).await;
    app.settle().await;
    let all = || async {
        let by_id = delivery::Entity::find().order_by_asc(delivery::Column::Id);
        by_id.all(app.app.ctx.store.read()).await.unwrap()
    };
    let before = all().await;
    app.after(SECOND).await;
    let after = all().await;
    let changed = before.iter().zip(&after).filter(|(before, after)| before != after).count();
    assert_eq!(changed, 2, "the two that were sent");
    for _ in 0..20 {
        app.after(SECOND).await;
    }
    app.read_whole_slack();
    app.finish().await;
}

#[tokio::test]
async fn several_workers_keep_one_pace() {
    let (app, saw) = TestApp::with_saw().await;
    app.burst(saw, 10).await;
    let mut workers = vec![std::sync::Arc::clone(&app.app.deliverer)];
    for _ in 0..3 {
        workers.push(app.another_worker().await);
    }
    let mut sends = tokio::task::JoinSet::new();
    for seconds in 1..=9 {
        for worker in &workers {
            worker.poll(&mut sends, &|| ()).await.unwrap();
        }
        while sends.join_next().await.is_some() {}
        let posted = app.in_channel("C0WOOD");
        assert!(posted <= seconds, "{posted} messages in {seconds} s");
        app.clock.advance(SECOND);
    }
    assert!(app.in_channel("C0WOOD") >= 8);
    app.app.deliverer.release().await.unwrap();
    for _ in 0..12 {
        app.after(SECOND).await;
    }
    app.read_whole_slack();
    app.finish().await;
}
