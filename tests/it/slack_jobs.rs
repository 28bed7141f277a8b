//! The private message of a job: posted once to whoever started it in Slack, and edited to the end.

use crate::support::app::{ANA, DEADLINE, TestApp, only};
use crate::support::jobs::{FILE, member, queue_as, staff};
use crate::support::ops::{user, with_saw};
use chrono::TimeDelta;
use esb::domain::actor::{Account, Actor, Role};
use esb::domain::delivery::{DeliveryKind, DeliveryState};
use esb::domain::ids::JobId;
use esb::domain::job::JobState;
use esb::ops::jobs::{cancel, resume};
use esb::ops::{Announce, Ctx};
use esb::store;
use esb::store::entities::delivery;
use esb_sandbox::{Fault, File, Message, Options, Sandbox, World};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};
use std::time::Duration;

const POST: &str = "chat.postMessage";
const UPDATE: &str = "chat.update";
const SECOND: TimeDelta = TimeDelta::seconds(1);
const DONE: &str = ":white_check_mark: *Photos for repair #1*\n1 of 1 done.\nJob #1";

impl TestApp {
    async fn boss(&self) -> Actor {
        staff(user(&self.app.ctx, "stu", Role::Staff).await)
    }

    /// A job of so many steps, held by a worker that takes them quickly.
    async fn leased(&self, id: JobId, steps: i64) -> store::jobs::Job {
        let (db, now) = (self.app.ctx.store.write(), self.clock.now());
        let until = now + TimeDelta::hours(1);
        let mut job = store::jobs::lease(db, id, "quick", now, until).await.unwrap().unwrap();
        job.steps = steps;
        job
    }

    /// Its next step, ten a second; the last one is its end.
    async fn take_step(&self, job: &mut store::jobs::Job, step: i64) {
        (job.step, job.activity) = (step, format!("at {step}"));
        if step == job.steps {
            job.state = JobState::Succeeded;
        }
        store::jobs::record(self.app.ctx.store.write(), job, "A step.", self.clock.now()).await.unwrap();
        self.deliver().await;
        self.clock.advance(TimeDelta::milliseconds(100));
    }

    async fn deliver(&self) {
        self.app.deliverer.settle().await.unwrap();
    }

    /// How often Ana was written to, and how often that was edited; refused ones count.
    fn told_and_edited(&self) -> (usize, usize) {
        let to_ana = |call: &esb_sandbox::Call| call.args["channel"] == ANA;
        let told = self.slack.calls(POST).into_iter().filter(to_ana).count();
        let in_private = |call: &esb_sandbox::Call| call.args["channel"].as_str().unwrap().starts_with('D');
        (told, self.slack.calls(UPDATE).into_iter().filter(in_private).count())
    }

    /// Every message to Ana as it stands now, whoever has read it.
    fn to_ana(&self) -> Vec<Message> {
        self.slack.messages().into_iter().filter(|message| message.channel.starts_with('D')).collect()
    }

    /// As a process leaves it that was killed after Slack took the first message of a job and before it noted
    /// that.
    async fn forget_message(&self, id: JobId) {
        self.sql(&format!(
            "UPDATE deliveries SET state = 'sending', lease = 'a dead worker', finished_at = NULL, \
             leased_until = due_at, posted_channel = NULL, posted_ts = NULL WHERE dedupe_key = 'job:{id}'"
        ))
        .await;
        let message = "message_channel = NULL, message_ts = NULL, message_rendered_version = 0";
        self.sql(&format!("UPDATE jobs SET {message} WHERE id = {id}")).await;
    }
}

async fn pending_for_jobs(ctx: &Ctx) -> u64 {
    let of_jobs = delivery::Entity::find().filter(delivery::Column::JobId.is_not_null());
    of_jobs.count(ctx.store.read()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn job_starter_gets_one_updated_message() {
    let (app, repair) = TestApp::with_pictures(&["F1", "F2"]).await;
    let id = app.queue(repair, &["F1", "F2"]).await;
    app.deliver().await;
    let first = only(app.slack.direct_messages(ANA));
    let begins =
        ":hourglass_flowing_sand: *Photos for repair #1*\n0 of 2 done. Next: Fetching F1.png\nJob #1";
    assert_eq!((first.text.as_str(), first.edited), (begins, false));
    assert_eq!(first.shown().replace("\n\n", "\n").trim(), begins, "the blocks say the same");
    app.slack.fail_always(FILE, Fault::Delay(Duration::from_secs(1)));
    app.while_fetching(2, async || app.deliver().await).await;
    let at_second = only(app.slack.direct_messages(ANA));
    assert!(at_second.text.contains("\n1 of 2 done. Now: Fetching F2.png\n"), "{}", at_second.text);
    app.settle().await;
    let last = only(app.slack.direct_messages(ANA));
    assert_eq!(last.text, ":white_check_mark: *Photos for repair #1*\n2 of 2 done.\nJob #1");
    assert!(last.edited && last.ts == first.ts);
    assert_eq!((app.told_and_edited(), app.job(id).await.state), ((1, 2), JobState::Succeeded));
    app.finish().await;
}

#[tokio::test]
async fn quick_job_posts_final_message_only() {
    let (app, repair) = TestApp::with_pictures(&["F1"]).await;
    app.queue(repair, &["F1"]).await;
    app.settle().await;
    let told = only(app.slack.direct_messages(ANA));
    assert_eq!((told.text.as_str(), told.edited), (DONE, false));
    assert_eq!(app.told_and_edited(), (1, 0));
    app.finish().await;
}

#[tokio::test]
async fn waiting_job_shows_reason_and_time() {
    let (app, repair) = TestApp::with_pictures(&["F1"]).await;
    app.queue(repair, &["F1"]).await;
    app.slack.fail_next(FILE, Fault::Http(503));
    app.settle().await;
    let first = only(app.slack.direct_messages(ANA));
    let at = app.clock.now() + TimeDelta::seconds(30);
    let waits = format!(
        ":hourglass_flowing_sand: *Photos for repair #1*\n0 of 1 done. It waits, and is tried again from \
         <!date^{}^{{time}}|{} UTC> on.\nF1.png did not come: Slack is unavailable: HTTP status 503.\nJob #1",
        at.timestamp(),
        at.format("%H:%M")
    );
    assert_eq!(first.text, waits);
    app.slack.fail_next(FILE, Fault::RateLimited(7));
    app.after(TimeDelta::seconds(30)).await;
    let told = only(app.slack.direct_messages(ANA)).text;
    assert!(told.contains("It waits, and") && told.contains("Slack asks to wait."), "{told}");
    app.after(TimeDelta::seconds(7)).await;
    let last = only(app.slack.direct_messages(ANA));
    assert_eq!((last.text.as_str(), &last.ts), (DONE, &first.ts));
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cancelling_and_resuming_show_in_the_same_message() {
    let (app, repair) = TestApp::with_pictures(&["F1", "F2"]).await;
    let (ctx, stu) = (&app.app.ctx, app.boss().await);
    let id = app.queue(repair, &["F1", "F2"]).await;
    app.deliver().await;
    let first = only(app.slack.direct_messages(ANA));
    cancel(ctx, &stu, id).await.unwrap();
    app.settle().await;
    let told = app.job_message_text();
    assert!(told.starts_with(":no_entry_sign: ") && told.contains("Canceled after 0 of 2 steps."), "{told}");
    resume(ctx, &stu, id).await.unwrap();
    app.deliver().await;
    assert!(app.job_message_text().contains("0 of 2 done. Next: Fetching F1.png"));
    app.slack.fail_always(FILE, Fault::Delay(Duration::from_secs(1)));
    app.while_fetching(1, async || {
        cancel(ctx, &stu, id).await.unwrap();
        app.deliver().await;
    })
    .await;
    let told = app.job_message_text();
    assert!(told.contains("0 of 2 done. It ends after this step (canceled): "), "{told}");
    app.slack.clear_faults();
    app.settle().await;
    assert!(app.job_message_text().contains("Canceled after 1 of 2 steps."));
    resume(ctx, &stu, id).await.unwrap();
    app.settle().await;
    let last = only(app.slack.direct_messages(ANA));
    assert!(last.text.contains("\n2 of 2 done.\n") && last.ts == first.ts, "{}", last.text);
    assert_eq!(app.told_and_edited().0, 1);
    app.finish().await;
}

#[tokio::test]
async fn failed_job_shows_reason_and_allowed_links() {
    let (app, repair) = TestApp::with_pictures(&[]).await;
    let ctx = &app.app.ctx;
    let ana = user(ctx, "ana", Role::Technician).await;
    app.sql(&format!("UPDATE users SET slack_user_id = '{ANA}' WHERE id = {ana}")).await;
    let technician = Actor { account: Some(Account { id: ana, role: Role::Technician }), ..member() };
    let mut told = Vec::new();
    for (n, starter) in [(1, &member()), (2, &technician), (3, &technician)] {
        if n == 3 {
            app.sql("UPDATE users SET role = 'Staff'").await;
        }
        queue_as(starter, ctx, &app.slack, repair, &["F1"], None).await;
        app.after(SECOND).await;
        told.push(app.job_message_text());
    }
    let why = "\nIt failed after 1 of 1 steps.\nF1.png is no longer in Slack.\n";
    let linked = ":x: *<http://esb.test/repairs/1|Photos for repair #1>*";
    assert_eq!(
        told,
        [
            format!(
                ":x: *Photos for repair #1*{why}Job #1 · staff can put right what is said here and resume it"
            ),
            format!("{linked}{why}Job #2 · staff can put right what is said here and resume it"),
            format!(
                "{linked}{why}Job #3 · put right what is said here, then \
                 <http://esb.test/admin/jobs/3|resume it on its page>"
            ),
        ]
    );
    app.finish().await;
}

#[tokio::test]
async fn name_of_a_file_notifies_nobody() {
    let (app, repair) = TestApp::with_pictures(&[]).await;
    app.slack.change_world(|world| world.files.push(File::new("F1", "x", "image/png", "no picture")));
    let url = app.slack.file_url("F1");
    let source = esb::domain::job::PhotoSource::new("F1", &url, "<!channel> ``` *x").unwrap();
    let work = esb::domain::job::FetchPhotos::new(repair, vec![source]).unwrap();
    let tx = app.app.ctx.store.begin().await.unwrap();
    let queued = esb::ops::jobs::fetch_photos(&app.app.ctx, &tx, &member(), work, None).await.unwrap();
    tx.commit().await.unwrap();
    queued.committed(&app.app.ctx, &member());
    app.deliver().await;
    let begins = app.job_message_text();
    app.settle().await;
    for told in [begins, app.job_message_text()] {
        assert!(told.contains("&lt;!channel&gt; ''' *x") && !told.contains("<!channel>"), "{told}");
    }
    app.finish().await;
}

#[tokio::test]
async fn web_jobs_send_no_slack_message() {
    let (app, repair) = TestApp::with_pictures(&["F1"]).await;
    let on_the_web = Actor { slack_id: member().slack_id, ..app.boss().await };
    let unknown = Actor { slack_id: None, ..member() };
    for starter in [on_the_web, unknown] {
        let id = queue_as(&starter, &app.app.ctx, &app.slack, repair, &["F1"], None).await;
        app.settle().await;
        let job = app.job(id).await;
        assert_eq!((job.state, job.message_desired_version), (JobState::Succeeded, None));
    }
    assert_eq!((pending_for_jobs(&app.app.ctx).await, app.told_and_edited()), (0, (0, 0)));
    app.finish().await;

    let (ops, saw) = with_saw().await;
    let off = Ctx::new(ops.ctx.store.clone(), ops.ctx.clock.clone(), Announce::Nowhere);
    let report = crate::support::ops::report(saw, 1);
    let repair =
        esb::ops::repairs::report_problem::report_problem(&off, &member(), report).await.unwrap().repair;
    let slack = Sandbox::start(World::new(), Options::default()).unwrap();
    queue_as(&member(), &off, &slack, repair, &["F1"], None).await;
    assert_eq!(pending_for_jobs(&off).await, 0);
    queue_as(&member(), &ops, &slack, repair, &["F1"], None).await;
    assert_eq!(pending_for_jobs(&ops).await, 1, "but to whoever starts it where Slack is on");
}

#[tokio::test]
async fn deleted_job_message_is_not_reposted() {
    let (app, repair) = TestApp::with_pictures(&["F1"]).await;
    let id = app.queue(repair, &["F1"]).await;
    app.slack.fail_next(FILE, Fault::Http(503));
    app.settle().await;
    app.slack.delete_message(&only(app.slack.direct_messages(ANA))).unwrap();
    app.after(TimeDelta::seconds(30)).await;
    assert_eq!((app.job(id).await.state, app.job(id).await.message_ts), (JobState::Succeeded, None));
    app.after(TimeDelta::days(1)).await;
    assert_eq!((app.to_ana().len(), app.told_and_edited()), (0, (1, 1)), "tried once");
    // Nor when it goes on.
    app.sql("UPDATE jobs SET state = 'failed'").await;
    resume(&app.app.ctx, &app.boss().await, id).await.unwrap();
    app.settle().await;
    assert_eq!((app.to_ana().len(), app.told_and_edited()), (0, (1, 1)));
    app.finish().await;
}

#[tokio::test]
async fn job_message_converges_after_any_answer() {
    for method in [POST, UPDATE] {
        for (fault, wait) in [
            (Fault::Http(503), 30),
            (Fault::RateLimited(7), 7),
            (Fault::Error("invalid_auth"), 60),
            (Fault::Error("internal_error"), 30),
        ] {
            let (app, repair) = TestApp::with_pictures(&["F1"]).await;
            // The photo would edit them, too.
            app.sql("DELETE FROM cards").await;
            let id = app.queue(repair, &["F1"]).await;
            if method == UPDATE {
                app.deliver().await;
                app.job_message_text();
            }
            app.slack.fail_next(method, fault);
            app.settle().await;
            assert_eq!(app.job(id).await.state, JobState::Succeeded, "{method} {fault:?}");
            assert!(app.slack.direct_messages(ANA).is_empty(), "{method} {fault:?}");
            app.after(TimeDelta::seconds(wait)).await;
            assert_eq!(app.job_message_text(), DONE, "{method} {fault:?}");
            app.finish().await;
        }
    }
}

#[tokio::test]
async fn unreachable_starter_does_not_block_job() {
    let (app, repair) = TestApp::with_pictures(&["F1"]).await;
    let id = app.queue(repair, &["F1"]).await;
    app.slack.fail_always(POST, Fault::Error("messages_tab_disabled"));
    app.settle().await;
    assert_eq!(app.job(id).await.state, JobState::Succeeded);
    for _ in 0..12 {
        app.after(TimeDelta::hours(1)).await;
    }
    assert_eq!(app.told_and_edited(), (10, 0));
    let dead = delivery::Entity::find().filter(delivery::Column::State.eq(DeliveryState::Dead));
    assert_eq!(dead.count(app.app.ctx.store.read()).await.unwrap(), 1);
    app.slack.clear_faults();
    app.finish().await;
}

#[tokio::test]
async fn many_steps_share_few_edits() {
    let (app, repair) = TestApp::with_pictures(&["F1"]).await;
    let id = app.queue(repair, &["F1"]).await;
    app.deliver().await;
    let mut job = app.leased(id, 300).await;
    for step in 1..=300 {
        app.take_step(&mut job, step).await;
    }
    let edits = delivery::Entity::find().filter(delivery::Column::Kind.eq(DeliveryKind::Edit));
    let pending = edits.clone().filter(delivery::Column::State.is_in(DeliveryState::PENDING));
    assert!(pending.count(app.app.ctx.store.read()).await.unwrap() <= 1, "one at a time");
    app.after(TimeDelta::seconds(2)).await;
    let last = only(app.slack.direct_messages(ANA));
    assert!(last.text.contains("\n300 of 300 done.\n"), "{}", last.text);
    // Twenty at once, then fifty a minute; it took half a minute.
    assert!(app.told_and_edited().1 <= 20 + 27, "{:?}", app.told_and_edited());
    app.finish().await;
}

#[tokio::test]
async fn refused_edit_keeps_its_retries_across_steps() {
    let (app, repair) = TestApp::with_pictures(&["F1"]).await;
    let id = app.queue(repair, &["F1"]).await;
    app.deliver().await;
    let mut job = app.leased(id, 20).await;
    app.slack.fail_next(UPDATE, Fault::Error("internal_error"));
    for step in 1..20 {
        app.take_step(&mut job, step).await;
    }
    assert_eq!(app.told_and_edited().1, 1, "it waits for its next try");
    app.take_step(&mut job, 20).await;
    assert!(
        only(app.slack.direct_messages(ANA)).text.contains("\n20 of 20 done.\n"),
        "the end is told at once"
    );
    app.finish().await;
}

#[tokio::test]
async fn progress_during_post_is_not_lost() {
    let (app, repair) = TestApp::with_pictures(&["F1"]).await;
    app.queue(repair, &["F1"]).await;
    app.slack.fail_next(POST, Fault::Delay(Duration::from_secs(1)));
    let mark = app.slack.calls(POST).len();
    let working = async {
        let begun = |slack: &Sandbox| (slack.calls(POST).len() > mark).then_some(());
        app.slack.wait_for(DEADLINE, begun).await.expect("it is being posted");
        app.app.jobs.settle().await.unwrap();
    };
    tokio::join!(app.deliver(), working);
    app.settle().await;
    assert_eq!(app.job_message_text(), DONE);
    app.finish().await;
}

#[tokio::test]
async fn resumed_job_keeps_its_message() {
    let (app, repair) = TestApp::with_pictures(&["F1"]).await;
    let id = app.queue(repair, &["F1"]).await;
    let (db, now) = (app.app.ctx.store.write(), app.clock.now());
    let until = now + TimeDelta::seconds(45);
    assert!(store::jobs::lease(db, id, "a worker that is gone", now, until).await.unwrap().is_some());
    app.settle().await;
    let first = only(app.slack.direct_messages(ANA));
    assert!(first.text.contains("0 of 1 done. Now: Fetching F1.png"), "{}", first.text);
    app.after(TimeDelta::seconds(46)).await;
    let last = only(app.slack.direct_messages(ANA));
    assert_eq!((last.text.as_str(), &last.ts), (DONE, &first.ts));
    app.finish().await;
}

#[tokio::test]
async fn latest_job_message_is_edited_after_crash() {
    let (app, repair) = TestApp::with_pictures(&["F1", "F2"]).await;
    let id = app.queue(repair, &["F1"]).await;
    app.deliver().await;
    // Nothing has ever arrived at Ana, as far as is known: it cannot be looked for, and is told again.
    app.forget_message(id).await;
    app.clock.advance(TimeDelta::minutes(1));
    app.deliver().await;
    assert_eq!(app.to_ana().len(), 2);
    app.settle().await;
    let [first, latest] = &app.to_ana()[..] else { panic!("{:#?}", app.to_ana()) };
    assert!(!first.edited && latest.text == DONE, "{}", latest.text);
    app.slack.direct_messages(ANA);

    // Her channel is known now, and may be read: it is found, and made to show what is.
    app.slack.change_world(|world| world.scopes.push("im:history".into()));
    app.clock.advance(TimeDelta::minutes(1));
    let id = app.queue(repair, &["F2"]).await;
    app.deliver().await;
    app.forget_message(id).await;
    app.after(TimeDelta::minutes(1)).await;
    assert_eq!(app.to_ana().len(), 3);
    let told = only(app.slack.direct_messages(ANA));
    assert!(told.edited && told.text.contains("\n1 of 1 done.\nJob #2"), "{}", told.text);
    app.finish().await;
}
