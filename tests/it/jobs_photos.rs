//! Photos fetched from Slack: which are stored, which are refused, and that the token goes to Slack only.

use crate::support::app::TestApp;
use crate::support::jobs::{photos, staff};
use crate::support::lines::Lines;
use crate::support::ops::user;
use crate::support::pictures::names;
use esb::domain::actor::Role;
use esb::domain::job::JobState;
use esb::domain::timeline::TimelineKind;
use esb::ops::jobs::resume;
use esb::store::entities::{photo, timeline};
use esb_sandbox::{Fault, File};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter};
use tracing::Level;

impl TestApp {
    async fn uploads(&self) -> usize {
        names(&self.uploads_directory()).len()
    }
}

#[tokio::test]
async fn photo_is_added_once_with_thumbnail() {
    let (app, repair) = TestApp::with_pictures(&["F1", "F2"]).await;
    app.queue(repair, &["F1", "F2"]).await;
    app.settle().await;
    let again = app.queue(repair, &["F2"]).await;
    app.settle().await;
    assert_eq!(app.lines(again).await, ["F2.png was there already."]);
    let db = app.app.ctx.store.read();
    let found = photo::Entity::find().all(db).await.unwrap();
    assert_eq!(photos(&app.app.ctx).await, ["F1", "F2"]);
    for photo in &found {
        assert_eq!((photo.repair_id, photo.has_thumbnail), (Some(repair), true));
        assert_eq!(
            (photo.uploader_name.as_str(), photo.uploader_slack_id.as_deref()),
            ("Ana Lee", Some("U0ANA"))
        );
    }
    assert_eq!(found[0].original_name, "F1.png");
    let entries = timeline::Entity::find().filter(timeline::Column::Kind.eq(TimelineKind::Photo));
    assert_eq!(entries.count(db).await.unwrap(), 2);
    assert_eq!(app.uploads().await, 4, "two photos with their thumbnails, and nothing else");
    app.job_messages(2).await;
    app.finish().await;
}

#[tokio::test]
async fn refused_file_is_named_others_are_stored() {
    let (app, repair) = TestApp::with_pictures(&["F1", "F4"]).await;
    app.slack.change_world(|world| {
        world.files.push(File::new("F2", "F2.png", "image/png", "no picture at all"));
        world.files.push(File::new("F3", "F3.png", "image/png", ""));
    });
    let id = app.queue(repair, &["F1", "F2", "F3", "F4", "F5"]).await;
    app.settle().await;
    let job = app.job(id).await;
    assert_eq!((job.state, job.step, job.steps), (JobState::Failed, 5, 5));
    let why = job.failure.unwrap();
    let why: Vec<&str> = why.lines().collect();
    assert_eq!(why.len(), 3, "{why:?}");
    assert!(why[0].starts_with("F2.png ") && why[1].starts_with("F3.png is empty"), "{why:?}");
    assert_eq!(why[2], "F5.png is no longer in Slack.");
    assert_eq!(photos(&app.app.ctx).await, ["F1", "F4"]);
    assert_eq!(app.uploads().await, 4, "nothing of the others is left");

    app.slack.change_world(|world| {
        world.files.push(File::new("F5", "F5.png", "image/png", crate::support::jobs::PNG));
    });
    let stu = staff(user(&app.app.ctx, "stu", Role::Staff).await);
    resume(&app.app.ctx, &stu, id).await.unwrap();
    app.settle().await;
    let job = app.job(id).await;
    assert_eq!((job.state, job.failure.unwrap().lines().count()), (JobState::Failed, 2));
    assert_eq!(
        app.asked_for(),
        ["F1", "F2", "F3", "F4", "F5", "F2", "F3", "F5"],
        "only those are tried again"
    );
    assert_eq!(photos(&app.app.ctx).await, ["F1", "F4", "F5"]);
    let told = app.job_message_text();
    assert!(
        told.contains("\nIt failed after 5 of 5 steps.\nF2.png ") && told.contains("\nF3.png is empty"),
        "{told}"
    );
    app.finish().await;
}

#[tokio::test]
async fn file_in_doubt_is_left_to_sweep() {
    let (app, repair) = TestApp::with_pictures(&["F1"]).await;
    let db = app.app.ctx.store.write();
    db.execute_unprepared("ALTER TABLE timeline RENAME TO away").await.unwrap();
    let id = app.queue(repair, &["F1"]).await;
    app.settle().await;
    assert_eq!((app.job(id).await.failures, app.uploads().await), (1, 2), "the photo and its thumbnail");
    db.execute_unprepared("ALTER TABLE away RENAME TO timeline").await.unwrap();
    app.after(chrono::TimeDelta::minutes(5)).await;
    assert_eq!(app.job(id).await.state, JobState::Succeeded);
    assert_eq!(photos(&app.app.ctx).await, ["F1"]);
    assert!(app.job_message_text().contains("1 of 1 done."));
    app.finish().await;
}

#[tokio::test]
async fn missing_files_scope_is_named() {
    let (app, repair) = TestApp::with_pictures(&["F1"]).await;
    app.slack.change_world(|world| world.scopes.retain(|scope| scope != "files:read"));
    let id = app.queue(repair, &["F1"]).await;
    app.settle().await;
    let job = app.job(id).await;
    assert_eq!(job.state, JobState::Failed);
    assert!(job.failure.unwrap().contains("missing_scope: files:read"));
    app.slack.change_world(|world| world.scopes.push("files:read".into()));
    let stu = staff(user(&app.app.ctx, "stu", Role::Staff).await);
    resume(&app.app.ctx, &stu, id).await.unwrap();
    app.settle().await;
    assert_eq!(app.job(id).await.state, JobState::Succeeded);
    assert!(app.job_message_text().contains("1 of 1 done."));
    app.finish().await;
}

#[tokio::test]
async fn token_goes_to_slack_only_and_unlogged() {
    let lines = Lines::from(Level::TRACE);
    let (app, repair) = TestApp::with_pictures(&["F1"]).await;
    let stranger = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://localhost:{}/F1", stranger.local_addr().unwrap().port());
    let source = esb::domain::job::PhotoSource::new("F1", &url, "F1.png").unwrap();
    let work = esb::domain::job::FetchPhotos::new(repair, vec![source]).unwrap();
    let tx = app.app.ctx.store.begin().await.unwrap();
    let actor = crate::support::jobs::member();
    let queued = esb::ops::jobs::fetch_photos(&app.app.ctx, &tx, &actor, work, None).await.unwrap();
    tx.commit().await.unwrap();
    app.settle().await;
    let job = app.job(queued.id).await;
    assert_eq!(job.state, JobState::Failed);
    assert!(job.failure.unwrap().starts_with("F1.png is not kept by Slack"));
    let asked = tokio::time::timeout(std::time::Duration::ZERO, stranger.accept()).await;
    assert!(asked.is_err(), "nobody else was asked for anything");

    let id = app.queue(repair, &["F1"]).await;
    app.slack.fail_next("file", Fault::Http(503));
    app.settle().await;
    app.after(chrono::TimeDelta::seconds(30)).await;
    assert_eq!(app.job(id).await.state, JobState::Succeeded);
    assert_eq!(lines.with(app.slack.bot_token()), Vec::<String>::new());
    queued.committed(&app.app.ctx, &actor);
    app.job_messages(2).await;
    app.finish().await;
}
