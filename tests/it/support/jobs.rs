//! Jobs that tests start: fetching photos from Slack to a repair.

use super::app::{ANA, DEADLINE, TestApp, only};
use super::ops::report;
use chrono::TimeDelta;
use esb::domain::actor::{Account, Actor, Edge, Role, SlackUserId};
use esb::domain::ids::{EquipmentId, JobId, RepairId, UserId};
use esb::domain::job::{FetchPhotos, PhotoSource};
use esb::domain::text::RequestId;
use esb::ops::Ctx;
use esb::ops::jobs::fetch_photos;
use esb::ops::repairs::report_problem::report_problem;
use esb::store;
use esb::store::entities::photo;
use esb::store::jobs::Job;
use esb_sandbox::{File, Message, Sandbox, World};
use sea_orm::{EntityTrait, QueryOrder};
use std::sync::Arc;

/// The sandbox's method name for file downloads.
pub const FILE: &str = "file";

/// A picture of four pixels.
pub const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0\x02\0\0\0\x02\x08\x02\0\0\0\xfd\xd4\x9a\x73\
\0\0\0\x10IDAT\x78\xda\x63\x38\x21\x67\x03\x44\x0c\x10\x0a\0\x21\xf6\x04\x89\xf6\x84\x95\x61\
\0\0\0\0IEND\xae\x42\x60\x82";

/// A member in Slack.
pub fn member() -> Actor {
    Actor { slack_id: Some(SlackUserId("U0ANA".into())), ..Actor::visitor(Edge::Slack, "Ana Lee") }
}

/// A staff user on the web.
pub fn staff(id: UserId) -> Actor {
    Actor::of_account(Edge::Web, "stu", Account { id, role: Role::Staff })
}

/// Adds pictures with these ids to a workspace, and the scope to read them.
pub fn pictures(world: &mut World, ids: &[&str]) {
    world.scopes.push("files:read".into());
    world.files.extend(ids.iter().map(|id| File::new(id, &format!("{id}.png"), "image/png", PNG)));
}

/// Enqueues a job that fetches files to a repair, for a member in Slack.
pub async fn queue(
    ctx: &Ctx,
    slack: &Sandbox,
    repair: RepairId,
    ids: &[&str],
    work_key: Option<&RequestId>,
) -> JobId {
    queue_as(&member(), ctx, slack, repair, ids, work_key).await
}

/// Enqueues a job that fetches files to a repair.
pub async fn queue_as(
    starter: &Actor,
    ctx: &Ctx,
    slack: &Sandbox,
    repair: RepairId,
    ids: &[&str],
    work_key: Option<&RequestId>,
) -> JobId {
    let source = |id: &&str| PhotoSource::new(id, &slack.file_url(id), &format!("{id}.png")).unwrap();
    let work = FetchPhotos::new(repair, ids.iter().map(source).collect()).unwrap();
    let tx = ctx.store.begin().await.unwrap();
    let queued = fetch_photos(ctx, &tx, starter, work, work_key).await.unwrap();
    let id = queued.id;
    tx.commit().await.unwrap();
    queued.committed(ctx, starter);
    id
}

pub async fn job(ctx: &Ctx, id: JobId) -> Job {
    store::jobs::find(ctx.store.read(), id).await.unwrap().expect("a job")
}

/// Records one finished step of a job, as a worker does.
pub async fn step(ctx: &Ctx, id: JobId) {
    ctx.clock.advance(TimeDelta::seconds(1));
    let (db, now) = (ctx.store.write(), ctx.clock.now());
    let until = now + TimeDelta::seconds(45);
    if let Some(mut job) = store::jobs::lease(db, id, "worker", now, until).await.unwrap() {
        (job.step, job.activity) = (1, "Fetching <F2>".into());
        store::jobs::record(db, &job, "F1 is there & safe.", now).await.unwrap();
    }
}

/// Slack's ids of all stored photos, oldest first.
pub async fn photos(ctx: &Ctx) -> Vec<String> {
    let photos = photo::Entity::find().order_by_asc(photo::Column::Id).all(ctx.store.read()).await.unwrap();
    let of_slack = |source: String| source.rsplit(':').next().map(str::to_owned);
    photos.into_iter().filter_map(|photo| photo.source.and_then(of_slack)).collect()
}

impl TestApp {
    /// A table saw with an open repair, and pictures with these ids in Slack. All messages are read.
    pub async fn with_pictures(ids: &[&str]) -> (Self, RepairId) {
        let (app, saw) = Self::with_saw().await;
        app.slack.change_world(|world| pictures(world, ids));
        let repair = app.reported(saw).await;
        (app, repair)
    }

    async fn reported(&self, saw: EquipmentId) -> RepairId {
        let repair = report_problem(&self.app.ctx, &member(), report(saw, 1)).await.unwrap().repair;
        self.settle().await;
        self.read_all();
        repair
    }

    /// Enqueues a job that fetches files to a repair.
    pub async fn queue(&self, repair: RepairId, ids: &[&str]) -> JobId {
        queue(&self.app.ctx, &self.slack, repair, ids, None).await
    }

    pub async fn job(&self, id: JobId) -> Job {
        job(&self.app.ctx, id).await
    }

    /// The lines of a job, oldest first.
    pub async fn lines(&self, id: JobId) -> Vec<String> {
        let mut lines = store::jobs::latest_updates(self.app.ctx.store.read(), id, 1_000).await.unwrap();
        lines.reverse();
        lines.into_iter().map(|line| line.text).collect()
    }

    /// Runs jobs, and calls `act` after the request for the file at that place and before its answer.
    pub async fn while_fetching(&self, place: usize, act: impl AsyncFnOnce()) {
        let runner = Arc::clone(&self.app.jobs);
        let working = tokio::spawn(async move { runner.settle().await });
        let asked = self.slack.wait_for(DEADLINE, |slack| (slack.calls(FILE).len() >= place).then_some(()));
        assert!(asked.await.is_some(), "file {place} was not asked for");
        act().await;
        working.await.unwrap().unwrap();
    }

    /// The text of the only job message to Ana.
    #[track_caller]
    pub fn job_message_text(&self) -> String {
        only(self.slack.direct_messages(ANA)).text
    }

    /// All job messages to Ana; a person gets one message a second.
    pub async fn job_messages(&self, count: usize) -> Vec<Message> {
        for _ in 0..count {
            self.after(TimeDelta::seconds(1)).await;
        }
        let told = self.slack.direct_messages(ANA);
        assert_eq!(told.len(), count, "{told:#?}");
        told
    }

    /// Ids of the requested files, in order.
    pub fn asked_for(&self) -> Vec<String> {
        asked_for(&self.slack)
    }
}

/// Ids of the requested files, in order.
pub fn asked_for(slack: &Sandbox) -> Vec<String> {
    slack.calls("file").iter().map(|call| call.args["file"].as_str().unwrap().to_owned()).collect()
}
