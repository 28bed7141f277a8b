//! Expired rows are pruned once a day in batches, and the history of repairs stays.

use crate::support::jobs::{job as support_job, queue, staff};
use crate::support::ops::{ana, open_repairs, report, user, with_saw};
use chrono::{DateTime, TimeDelta, Utc};
use esb::domain::actor::Role;
use esb::domain::delivery::DeliveryState;
use esb::ops::Ctx;
use esb::ops::jobs::cancel;
use esb::ops::prune::{Pruned, prune_daily};
use esb::ops::repairs::photo_source::PhotosToAttach;
use esb::ops::repairs::report_problem::{report_key, report_problem, reported};
use esb::store::deliveries::{self, Attempt};
use esb::store::entities::{audit, delivery, delivery_attempt, job, job_line, timeline};
use esb::store::sessions::{self, NewSession};
use esb_sandbox::{Options, Sandbox, World};
use sea_orm::{ActiveModelTrait, ConnectionTrait, EntityTrait, IntoActiveModel, PaginatorTrait, Set};

/// Ends all deliveries that are pending, with an attempt each.
async fn end(ops: &Ctx, state: DeliveryState, at: DateTime<Utc>) {
    let db = ops.store.write();
    let pending = delivery::Entity::find().all(db).await.unwrap();
    for row in pending.into_iter().filter(|row| row.state == DeliveryState::Pending) {
        let attempt = Attempt { outcome: "delivered".into(), took: TimeDelta::zero(), at };
        deliveries::record_attempt(db, row.id, &attempt).await.unwrap();
        let mut row = row.into_active_model();
        row.state = Set(state);
        row.finished_at = Set(Some(at));
        row.update(db).await.unwrap();
    }
}

async fn count<E: EntityTrait>(ops: &Ctx, _: E) -> u64
where
    E::Model: Send + Sync,
{
    E::find().count(ops.store.read()).await.unwrap()
}

#[tokio::test]
async fn each_kind_is_pruned_after_its_time() {
    let (ops, saw) = with_saw().await;
    report_problem(&ops, &ana(), report(saw, 1)).await.unwrap();
    end(&ops, DeliveryState::Delivered, ops.clock.now()).await;
    report_problem(&ops, &ana(), report(saw, 2)).await.unwrap();
    end(&ops, DeliveryState::Dead, ops.clock.now()).await;
    report_problem(&ops, &ana(), report(saw, 3)).await.unwrap();
    let stu = user(&ops, "stu", Role::Staff).await;
    let session = |token_hash: &str, hours| NewSession {
        token_hash: token_hash.into(),
        user: stu,
        expires_at: ops.clock.now() + TimeDelta::hours(hours),
    };
    for session in [session("short", 12), session("long", 24 * 9)] {
        sessions::add(ops.store.write(), session, ops.clock.now()).await.unwrap();
    }

    assert_eq!(prune_daily(&ops).await.unwrap(), Some(Pruned::default()));
    assert_eq!(prune_daily(&ops).await.unwrap(), None, "once a day");
    ops.clock.advance(TimeDelta::days(8));
    assert_eq!(
        prune_daily(&ops).await.unwrap(),
        Some(Pruned { requests: 3, sessions: 1, ..Pruned::default() })
    );
    assert!(
        reported(&ops, &report_key(&ana(), &report(saw, 1), PhotosToAttach::NOTHING).unwrap()).await.is_err()
    );
    ops.clock.advance(TimeDelta::days(83));
    assert_eq!(prune_daily(&ops).await.unwrap().unwrap().deliveries, 2, "delivered ones");
    assert_eq!((count(&ops, delivery::Entity).await, count(&ops, delivery_attempt::Entity).await), (4, 2));
    ops.clock.advance(TimeDelta::days(300));
    assert_eq!(prune_daily(&ops).await.unwrap().unwrap().deliveries, 2, "dead ones");
    assert_eq!(count(&ops, delivery::Entity).await, 2, "what is owed stays, however old");
    assert_eq!((count(&ops, timeline::Entity).await, count(&ops, audit::Entity).await), (3, 3));
}

#[tokio::test]
async fn more_than_a_batch_goes_at_once() {
    let (ops, saw) = with_saw().await;
    open_repairs(&ops, saw, [None]).await;
    let now = ops.clock.now();
    let row = |n: i32| delivery::ActiveModel {
        target: Set("#oops".into()),
        dedupe_key: Set(format!("k{n}")),
        lane: Set("l".into()),
        event: Set("{}".into()),
        state: Set(DeliveryState::Delivered),
        failures: Set(0),
        rejections: Set(0),
        due_at: Set(now),
        created_at: Set(now),
        finished_at: Set(Some(now)),
        ..Default::default()
    };
    for part in [0..700, 700..1_400] {
        let rows = delivery::Entity::insert_many(part.map(row));
        rows.exec_without_returning(ops.store.write()).await.unwrap();
    }
    ops.clock.advance(TimeDelta::days(91));
    assert_eq!(prune_daily(&ops).await.unwrap().unwrap().deliveries, 1_400);
}

#[tokio::test]
async fn jobs_are_pruned_after_30_days() {
    let (ops, saw) = with_saw().await;
    let repair = report_problem(&ops, &ana(), report(saw, 1)).await.unwrap().repair;
    let slack = Sandbox::start(World::new(), Options::default()).unwrap();
    let [ended, waiting] =
        [queue(&ops, &slack, repair, &["F1"], None).await, queue(&ops, &slack, repair, &["F2"], None).await];
    let stu = staff(user(&ops, "stu", Role::Staff).await);
    cancel(&ops, &stu, ended).await.unwrap();
    ops.clock.advance(TimeDelta::days(30));
    assert_eq!(prune_daily(&ops).await.unwrap().unwrap().jobs, 0);
    ops.clock.advance(TimeDelta::days(1));
    assert_eq!(prune_daily(&ops).await.unwrap().unwrap().jobs, 1);
    assert_eq!((count(&ops, job::Entity).await, count(&ops, job_line::Entity).await), (1, 0));
    assert_eq!(support_job(&ops, waiting).await.id, waiting, "what waits stays, however old");
}

#[tokio::test]
async fn pruning_resumes_after_an_outage() {
    let (ops, saw) = with_saw().await;
    report_problem(&ops, &ana(), report(saw, 1)).await.unwrap();
    let stu = user(&ops, "stu", Role::Staff).await;
    let session = NewSession { token_hash: "short".into(), user: stu, expires_at: ops.clock.now() };
    sessions::add(ops.store.write(), session, ops.clock.now()).await.unwrap();
    ops.clock.advance(TimeDelta::days(8));
    let sql = async |statement: &str| {
        ops.store.write().execute_unprepared(statement).await.unwrap();
    };
    sql("ALTER TABLE sessions RENAME TO elsewhere").await;
    assert!(prune_daily(&ops).await.is_err());
    sql("ALTER TABLE elsewhere RENAME TO sessions").await;
    assert_eq!(prune_daily(&ops).await.unwrap(), Some(Pruned { sessions: 1, ..Pruned::default() }));
    assert_eq!(prune_daily(&ops).await.unwrap(), None);
}
