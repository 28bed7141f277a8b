//! A report commits in one transaction, can be repeated safely, and is refused for unavailable equipment.

use crate::support::ops::{add_equipment, ana, report, with_saw};
use esb::domain::board::BoardStatus;
use esb::domain::channel::ChannelRef;
use esb::domain::ids::{EquipmentId, RepairId};
use esb::domain::setting::NotificationSettings;
use esb::ops::board::{self, board, revision};
use esb::ops::repairs::me_too::me_too;
use esb::ops::repairs::photo_source::PhotosToAttach;
use esb::ops::repairs::report_problem::{report_key, report_problem, reported};
use esb::ops::search::{exact_equipment, search_equipment};
use esb::ops::{Announce, Ctx, OpError};
use esb::store;
use esb::store::entities::{area, audit, delivery, equipment as equipment_table, repair, request, timeline};
use sea_orm::{
    ActiveModelTrait, ConnectionTrait, EntityTrait, IntoActiveModel, NotSet, PaginatorTrait, Set, SqlErr,
};

/// Rows that a report writes: repairs, timeline, audit, deliveries, requests.
async fn rows(ops: &Ctx) -> [u64; 5] {
    let db = ops.store.read();
    [
        repair::Entity::find().count(db).await.unwrap(),
        timeline::Entity::find().count(db).await.unwrap(),
        audit::Entity::find().count(db).await.unwrap(),
        delivery::Entity::find().count(db).await.unwrap(),
        request::Entity::find().count(db).await.unwrap(),
    ]
}

#[track_caller]
fn refused_on(result: Result<impl std::fmt::Debug, OpError>, field: &str) -> String {
    match result {
        Err(OpError::Refused(refusal)) => {
            assert_eq!(refusal.field, Some(field));
            refusal.message
        }
        other => panic!("not refused: {other:?}"),
    }
}

#[tokio::test]
async fn report_commits_everything_together() {
    let (ops, saw) = with_saw().await;
    assert_eq!(board(&ops).await.unwrap().areas[0].equipment[0].status, BoardStatus::Operational);
    let before = revision(&ops).await.unwrap();

    let answer = report_problem(&ops, &ana(), report(saw, 1)).await.unwrap();

    assert_eq!(
        (answer.equipment_name.as_str(), answer.channels.iter().map(ChannelRef::as_str).collect::<Vec<_>>()),
        ("Table saw", vec!["#woodshop", "#oops"])
    );
    assert_eq!(rows(&ops).await, [1, 1, 1, 2, 1]);
    assert_eq!(revision(&ops).await.unwrap(), before + 1);
    let equipment = board(&ops).await.unwrap().areas[0].equipment[0].clone();
    assert_eq!(equipment.status, BoardStatus::Down);
    let headline = equipment.headline.unwrap();
    assert_eq!((headline.repair, headline.issue.as_str()), (answer.repair, "Blade wobbles"));
    let page = board::equipment(&ops, saw).await.unwrap();
    assert_eq!(page.open_repairs.len(), 1);
    assert_eq!(page.open_repairs[0].created_at, ops.clock.now());
}

#[tokio::test]
async fn repeated_report_gets_first_answer() {
    let (ops, saw) = with_saw().await;
    let first = report_problem(&ops, &ana(), report(saw, 1)).await.unwrap();
    let revision_before = revision(&ops).await.unwrap();
    let second = report_problem(&ops, &ana(), report(saw, 1)).await.unwrap();
    assert_eq!(first, second);
    assert_eq!(rows(&ops).await, [1, 1, 1, 2, 1]);
    assert_eq!(revision(&ops).await.unwrap(), revision_before);
    let key = |request| report_key(&ana(), &report(saw, request), PhotosToAttach::NOTHING).unwrap();
    assert_eq!(reported(&ops, &key(1)).await.unwrap(), first);
    assert!(matches!(reported(&ops, &key(2)).await, Err(OpError::NotFound)));
}

#[tokio::test]
async fn concurrent_identical_reports_are_one() {
    let (ops, saw) = with_saw().await;
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let ctx = ops.ctx.clone();
        tasks.spawn(async move { report_problem(&ctx, &ana(), report(saw, 1)).await.unwrap().repair });
    }
    let answers = tasks.join_all().await;
    assert!(answers.iter().all(|repair| *repair == answers[0]));
    assert_eq!(rows(&ops).await, [1, 1, 1, 2, 1]);
}

#[tokio::test]
async fn report_on_unknown_or_archived_equipment_is_refused() {
    let (ops, saw) = with_saw().await;
    let unknown = report_problem(&ops, &ana(), report(EquipmentId(999), 1)).await;
    assert!(refused_on(unknown, "equipment").contains("not known"));

    let row = equipment_table::Entity::find_by_id(saw).one(ops.store.read()).await.unwrap().unwrap();
    let mut row = row.into_active_model();
    row.archived = Set(true);
    row.update(ops.store.write()).await.unwrap();
    let archived = report_problem(&ops, &ana(), report(saw, 2)).await;
    assert!(refused_on(archived, "equipment").contains("Table saw is archived"));
    assert_eq!(rows(&ops).await, [0; 5]);
    assert!(board::equipment(&ops, saw).await.unwrap().archived);
}

#[tokio::test]
async fn equipment_of_archived_area_is_hidden() {
    let (ops, saw) = with_saw().await;
    let row = area::Entity::find().one(ops.store.read()).await.unwrap().unwrap();
    let mut row = row.into_active_model();
    row.archived = Set(true);
    row.live_key = Set(None);
    let tx = ops.store.begin().await.unwrap();
    row.update(&tx).await.unwrap();
    ops.commit_visible(tx).await.unwrap();
    assert!(board(&ops).await.unwrap().areas.is_empty());
    assert!(search_equipment(&ops, "saw").await.unwrap().is_empty());
    refused_on(report_problem(&ops, &ana(), report(saw, 1)).await, "equipment");
}

#[tokio::test]
async fn no_delivery_without_channel_or_token() {
    let (mut ops, saw) = with_saw().await;
    ops.ctx.announce = Announce::Nowhere;
    report_problem(&ops, &ana(), report(saw, 1)).await.unwrap();
    assert_eq!(rows(&ops).await[3], 0);

    ops.ctx.announce = Announce::Slack { oops: None };
    report_problem(&ops, &ana(), report(saw, 2)).await.unwrap();
    assert_eq!(rows(&ops).await[3], 1);

    store::settings::set(ops.store.write(), NotificationSettings::NEW_REPORT, "false", ops.clock.now())
        .await
        .unwrap();
    let answer = report_problem(&ops, &ana(), report(saw, 3)).await.unwrap();
    assert_eq!((rows(&ops).await[3], answer.channels), (1, Vec::new()));
}

#[tokio::test]
async fn me_too_counts_once_a_person() {
    let (ops, saw) = with_saw().await;
    let repair = report_problem(&ops, &ana(), report(saw, 1)).await.unwrap().repair;
    assert_eq!(me_too(&ops, &ana(), None, repair, "slack:U1").await.unwrap().people, 1);
    let before = revision(&ops).await.unwrap();
    let again = me_too(&ops, &ana(), None, repair, "slack:U1").await.unwrap();
    assert_eq!((again.people, again.counted, revision(&ops).await.unwrap()), (1, false, before));
    assert_eq!(me_too(&ops, &ana(), None, repair, "slack:U2").await.unwrap().people, 2);
    assert_eq!(board::equipment(&ops, saw).await.unwrap().open_repairs[0].me_too, 2);
    assert!(matches!(me_too(&ops, &ana(), None, RepairId(99), "x").await, Err(OpError::NotFound)));
}

#[tokio::test]
async fn me_too_on_another_machines_repair_counts_nobody() {
    let (ops, saw) = with_saw().await;
    let forge = add_equipment(&ops, "Metal", "", "Forge").await;
    let repair = report_problem(&ops, &ana(), report(saw, 1)).await.unwrap().repair;
    let before = revision(&ops).await.unwrap();
    let elsewhere = me_too(&ops, &ana(), Some(forge), repair, "browser:1").await;
    assert!(matches!(elsewhere, Err(OpError::NotFound)), "{elsewhere:?}");
    let counted = board::equipment(&ops, saw).await.unwrap().open_repairs[0].me_too;
    assert_eq!((counted, revision(&ops).await.unwrap()), (0, before));
    assert!(me_too(&ops, &ana(), Some(saw), repair, "browser:1").await.unwrap().counted);
}

#[tokio::test]
async fn search_finds_prefixes_first_and_takes_wildcards_literally() {
    let (ops, saw) = with_saw().await;
    add_equipment(&ops, "Metal", "", "Säge 100%").await;
    add_equipment(&ops, "Other", "", "Sawhorse_1").await;
    let names = |found: Vec<esb::views::equipment::EquipmentMatch>| {
        found.into_iter().map(|m| m.name).collect::<Vec<_>>()
    };
    assert_eq!(names(search_equipment(&ops, "SAW").await.unwrap()), ["Sawhorse_1", "Table saw"]);
    assert_eq!(names(search_equipment(&ops, "sage").await.unwrap()), ["Säge 100%"]);
    assert_eq!(names(search_equipment(&ops, "%").await.unwrap()), ["Säge 100%"]);
    assert_eq!(names(search_equipment(&ops, "_").await.unwrap()), ["Sawhorse_1"]);
    assert_eq!(names(search_equipment(&ops, "!'\"\\;--").await.unwrap()), Vec::<String>::new());
    assert_eq!(search_equipment(&ops, "").await.unwrap().len(), 3);
    assert_eq!(names(search_equipment(&ops, &format!("#{saw}")).await.unwrap()), ["Table saw"]);
    assert_eq!(exact_equipment(&ops, " table  SAW").await.unwrap().unwrap().id, saw);
    assert_eq!(exact_equipment(&ops, "saw").await.unwrap(), None);
}

#[tokio::test]
async fn failed_report_is_rolled_back_completely() {
    for table in ["requests", "deliveries", "audit", "timeline"] {
        let (ops, saw) = with_saw().await;
        let before = revision(&ops).await.unwrap();
        let hide = format!("ALTER TABLE {table} RENAME TO hidden");
        ops.store.write().execute_unprepared(&hide).await.unwrap();
        let failed = report_problem(&ops, &ana(), report(saw, 1)).await;
        assert!(matches!(failed, Err(OpError::Internal(_))), "{table}: {failed:?}");
        let show = format!("ALTER TABLE hidden RENAME TO {table}");
        ops.store.write().execute_unprepared(&show).await.unwrap();
        assert_eq!((rows(&ops).await, revision(&ops).await.unwrap()), ([0; 5], before), "{table}");
        report_problem(&ops, &ana(), report(saw, 1)).await.unwrap();
        assert_eq!(rows(&ops).await, [1, 1, 1, 2, 1], "the same request may come again after a failure");
    }
}

#[tokio::test]
async fn duplicate_delivery_violates_unique_constraint() {
    let (ops, saw) = with_saw().await;
    report_problem(&ops, &ana(), report(saw, 1)).await.unwrap();
    let row = delivery::Entity::find().one(ops.store.read()).await.unwrap().unwrap();
    let mut again = row.into_active_model();
    again.id = NotSet;
    let refused = delivery::Entity::insert(again).exec_without_returning(ops.store.write()).await;
    assert!(matches!(refused.unwrap_err().sql_err(), Some(SqlErr::UniqueConstraintViolation(_))));
}
