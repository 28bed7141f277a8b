//! The job engine: leases, one job per kind at a time, checkpoints, retries, cancel and resume.

use crate::support::app::TestApp;
use crate::support::jobs::{FILE, member, queue, staff};
use crate::support::ops::{user, with_saw};
use chrono::TimeDelta;
use esb::clock::Clock;
use esb::domain::actor::{Account, Actor, Edge, Role};
use esb::domain::ids::JobId;
use esb::domain::job::JobState;
use esb::domain::text::RequestId;
use esb::ops::OpError;
use esb::ops::jobs;
use esb::store;
use esb::store::entities::{audit, job};
use esb::store::jobs::Job;
use esb_sandbox::{Fault, Options, Sandbox, World};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, IntoActiveModel, PaginatorTrait, QueryFilter, Set,
};
use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

fn standing(job: &Job) -> (JobState, i64, i64) {
    (job.state, job.step, job.steps)
}

impl TestApp {
    async fn stu(&self) -> Actor {
        staff(user(&self.app.ctx, "stu", Role::Staff).await)
    }

    async fn lease(&self, id: JobId, lease: &str) -> Option<Job> {
        let now = self.clock.now();
        let until = now + TimeDelta::seconds(45);
        store::jobs::lease(self.app.ctx.store.write(), id, lease, now, until).await.unwrap()
    }
}

#[tokio::test]
async fn each_step_is_recorded_and_job_audited() {
    let (app, repair) = TestApp::with_pictures(&["F1", "F2"]).await;
    let id = app.queue(repair, &["F1", "F2"]).await;
    let job = app.job(id).await;
    assert_eq!((standing(&job), job.due_at), ((JobState::Queued, 0, 2), store::AT_ONCE));
    app.settle().await;
    app.settle().await;
    let job = app.job(id).await;
    assert_eq!((standing(&job), job.finished_at), ((JobState::Succeeded, 2, 2), Some(app.clock.now())));
    assert_eq!((job.lease, job.running_kind, job.failure, job.activity), (None, None, None, String::new()));
    assert_eq!(app.lines(id).await, ["F1.png is on repair #1 now.", "F2.png is on repair #1 now."]);
    assert_eq!(app.asked_for(), ["F1", "F2"]);
    let queued = audit::Entity::find().filter(audit::Column::Action.eq("job.queued"));
    let queued = queued.one(app.app.ctx.store.read()).await.unwrap().unwrap();
    assert_eq!((queued.noun_id, queued.actor_name.as_str()), (id.0, "Ana Lee"));
    assert_eq!(app.job_message_text(), ":white_check_mark: *Photos for repair #1*\n2 of 2 done.\nJob #1");
    app.finish().await;
}

#[tokio::test]
async fn same_work_is_queued_once() {
    let (app, repair) = TestApp::with_pictures(&["F1"]).await;
    let (ctx, key) = (&app.app.ctx, RequestId::from_random([7; 16]));
    let first = queue(ctx, &app.slack, repair, &["F1"], Some(&key)).await;
    assert_eq!(queue(ctx, &app.slack, repair, &["F1"], Some(&key)).await, first);
    app.settle().await;
    assert_eq!(queue(ctx, &app.slack, repair, &["F1"], Some(&key)).await, first, "also when it is done");
    let tx = ctx.store.begin().await.unwrap();
    let source = esb::domain::job::PhotoSource::new("F9", "https://x.slack.com/", "x").unwrap();
    let work = esb::domain::job::FetchPhotos::new(repair, vec![source]).unwrap();
    drop(jobs::fetch_photos(ctx, &tx, &member(), work, None).await.unwrap());
    tx.rollback().await.unwrap();
    assert_eq!(job::Entity::find().count(ctx.store.read()).await.unwrap(), 1);
    let audited = audit::Entity::find().filter(audit::Column::Action.eq("job.queued"));
    assert_eq!(audited.count(ctx.store.read()).await.unwrap(), 1);
    assert!(app.job_message_text().ends_with("Job #1"), "told once");
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_one_job_per_kind_runs_concurrently() {
    let (ops, saw) = with_saw().await;
    let report = crate::support::ops::report(saw, 1);
    let repair =
        esb::ops::repairs::report_problem::report_problem(&ops, &member(), report).await.unwrap().repair;
    let slack = Sandbox::start(World::new(), Options::default()).unwrap();
    let mut left = Vec::new();
    for n in 0..12 {
        left.push(queue(&ops, &slack, repair, &[&format!("F{n}")], None).await);
    }
    let now = ops.clock.now();
    while !left.is_empty() {
        let mut race = JoinSet::new();
        for id in left.clone() {
            let store = ops.store.clone();
            race.spawn(async move {
                let (db, name, until) = (store.write(), format!("of {id}"), now + TimeDelta::seconds(45));
                let lease = || store::jobs::lease(db, id, &name, now, until);
                store::db_error::retry_on_deadlock(store::db_error::is_deadlock, lease).await.unwrap()
            });
        }
        let mut won: Vec<Job> = race.join_all().await.into_iter().flatten().collect();
        assert_eq!(won.len(), 1, "one of {} runs", left.len());
        let mut job = won.remove(0);
        assert_eq!(
            store::jobs::due_now(ops.store.read(), now, true, &[]).await.unwrap(),
            [],
            "the others wait"
        );
        left.retain(|id| *id != job.id);
        job.state = JobState::Succeeded;
        store::jobs::record(ops.store.write(), &job, "Done.", now).await.unwrap();
    }
}

#[tokio::test]
async fn two_workers_take_each_step_once() {
    let files: Vec<String> = (0..10).map(|n| format!("F{n}")).collect();
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    let (app, repair) = TestApp::with_pictures(&files).await;
    let other = app.another_app(app.clock.clone()).await.jobs;
    let mut queued = Vec::new();
    for pair in files.chunks(2) {
        queued.push(app.queue(repair, pair).await);
    }
    loop {
        let (mine, theirs) = tokio::join!(app.app.jobs.settle(), other.settle());
        mine.unwrap();
        theirs.unwrap();
        // One may have looked last while the other's job was running.
        if store::jobs::due_now(app.app.ctx.store.read(), app.clock.now(), true, &[])
            .await
            .unwrap()
            .is_empty()
        {
            break;
        }
    }
    let mut asked = app.asked_for();
    asked.sort();
    assert_eq!(asked, files);
    let jobs = queued.len();
    for id in queued {
        assert_eq!(standing(&app.job(id).await), (JobState::Succeeded, 2, 2));
    }
    app.job_messages(jobs).await;
    app.finish().await;
}

#[tokio::test]
async fn lost_workers_job_resumes_within_a_minute() {
    let (app, repair) = TestApp::with_pictures(&["F1", "F2", "F3"]).await;
    let (lost, next) = (app.queue(repair, &["F1", "F2"]).await, app.queue(repair, &["F3"]).await);
    app.slack.fail_next(FILE, Fault::Delay(Duration::from_millis(50)));
    let taken = app.lease(lost, "a worker that is gone").await.unwrap();
    assert!(app.lease(lost, "too late").await.is_none());
    assert!(app.lease(next, "of its kind").await.is_none());
    app.after(TimeDelta::seconds(44)).await;
    assert_eq!(app.asked_for(), Vec::<String>::new());
    app.after(TimeDelta::seconds(2)).await;
    assert_eq!(app.asked_for(), ["F1", "F2", "F3"]);
    for id in [lost, next] {
        assert_eq!(app.job(id).await.state, JobState::Succeeded);
    }
    let db = app.app.ctx.store.write();
    let held = store::jobs::hold(db, taken.id, "a worker that is gone", app.clock.now()).await.unwrap();
    assert!(!held, "whoever comes back finds the lease gone");
    app.job_messages(2).await;
    app.finish().await;
}

#[tokio::test]
async fn job_that_kills_its_workers_fails() {
    let (app, repair) = TestApp::with_pictures(&["F1"]).await;
    let id = app.queue(repair, &["F1"]).await;
    for worker in 0..6 {
        let taken = app.lease(id, &format!("worker {worker}")).await.unwrap();
        assert_eq!(taken.losses, worker);
        app.clock.advance(TimeDelta::seconds(46));
    }
    app.settle().await;
    let job = app.job(id).await;
    assert_eq!((job.state, app.asked_for().len()), (JobState::Failed, 0));
    assert!(job.failure.unwrap().contains("ended 5 times during this step"));
    jobs::resume(&app.app.ctx, &app.stu().await, id).await.unwrap();
    app.settle().await;
    assert_eq!(app.job(id).await.state, JobState::Succeeded);
    assert!(app.job_message_text().contains(" done."));
    app.finish().await;
}

#[tokio::test]
async fn wrong_clock_steals_no_lease() {
    let (app, repair) = TestApp::with_pictures(&["F1"]).await;
    let (id, ctx) = (app.queue(repair, &["F1"]).await, &app.app.ctx);
    // Times as they are, since the database's count here.
    let now = ctx.store.time().await.unwrap();
    let until = now + TimeDelta::seconds(45);
    assert!(store::jobs::lease(ctx.store.write(), id, "another", now, until).await.unwrap().is_some());
    let ahead = app.another_app(Clock::off_by(TimeDelta::minutes(10))).await;
    ahead.jobs.settle().await.unwrap();
    assert_eq!(app.job(id).await.lease.as_deref(), Some("another"));
    let mut left = app.job(id).await.into_active_model();
    left.leased_until = Set(Some(now - TimeDelta::seconds(1)));
    left.update(ctx.store.write()).await.unwrap();
    let behind = app.another_app(Clock::off_by(-TimeDelta::minutes(10))).await;
    behind.jobs.settle().await.unwrap();
    assert_eq!(app.job(id).await.state, JobState::Succeeded);
    app.settle().await;
    assert!(app.job_message_text().contains("1 of 1 done."));
    app.finish().await;
}

#[tokio::test]
async fn transient_failure_is_retried_for_a_day() {
    let (app, repair) = TestApp::with_pictures(&["F1", "F2"]).await;
    let id = app.queue(repair, &["F1", "F2"]).await;
    for (fault, wait) in [
        (Fault::Http(503), 30),
        (Fault::CutAfterAccept, 60),
        (Fault::RateLimited(7), 7),
        (Fault::Http(500), 120),
    ] {
        app.slack.fail_next(FILE, fault);
        app.settle().await;
        let job = app.job(id).await;
        assert_eq!(standing(&job), (JobState::Queued, 0, 2), "{fault:?}");
        assert_eq!(job.due_at, app.clock.now() + TimeDelta::seconds(wait), "{fault:?}");
        let asked = app.asked_for().len();
        app.after(TimeDelta::seconds(wait - 1)).await;
        assert_eq!(app.asked_for().len(), asked, "{fault:?}: not before its time");
        app.clock.advance(TimeDelta::seconds(1));
    }
    app.settle().await;
    assert_eq!(standing(&app.job(id).await), (JobState::Succeeded, 2, 2));
    let lines = app.lines(id).await;
    assert!(lines[0].starts_with("F1.png did not come: Slack is unavailable: HTTP status 503."), "{lines:?}");
    assert!(lines[0].ends_with(" The next try is in 30 s."), "{lines:?}");
    assert_eq!(lines[2], "F1.png did not come: Slack asks to wait. The next try is in 7 s.");

    app.slack.fail_always(FILE, Fault::Http(502));
    let hopeless = app.queue(repair, &["F2"]).await;
    app.settle().await;
    for _ in 0..25 {
        app.after(TimeDelta::hours(1)).await;
    }
    let job = app.job(hopeless).await;
    assert_eq!(job.state, JobState::Failed);
    assert!(job.failure.unwrap().ends_with("HTTP status 502. It was tried for a day."));
    app.slack.clear_faults();
    jobs::resume(&app.app.ctx, &app.stu().await, hopeless).await.unwrap();
    app.settle().await;
    assert_eq!(app.lines(hopeless).await.last().unwrap(), "F2.png was there already.");
    app.job_messages(2).await;
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cancel_stops_between_steps_resume_continues() {
    let (app, repair) = TestApp::with_pictures(&["F1", "F2", "F3"]).await;
    let (ctx, stu) = (&app.app.ctx, app.stu().await);
    let id = app.queue(repair, &["F1", "F2", "F3"]).await;
    app.slack.fail_always(FILE, Fault::Delay(Duration::from_secs(1)));
    app.while_fetching(2, async || {
        jobs::cancel(ctx, &stu, id).await.unwrap();
        assert!(jobs::job(ctx, &stu, id, 0).await.unwrap().job.is_ending);
        let refused = jobs::resume(ctx, &stu, id).await;
        assert!(matches!(refused, Err(OpError::Refused(_))), "{refused:?}");
    })
    .await;
    let job = app.job(id).await;
    assert_eq!((standing(&job), job.cancel_requested), ((JobState::Cancelled, 2, 3), false));
    assert_eq!(app.asked_for(), ["F1", "F2"]);
    app.slack.clear_faults();
    app.after(TimeDelta::hours(1)).await;
    assert_eq!(app.asked_for().len(), 2, "a cancelled job rests");
    jobs::resume(ctx, &stu, id).await.unwrap();
    app.settle().await;
    assert_eq!(standing(&app.job(id).await), (JobState::Succeeded, 3, 3));
    assert_eq!(app.asked_for(), ["F1", "F2", "F3"]);
    for over in [jobs::cancel(ctx, &stu, id).await, jobs::resume(ctx, &stu, id).await] {
        assert!(matches!(over, Err(OpError::Refused(_))), "{over:?}");
    }
    let lines = app.lines(id).await;
    assert_eq!(lines[1], "stu asked to cancel: it ends after this step.");
    assert_eq!(lines[3], "Resumed by stu.");
    let actions = audit::Entity::find().filter(audit::Column::ActorName.eq("stu"));
    let actions: Vec<String> =
        actions.all(ctx.store.read()).await.unwrap().into_iter().map(|entry| entry.action).collect();
    assert_eq!(actions, ["job.cancelled", "job.resumed"]);
    assert!(app.job_message_text().contains(" done."));
    app.finish().await;
}

#[tokio::test]
async fn cancel_cuts_a_long_wait() {
    let (app, repair) = TestApp::with_pictures(&["F1"]).await;
    let id = app.queue(repair, &["F1"]).await;
    app.slack.fail_next(FILE, Fault::RateLimited(3600));
    app.settle().await;
    assert_eq!(app.job(id).await.due_at, app.clock.now() + TimeDelta::hours(1));
    jobs::cancel(&app.app.ctx, &app.stu().await, id).await.unwrap();
    assert_eq!(app.job(id).await.state, JobState::Cancelled);
    app.after(TimeDelta::hours(2)).await;
    assert_eq!(app.asked_for().len(), 1);
    jobs::resume(&app.app.ctx, &app.stu().await, id).await.unwrap();
    app.settle().await;
    assert_eq!(app.job(id).await.state, JobState::Succeeded, "and at once, not in an hour");
    assert!(app.job_message_text().contains(" done."));
    app.finish().await;
}

#[tokio::test]
async fn unknown_job_kind_fails_with_reason() {
    let (app, repair) = TestApp::with_pictures(&["F1"]).await;
    let id = app.queue(repair, &["F1"]).await;
    app.sql("UPDATE jobs SET kind = 'bake_bread'").await;
    app.settle().await;
    let job = app.job(id).await;
    assert_eq!(job.state, JobState::Failed);
    assert!(
        job.failure.unwrap().starts_with("This version of ESB does not know jobs of the kind “bake_bread”.")
    );
    app.sql("UPDATE jobs SET kind = 'fetch_photos', input = '[]', state = 'queued'").await;
    app.settle().await;
    assert!(app.job(id).await.failure.unwrap().contains("cannot read the job"));
    let told = app.job_message_text();
    assert!(told.starts_with(":x: *Photos from Slack*") && told.contains("cannot read the job"), "{told}");
    app.finish().await;
}

#[tokio::test]
async fn only_staff_look_at_jobs_and_change_them() {
    let (app, repair) = TestApp::with_pictures(&["F1"]).await;
    let (ctx, id) = (&app.app.ctx, app.queue(repair, &["F1"]).await);
    let tess = user(ctx, "tess", Role::Technician).await;
    let tess = Actor::of_account(Edge::Web, "tess", Account { id: tess, role: Role::Staff });
    for actor in [member(), tess] {
        assert!(matches!(jobs::jobs(ctx, &actor, None, None, None).await, Err(OpError::Forbidden)));
        assert!(matches!(jobs::job(ctx, &actor, id, 5).await, Err(OpError::Forbidden)));
        assert!(matches!(jobs::cancel(ctx, &actor, id).await, Err(OpError::Forbidden)));
        assert!(matches!(jobs::resume(ctx, &actor, id).await, Err(OpError::Forbidden)));
    }
    let stu = app.stu().await;
    for gone in [jobs::cancel(ctx, &stu, JobId(99)).await, jobs::resume(ctx, &stu, JobId(99)).await] {
        assert!(matches!(gone, Err(OpError::NotFound)));
    }
    assert_eq!(app.job(id).await.state, JobState::Queued, "nobody changed it");
    app.settle().await;
    assert!(app.job_message_text().contains(" done."));
    app.finish().await;
}

#[tokio::test]
async fn job_updates_are_limited_in_number_and_length() {
    let (app, repair) = TestApp::with_pictures(&["F1"]).await;
    let id = app.queue(repair, &["F1"]).await;
    app.sql("UPDATE jobs SET updates = 498").await;
    let (db, now) = (app.app.ctx.store.write(), app.clock.now());
    for n in 0..4 {
        let job = app.job(id).await;
        store::jobs::write_update(db, &job, &format!("{n}{}", "x".repeat(600)), now).await.unwrap();
    }
    let lines = app.lines(id).await;
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert_eq!(lines[0].chars().count(), 500);
    assert_eq!(lines[1], "This job has written many lines. What follows is not written down.");
    app.settle().await;
    assert_eq!((app.job(id).await.state, app.lines(id).await.len()), (JobState::Succeeded, 2));
    assert!(app.job_message_text().contains(" done."));
    app.finish().await;
}

/// Polls a future that often, then drops it; true when it had ended.
async fn polled<F: Future>(times: usize, future: F) -> bool {
    let mut future = Box::pin(future);
    let mut left = times;
    poll_fn(move |context| {
        if left == 0 {
            return Poll::Ready(false);
        }
        left -= 1;
        future.as_mut().poll(context).map(|_| true)
    })
    .await
}

#[tokio::test]
async fn canceled_poll_loses_no_lease() {
    let (app, repair) = TestApp::with_pictures(&["F1"]).await;
    let mut times = 0;
    loop {
        let id = app.queue(repair, &["F1"]).await;
        let (mut running, stop) = (JoinSet::new(), CancellationToken::new());
        let ended = polled(times, app.app.jobs.poll(&mut running, &stop)).await;
        while running.join_next().await.is_some() {}
        // At the same time: nobody waits until a lease is void.
        app.app.jobs.settle().await.unwrap();
        let job = app.job(id).await;
        assert_eq!((job.state, job.losses), (JobState::Succeeded, 0), "dropped after {times} polls");
        if ended {
            break;
        }
        times += 1;
    }
    assert!(times > 1, "it was dropped in between");
    app.job_messages(times + 1).await;
    app.finish().await;
}
