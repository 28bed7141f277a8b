//! Reading the board and its revision, also for equipment with more open repairs than are shown.

use crate::support::app::DEADLINE;
use crate::support::ops::{TestOps, ana, open_repairs, poll_revisions, report, with_saw};
use crate::support::wait::pause;
use esb::domain::board::{BoardStatus, rank};
use esb::domain::ids::RepairId;
use esb::domain::repair::Severity;
use esb::ops::board::{board, equipment, follow, revision};
use esb::ops::repairs::me_too::me_too;
use esb::ops::repairs::report_problem::report_problem;
use futures_util::FutureExt;
use sea_orm::ConnectionTrait;
use std::sync::Arc;
use tokio::task::JoinSet;
use tokio::time::timeout;

#[tokio::test]
async fn worst_hundred_are_loaded_and_all_counted() {
    let (ops, saw) = with_saw().await;
    let kinds = [None, Some(Severity::NotSure), Some(Severity::Degraded)];
    let mixed = kinds.into_iter().cycle().take(150);
    open_repairs(&ops, saw, mixed.chain([Some(Severity::Down)])).await;
    ops.store
        .write()
        .execute_unprepared("UPDATE repairs SET safety_risk = TRUE WHERE id = 148")
        .await
        .unwrap();
    me_too(&ops, &ana(), Some(saw), RepairId(151), "browser:1").await.unwrap();

    let equipment = equipment(&ops, saw).await.unwrap();
    assert_eq!((equipment.open_repairs.len(), equipment.open_count), (100, 151));
    assert_eq!(equipment.status, BoardStatus::Down);
    assert_eq!((equipment.open_repairs[0].id, equipment.open_repairs[0].me_too), (RepairId(151), 1));
    let order: Vec<_> =
        equipment.open_repairs.iter().map(|r| (rank(r.severity), r.created_at, r.id)).collect();
    assert!(order.is_sorted(), "worst first, then oldest: {order:?}");
    assert_eq!(equipment.open_repairs.iter().filter(|r| r.severity == Some(Severity::Degraded)).count(), 50);
    assert!(equipment.open_repairs.iter().all(|r| r.severity.is_some()), "the least are left out");
    assert!(equipment.safety_risk, "also where the dangerous one is left out");

    let board = board(&ops).await.unwrap();
    assert!(board.areas[0].equipment[0].safety_risk, "the board warns as the machine does");
    let headline = board.areas[0].equipment[0].headline.as_ref().unwrap();
    assert_eq!((headline.repair, headline.open_repairs), (RepairId(151), 151), "the board says the same");
}

#[tokio::test]
async fn few_are_all_shown() {
    let (ops, saw) = with_saw().await;
    let green = equipment(&ops, saw).await.unwrap();
    assert_eq!((green.status, green.open_count, green.safety_risk), (BoardStatus::Operational, 0, false));
    open_repairs(&ops, saw, [None, Some(Severity::NotSure)]).await;
    let equipment = equipment(&ops, saw).await.unwrap();
    assert_eq!(
        (equipment.status, equipment.open_count, equipment.safety_risk),
        (BoardStatus::Degraded, 2, false)
    );
    assert_eq!(equipment.open_repairs.iter().map(|r| r.id.0).collect::<Vec<_>>(), [2, 1]);
}

#[tokio::test]
async fn reader_sees_own_commits_at_once() {
    let (ops, saw) = with_saw().await;
    let _polling = poll_revisions(&ops).await;
    let start = revision(&ops).await.unwrap();
    for n in 1..20 {
        report_problem(&ops, &ana(), report(saw, n)).await.unwrap();
        let board = board(&ops).await.unwrap();
        assert_eq!(board.revision, start + i64::from(n));
        assert_eq!(board.areas[0].equipment[0].headline.as_ref().unwrap().open_repairs, usize::from(n));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn new_revision_is_read_once() {
    let (ops, saw) = with_saw().await;
    let _polling = poll_revisions(&ops).await;
    for n in 1..5 {
        report_problem(&ops, &ana(), report(saw, n)).await.unwrap();
        let readers: JoinSet<_> = (0..50)
            .map(|_| {
                let ctx = ops.ctx.clone();
                async move { board(&ctx).await.unwrap() }
            })
            .collect();
        let boards = readers.join_all().await;
        assert!(boards.iter().all(|board| Arc::ptr_eq(board, &boards[0])));
    }
}

#[tokio::test]
async fn slow_listener_gets_only_latest_revision() {
    let (ops, saw) = with_saw().await;
    let start = revision(&ops).await.unwrap();
    let mut revisions = follow(&ops).await.unwrap();
    assert_eq!(revisions.next().now_or_never(), Some(Some(start)));
    assert_eq!(revisions.next().now_or_never(), None, "nothing new");
    for n in 1..4 {
        report_problem(&ops, &ana(), report(saw, n)).await.unwrap();
        revision(&ops).await.unwrap();
    }
    assert_eq!(revisions.next().now_or_never(), Some(Some(start + 3)));
    assert_eq!(revisions.next().now_or_never(), None);
}

/// Renames a table, such as the one that the revision poller queries.
async fn rename(ops: &TestOps, from: &str, to: &str) {
    let statement = format!("ALTER TABLE {from} RENAME TO {to}");
    ops.store.write().execute_unprepared(&statement).await.unwrap();
}

#[tokio::test]
async fn revision_poller_survives_database_outage() {
    let (ops, saw) = with_saw().await;
    let _polling = poll_revisions(&ops).await;
    let mut revisions = follow(&ops).await.unwrap();
    let start = revisions.next().await.unwrap();
    rename(&ops, "board", "away").await;
    assert_eq!(revision(&ops).await.unwrap(), start, "no reader asks the database");
    let doubted = async {
        while revision(&ops).await.is_ok() {
            pause().await;
        }
    };
    timeout(DEADLINE, doubted).await.expect("what nobody confirms is not believed for long");
    rename(&ops, "away", "board").await;
    report_problem(&ops, &ana(), report(saw, 1)).await.unwrap();
    assert_eq!(timeout(DEADLINE, revisions.next()).await, Ok(Some(start + 1)));
    assert_eq!(revision(&ops).await.unwrap(), start + 1);
}

#[tokio::test]
async fn restored_older_database_is_followed() {
    let (ops, saw) = with_saw().await;
    let _polling = poll_revisions(&ops).await;
    report_problem(&ops, &ana(), report(saw, 1)).await.unwrap();
    let mut revisions = follow(&ops).await.unwrap();
    let newer = revisions.next().await.unwrap();
    assert_eq!(board(&ops).await.unwrap().revision, newer);
    for statement in ["UPDATE repairs SET open = FALSE", "UPDATE board SET revision = 0"] {
        ops.store.write().execute_unprepared(statement).await.unwrap();
    }
    assert_eq!(timeout(DEADLINE, revisions.next()).await, Ok(Some(0)));
    let older = board(&ops).await.unwrap();
    assert_eq!((older.revision, older.areas[0].equipment[0].status), (0, BoardStatus::Operational));
    assert!(Arc::ptr_eq(&older, &board(&ops).await.unwrap()), "kept like any other");
}
