//! Reading a machine on which more is open than is shown.

use crate::support::ops::{ana, open_repairs, with_saw};
use esb::domain::board::{BoardStatus, rank};
use esb::domain::ids::RepairId;
use esb::domain::repair::Severity;
use esb::ops::board::{board, equipment};
use esb::ops::me_too::me_too;
use sea_orm::ConnectionTrait;

#[tokio::test]
async fn the_worst_hundred_are_read_and_all_are_counted() {
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

    let machine = equipment(&ops, saw).await.unwrap();
    assert_eq!((machine.open_repairs.len(), machine.open_count), (100, 151));
    assert_eq!(machine.status, BoardStatus::Down);
    assert_eq!((machine.open_repairs[0].id, machine.open_repairs[0].me_too), (RepairId(151), 1));
    let order: Vec<_> = machine.open_repairs.iter().map(|r| (rank(r.severity), r.created_at, r.id)).collect();
    assert!(order.is_sorted(), "worst first, then oldest: {order:?}");
    assert_eq!(machine.open_repairs.iter().filter(|r| r.severity == Some(Severity::Degraded)).count(), 50);
    assert!(machine.open_repairs.iter().all(|r| r.severity.is_some()), "the least are left out");
    assert!(machine.safety_risk, "also where the dangerous one is left out");

    let board = board(&ops).await.unwrap();
    assert!(board.areas[0].machines[0].safety_risk, "the board warns as the machine does");
    let headline = board.areas[0].machines[0].headline.as_ref().unwrap();
    assert_eq!((headline.repair, headline.open_repairs), (RepairId(151), 151), "the board says the same");
}

#[tokio::test]
async fn few_are_all_shown() {
    let (ops, saw) = with_saw().await;
    let green = equipment(&ops, saw).await.unwrap();
    assert_eq!((green.status, green.open_count, green.safety_risk), (BoardStatus::Operational, 0, false));
    open_repairs(&ops, saw, [None, Some(Severity::NotSure)]).await;
    let machine = equipment(&ops, saw).await.unwrap();
    assert_eq!((machine.status, machine.open_count, machine.safety_risk), (BoardStatus::Degraded, 2, false));
    assert_eq!(machine.open_repairs.iter().map(|r| r.id.0).collect::<Vec<_>>(), [2, 1]);
}
