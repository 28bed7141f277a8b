//! Photos in Slack forms: when the form asks for them, how a job fetches them, and how failures are listed.

use crate::support::app::{ANA, BO, TestApp, only, world};
use crate::support::jobs::{PNG, photos, pictures, staff};
use crate::support::ops::user;
use crate::support::slack::{errors_of, put};
use chrono::TimeDelta;
use esb::domain::actor::Role;
use esb::domain::ids::JobId;
use esb::domain::job::JobState;
use esb::ops::jobs::resume;
use esb_sandbox::{Fault, File, Submitted};
use serde_json::json;

impl TestApp {
    /// A table saw, pictures of these ids in Slack, and a bot that is known to be allowed to read them.
    async fn with_photos(ids: &[&str]) -> Self {
        let mut world = world();
        pictures(&mut world, ids);
        let app = Self::start_in(world).await;
        app.app.identity.wait().await;
        let area = app.area("Wood shop", "#woodshop").await;
        app.add_equipment(area, "Table saw").await;
        app
    }

    /// Ana fills in a report with these files.
    async fn filled(&self, files: &[&str]) {
        self.command(ANA, "/esb-report", "table saw").await;
        self.fill("description", "Belt slips").await;
        self.slack.attach(ANA, "photos", files).await.unwrap();
    }

    fn read_channels(&self) {
        self.slack.posted_in("#woodshop");
        self.slack.posted_in("#oops");
    }
}

#[tokio::test]
async fn report_photos_are_fetched_and_reporter_informed() {
    let app = TestApp::with_photos(&["F1", "F2"]).await;
    app.command(ANA, "/esb-report", "").await;
    app.fill("description", "Belt slips").await;
    app.slack.attach(ANA, "photos", &["F1", "F2"]).await.unwrap();
    app.choose("equipment", "Table saw").await;
    assert_eq!(app.view().value("photos").as_deref(), Some("F1.png, F2.png"), "kept when the form changes");
    let sent = app.submission();
    assert_eq!(app.submit().await, Submitted::Cleared);
    assert!(app.private(ANA).contains("Your 2 photos are being fetched."));
    assert_eq!(photos(&app.app.ctx).await, ["F1", "F2"]);
    app.send(sent).await;
    assert!(app.private(ANA).contains("repair #1"));
    assert_eq!((app.repairs().await, app.asked_for().len()), (1, 2), "sent again, nothing is fetched again");
    assert!(app.job_message_text().contains("2 of 2 done."));
    app.after(TimeDelta::seconds(2)).await;
    let card = only(app.slack.posted_in("#woodshop"));
    assert!(card.shown().contains(":camera: 2 photos"), "{}", card.shown());
    app.read_channels();
    app.finish().await;
}

#[tokio::test]
async fn technicians_new_repair_has_photos_too() {
    let app = TestApp::with_photos(&["F1"]).await;
    user(&app.app.ctx, "ana", Role::Technician).await;
    app.command(ANA, "/esb-repair", "table saw").await;
    app.fill("description", "Belt slips").await;
    app.slack.attach(ANA, "photos", &["F1"]).await.unwrap();
    assert_eq!(app.submit().await, Submitted::Cleared);
    assert!(app.private(ANA).contains("Your photo is being fetched."));
    assert_eq!(photos(&app.app.ctx).await, ["F1"]);
    let told = app.job_message_text();
    assert!(told.contains("*<http://esb.test/repairs/1|Photos for repair #1>*\n1 of 1 done."), "{told}");
    app.read_channels();
    app.finish().await;
}

#[tokio::test]
async fn form_omits_photos_without_scope() {
    let (app, _) = TestApp::with_saw().await;
    app.app.identity.wait().await;
    user(&app.app.ctx, "ana", Role::Technician).await;
    for command in ["/esb-report", "/esb-repair"] {
        app.command(ANA, command, "table saw").await;
        assert!(app.view().element("description").is_some() && app.view().element("photos").is_none());
        app.slack.close(ANA).await.unwrap();
    }
    app.finish().await;
}

#[tokio::test]
async fn external_files_are_linked_and_not_fetched() {
    let app = TestApp::with_photos(&["F1"]).await;
    let file = File::new("F2", "b.png", "image/png", PNG).external("https://drive.test/b");
    app.slack.change_world(|world| world.files.push(file));
    app.filled(&["F1", "F2"]).await;
    assert_eq!(app.submit().await, Submitted::Cleared);
    let told = app.private(ANA);
    assert!(
        told.contains("Your photo is being fetched. Files that Slack does not store are added as links."),
        "{told}"
    );
    assert_eq!(app.asked_for(), ["F1"]);
    let note = "In Slack only:\nb.png: https://drive.test/b".to_owned();
    assert_eq!(app.notes().await, [("Ana Lee".into(), Some(note), false)]);
    assert!(app.job_message_text().contains("1 of 1 done."));
    app.read_channels();
    app.finish().await;
}

#[tokio::test]
async fn unavailable_photo_is_retried_then_listed() {
    let app = TestApp::with_photos(&["F1"]).await;
    app.slack.change_world(|world| world.files.push(File::new("F2", "b.png", "image/png", "no picture")));
    app.slack.fail_next("file", Fault::Http(503));
    app.filled(&["F1", "F2"]).await;
    assert_eq!(app.submit().await, Submitted::Cleared);
    app.private(ANA);
    let job = JobId(1);
    assert_eq!((app.job(job).await.state, app.notes().await.len()), (JobState::Queued, 0));
    app.after(TimeDelta::seconds(30)).await;
    assert_eq!((app.job(job).await.state, photos(&app.app.ctx).await), (JobState::Failed, vec!["F1".into()]));
    let notes = app.notes().await;
    assert_eq!((notes.len(), notes[0].0.as_str()), (1, "ESB"));
    assert!(notes[0].1.as_ref().unwrap().starts_with("A photo from Slack is missing: b.png "), "{notes:?}");
    let stu = staff(user(&app.app.ctx, "stu", Role::Staff).await);
    resume(&app.app.ctx, &stu, job).await.unwrap();
    app.settle().await;
    assert_eq!((app.job(job).await.state, app.notes().await.len()), (JobState::Failed, 1), "said once");
    let told = app.job_message_text();
    assert!(told.contains("It failed after 2 of 2 steps.\nb.png "), "{told}");
    app.read_channels();
    app.finish().await;
}

#[tokio::test]
async fn sixth_photo_is_refused_on_its_field() {
    let app = TestApp::with_photos(&["F1"]).await;
    app.filled(&["F1"]).await;
    let mut submission = app.submission();
    let files: Vec<_> =
        (1..=6).map(|n| json!({ "id": format!("F{n}"), "url_private": "https://x.test" })).collect();
    put(&mut submission, "photos", json!({ "type": "file_input", "files": files }));
    assert!(errors_of(&app.send(submission).await)["photos"].contains("5 photos at most"));
    assert_eq!(app.repairs().await, 0);
    app.slack.close(ANA).await.unwrap();
    assert!(app.slack.direct_messages(BO).is_empty());
    app.finish().await;
}
