//! Repair operations: edit, claim, resolve and duplicate, with permissions and announcements.

use crate::support::ops::{TestOps, add_equipment, ana, report, user, with_saw};
use chrono::NaiveDate;
use esb::domain::actor::{Account, Actor, Edge, Role};
use esb::domain::announce::Event;
use esb::domain::edit::RepairEdit;
use esb::domain::field::{Field, FieldValue, Person};
use esb::domain::ids::{EquipmentId, RepairId, TimelineId, UserId};
use esb::domain::repair::{RepairStatus, Severity};
use esb::domain::setting::NotificationSettings;
use esb::domain::text::{Description, Note, RequestId};
use esb::domain::timeline::TimelineKind;
use esb::ops::equipment::{OpenRepairs, archive_equipment};
use esb::ops::repairs::create_repair::{CreateRepair, create_repair};
use esb::ops::repairs::notes::{WriteNote, write_note};
use esb::ops::repairs::report_problem::report_problem;
use esb::ops::repairs::update_repair::{
    ClaimRepair, RepairUpdated, UpdateRepair, claim_repair, update_repair,
};
use esb::ops::{Ctx, OpError, board};
use esb::store;
use esb::store::entities::{audit, delivery, repair, timeline, user as user_table};
use sea_orm::{ActiveModelTrait, EntityTrait, IntoActiveModel, PaginatorTrait, QueryOrder, Set};

fn request(n: u8) -> RequestId {
    RequestId::from_random([n; 16])
}

fn note(text: &str) -> Option<Note> {
    Some(Note::parse(text).unwrap())
}

async fn actor(ops: &Ctx, name: &str, role: Role) -> Actor {
    let id = user(ops, name, role).await;
    Actor::of_account(Edge::Web, name, Account { id, role })
}

fn id_of(actor: &Actor) -> UserId {
    actor.account.as_ref().unwrap().id
}

fn person(actor: &Actor) -> Person {
    Person { id: id_of(actor), name: actor.name.clone(), slack_id: None }
}

/// A machine with one reported repair, and two technicians.
async fn reported() -> (TestOps, EquipmentId, RepairId, Actor, Actor) {
    let (ops, saw) = with_saw().await;
    let repair = report_problem(&ops, &ana(), report(saw, 255)).await.unwrap().repair;
    let (sam, bo) = (actor(&ops, "sam", Role::Technician).await, actor(&ops, "bo", Role::Technician).await);
    (ops, saw, repair, sam, bo)
}

async fn edit(
    ops: &Ctx,
    by: &Actor,
    repair: RepairId,
    version: i64,
    values: impl Into<Vec<FieldValue>>,
    note: Option<Note>,
) -> Result<RepairUpdated, OpError> {
    let request_id = RequestId::from_random(rand::random());
    let edit = RepairEdit { version, values: values.into(), note };
    update_repair(ops, by, UpdateRepair { repair, edit, request_id }).await
}

async fn row(ops: &Ctx, id: RepairId) -> repair::Model {
    repair::Entity::find_by_id(id).one(ops.store.read()).await.unwrap().unwrap()
}

async fn entries(ops: &Ctx) -> Vec<timeline::Model> {
    timeline::Entity::find().order_by_asc(timeline::Column::Id).all(ops.store.read()).await.unwrap()
}

/// The events that are owed to `#oops`, but for the reports.
async fn announced(ops: &Ctx) -> Vec<Event> {
    let all =
        delivery::Entity::find().order_by_asc(delivery::Column::Id).all(ops.store.read()).await.unwrap();
    all.into_iter()
        .filter(|delivery| delivery.target == "#oops")
        .map(|delivery| serde_json::from_str(&delivery.event).unwrap())
        .filter(|event| matches!(event, Event::Updated(_)))
        .collect()
}

#[track_caller]
fn refused(result: Result<impl std::fmt::Debug, OpError>, field: Option<&str>) -> String {
    match result {
        Err(OpError::Refused(refusal)) => {
            assert_eq!(refusal.field, field);
            refusal.message
        }
        other => panic!("not refused: {other:?}"),
    }
}

fn create(equipment: EquipmentId, status: RepairStatus) -> CreateRepair {
    CreateRepair {
        equipment,
        description: Description::parse("Belt slips").unwrap(),
        severity: Some(Severity::Degraded),
        status,
        assignee: None,
        safety_risk: false,
        consumable: true,
        request_id: RequestId::from_random(rand::random()),
    }
}

#[tokio::test]
async fn every_edit_is_recorded_once() {
    let (ops, saw, repair, sam, bo) = reported().await;
    let other = create_repair(&ops, &sam, create(saw, RepairStatus::New)).await.unwrap().repair;
    let values = vec![
        FieldValue::Status(RepairStatus::Duplicate),
        FieldValue::DuplicateOf(Some(other)),
        FieldValue::Assignee(Some(person(&bo))),
        FieldValue::Severity(None),
        FieldValue::Eta(NaiveDate::from_ymd_opt(2026, 3, 9)),
        FieldValue::SpecialistDescription("Gas fitter".into()),
        FieldValue::SafetyRisk(true),
        FieldValue::Consumable(true),
        FieldValue::Description("Belt".into()),
    ];
    let before = board::revision(&ops).await.unwrap();
    let done = edit(&ops, &sam, repair, 1, values.clone(), note("Seen")).await.unwrap();
    assert_eq!((done.version, done.changed, done.status), (2, true, RepairStatus::Duplicate));
    assert_eq!(board::revision(&ops).await.unwrap(), before + 1);
    let row = row(&ops, repair).await;
    assert_eq!((row.duplicate_of, row.assignee_id, row.open), (Some(other), Some(id_of(&bo)), false));
    assert_eq!(row.closed_at, Some(ops.clock.now()));
    let traces: Vec<TimelineKind> =
        entries(&ops).await.into_iter().filter(|e| e.version == 2).map(|e| e.kind).collect();
    let mut expected = Field::ALL.map(Field::kind).to_vec();
    expected.push(TimelineKind::Note);
    assert_eq!(traces, expected);
    let audits = audit::Entity::find().count(ops.store.read()).await.unwrap();
    assert_eq!(audits, 2 + 2, "two creations, one update, one note");

    let pending = delivery::Entity::find().count(ops.store.read()).await.unwrap();
    let again = edit(&ops, &bo, repair, 2, values, None).await.unwrap();
    assert_eq!((again.version, again.changed, again.channels), (2, false, vec![]));
    assert_eq!(entries(&ops).await.len(), 2 + expected.len());
    assert_eq!(delivery::Entity::find().count(ops.store.read()).await.unwrap(), pending);
    assert_eq!(board::revision(&ops).await.unwrap(), before + 1);
}

#[tokio::test]
async fn conflicting_edit_names_author_and_field() {
    let (ops, _, repair, sam, bo) = reported().await;
    let eta = FieldValue::Eta(NaiveDate::from_ymd_opt(2026, 3, 9));
    edit(&ops, &sam, repair, 1, [eta.clone(), FieldValue::Severity(Some(Severity::Degraded))], None)
        .await
        .unwrap();
    // Bo's form still shows version 1: no ETA, Down. Only the assignee was touched.
    let form = |severity| {
        vec![
            FieldValue::Eta(None),
            FieldValue::Severity(Some(severity)),
            FieldValue::Assignee(Some(person(&bo))),
        ]
    };
    let done = edit(&ops, &bo, repair, 1, form(Severity::Down), None).await.unwrap();
    assert_eq!(done.version, 3);
    let now = row(&ops, repair).await;
    assert_eq!((now.eta, now.severity), (NaiveDate::from_ymd_opt(2026, 3, 9), Some(Severity::Degraded)));
    assert_eq!(now.assignee_id, Some(id_of(&bo)));
    // The same form once more, with another severity than Sam's.
    let Err(OpError::Conflict(conflicts)) = edit(&ops, &bo, repair, 1, form(Severity::NotSure), None).await
    else {
        panic!("no conflict")
    };
    assert_eq!(conflicts.len(), 1);
    assert!(conflicts[0].message().contains("sam set the severity to “Degraded”"), "{conflicts:?}");
    assert_eq!(row(&ops, repair).await.version, 3);
    refused(edit(&ops, &bo, repair, 9, [eta], None).await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_writes_to_one_field_have_one_winner() {
    let (ops, _, repair, sam, _) = reported().await;
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..20 {
        let (ctx, sam) = (ops.ctx.clone(), sam.clone());
        tasks.spawn(async move {
            let text = FieldValue::Description(format!("Text {n}"));
            let specialist = FieldValue::SpecialistDescription(String::new());
            edit(&ctx, &sam, repair, 1, [text, specialist], None).await
        });
    }
    let outcomes = tasks.join_all().await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    let conflicts = outcomes.iter().filter(|outcome| matches!(outcome, Err(OpError::Conflict(_)))).count();
    assert_eq!(conflicts, 19);
    assert_eq!(row(&ops, repair).await.version, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_edits_of_different_fields_both_apply() {
    let (ops, _, repair, sam, bo) = reported().await;
    let eta = NaiveDate::from_ymd_opt(2026, 3, 9);
    let (one, other) = tokio::join!(
        edit(&ops, &sam, repair, 1, [FieldValue::Eta(eta), FieldValue::Consumable(false)], None),
        edit(&ops, &bo, repair, 1, [FieldValue::Eta(None), FieldValue::Consumable(true)], None),
    );
    let mut versions = [one.unwrap().version, other.unwrap().version];
    versions.sort_unstable();
    let now = row(&ops, repair).await;
    assert_eq!((versions, now.version, now.eta, now.consumable), ([2, 3], 3, eta, true));
}

#[tokio::test(flavor = "multi_thread")]
async fn repeated_edit_applies_once() {
    let (ops, _, repair, sam, _) = reported().await;
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..10 {
        let (ctx, sam) = (ops.ctx.clone(), sam.clone());
        let edit = RepairEdit {
            version: 1,
            values: vec![FieldValue::Status(RepairStatus::Resolved)],
            note: note("Tightened"),
        };
        let update = UpdateRepair { repair, edit, request_id: request(1) };
        tasks.spawn(async move { update_repair(&ctx, &sam, update).await.unwrap() });
    }
    let answers = tasks.join_all().await;
    assert!(answers.iter().all(|answer| *answer == answers[0] && answer.changed));
    assert_eq!((row(&ops, repair).await.version, announced(&ops).await.len()), (2, 1));
    // Refused ones may come again under the same id.
    let bad = |note| UpdateRepair {
        repair,
        edit: RepairEdit { version: 2, values: vec![FieldValue::Description(note)], note: None },
        request_id: request(2),
    };
    refused(update_repair(&ops, &sam, bad(" ".into())).await, Some("description"));
    assert!(update_repair(&ops, &sam, bad("Fine".into())).await.unwrap().changed);
}

#[tokio::test]
async fn unauthorized_callers_change_nothing() {
    let (ops, saw, repair, sam, _) = reported().await;
    let row_of = |id| user_table::Entity::find_by_id(id).one(ops.store.read());
    let gone = actor(&ops, "gone", Role::Staff).await;
    let mut inactive = row_of(id_of(&gone)).await.unwrap().unwrap().into_active_model();
    inactive.active = Set(false);
    inactive.update(ops.store.write()).await.unwrap();
    let nobody = Actor::of_account(Edge::Slack, "x", Account { id: UserId(999), role: Role::Staff });
    for stranger in [ana(), gone.clone(), nobody] {
        let claim = ClaimRepair { repair, version: None, request_id: request(1) };
        let answers = [
            edit(&ops, &stranger, repair, 1, [FieldValue::Consumable(true)], None).await.err(),
            claim_repair(&ops, &stranger, claim).await.err(),
            create_repair(&ops, &stranger, create(saw, RepairStatus::New)).await.err(),
            write_note(&ops, &stranger, repair, WriteNote::Add(note("x").unwrap()), &request(2)).await.err(),
        ];
        for answer in answers {
            assert!(matches!(answer, Some(OpError::Forbidden)), "{answer:?}");
        }
    }
    assert_eq!((row(&ops, repair).await.version, entries(&ops).await.len()), (1, 1));
    // Nor becomes somebody inactive the assignee, though they may stay it.
    let to_gone = FieldValue::Assignee(Some(person(&gone)));
    refused(edit(&ops, &sam, repair, 1, [to_gone.clone()], None).await, Some("assignee"));
    let mut assigned = row(&ops, repair).await.into_active_model();
    assigned.assignee_id = Set(Some(id_of(&gone)));
    assigned.update(ops.store.write()).await.unwrap();
    assert!(
        edit(&ops, &sam, repair, 1, [to_gone, FieldValue::Consumable(true)], None).await.unwrap().changed
    );
    let unknown = edit(&ops, &sam, RepairId(999), 1, [FieldValue::Consumable(true)], None).await;
    assert!(matches!(unknown, Err(OpError::NotFound)));
}

#[tokio::test]
async fn claim_assigns_or_names_who_was_faster() {
    let (ops, _, repair, sam, bo) = reported().await;
    let claim = |version, n| ClaimRepair { repair, version, request_id: request(n) };
    let done = claim_repair(&ops, &sam, claim(Some(1), 1)).await.unwrap();
    assert_eq!((done.status, done.version), (RepairStatus::Assigned, 2));
    assert_eq!(claim_repair(&ops, &sam, claim(Some(1), 1)).await.unwrap(), done);
    assert!(!claim_repair(&ops, &sam, claim(Some(1), 2)).await.unwrap().changed);
    let late = claim_repair(&ops, &bo, claim(Some(1), 3)).await;
    let Err(OpError::Conflict(conflicts)) = late else { panic!("{late:?}") };
    assert!(conflicts[0].message().starts_with("sam set the assignee to “sam”"), "{conflicts:?}");
    assert!(claim_repair(&ops, &bo, claim(None, 4)).await.unwrap().changed);
    edit(&ops, &bo, repair, 3, [FieldValue::Status(RepairStatus::Resolved)], note("Done")).await.unwrap();
    assert!(refused(claim_repair(&ops, &sam, claim(None, 5)).await, None).contains("closed"));
}

#[tokio::test]
async fn resolving_wants_a_note_and_reopening_opens() {
    let (ops, _, repair, sam, _) = reported().await;
    let to = |status| [FieldValue::Status(status)];
    refused(edit(&ops, &sam, repair, 1, to(RepairStatus::Resolved), None).await, Some("note"));
    edit(&ops, &sam, repair, 1, to(RepairStatus::Resolved), note("Tightened")).await.unwrap();
    assert!(!row(&ops, repair).await.open);
    edit(&ops, &sam, repair, 2, to(RepairStatus::InProgress), None).await.unwrap();
    let now = row(&ops, repair).await;
    assert!(now.open && now.closed_at.is_none());
    let (closed, reopened) = (&announced(&ops).await[0], &announced(&ops).await[1]);
    let Event::Updated(closed) = closed else { panic!("{closed:?}") };
    assert!(closed.is_back_in_service() && closed.note.as_deref() == Some("Tightened"));
    let Event::Updated(reopened) = reopened else { panic!("{reopened:?}") };
    assert_eq!((reopened.repair.status, reopened.by.as_str()), (RepairStatus::InProgress, "sam"));
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_last_closings_announce_service_once() {
    let (ops, saw, repair, sam, bo) = reported().await;
    let other = create_repair(&ops, &sam, create(saw, RepairStatus::New)).await.unwrap().repair;
    let to = [FieldValue::Status(RepairStatus::Resolved)];
    let (one, two) = tokio::join!(
        edit(&ops, &sam, repair, 1, to.clone(), note("Done")),
        edit(&ops, &bo, other, 1, to, note("Done")),
    );
    assert!(one.unwrap().changed && two.unwrap().changed);
    let back = announced(&ops).await;
    let back = back.iter().filter(|e| matches!(e, Event::Updated(update) if update.is_back_in_service()));
    assert_eq!(back.count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_repairs_never_become_duplicates_of_each_other() {
    let (ops, saw, repair, sam, bo) = reported().await;
    let other = create_repair(&ops, &sam, create(saw, RepairStatus::New)).await.unwrap().repair;
    let repeat = |of| [FieldValue::Status(RepairStatus::Duplicate), FieldValue::DuplicateOf(Some(of))];
    let (one, two) = tokio::join!(
        edit(&ops, &sam, repair, 1, repeat(other), None),
        edit(&ops, &bo, other, 1, repeat(repair), None),
    );
    assert!(one.is_ok() != two.is_ok(), "{one:?} {two:?}");
    let forge = add_equipment(&ops, "Metal", "", "Forge").await;
    let elsewhere = create_repair(&ops, &sam, create(forge, RepairStatus::New)).await.unwrap().repair;
    let open = if one.is_ok() { other } else { repair };
    refused(edit(&ops, &sam, open, 1, repeat(elsewhere), None).await, Some("duplicate_of"));
    refused(edit(&ops, &sam, open, 1, repeat(RepairId(999)), None).await, Some("duplicate_of"));
}

#[tokio::test]
async fn repair_is_created_in_any_status_but_duplicate() {
    let (ops, saw) = with_saw().await;
    let sam = actor(&ops, "sam", Role::Technician).await;
    for &status in RepairStatus::ALL {
        let answer = create_repair(&ops, &sam, create(saw, status)).await;
        if status == RepairStatus::Duplicate {
            refused(answer, Some("status"));
            continue;
        }
        let row = row(&ops, answer.unwrap().repair).await;
        assert_eq!(
            (row.status, row.open, row.closed_at.is_none()),
            (status, status.is_open(), status.is_open())
        );
        assert_eq!((row.reporter_name.as_str(), row.consumable), ("sam", true));
    }
    assert_eq!(delivery::Entity::find().count(ops.store.read()).await.unwrap(), 2 * 9);
    assert_eq!(entries(&ops).await.len(), 9);
    let mut mine = create(saw, RepairStatus::Assigned);
    mine.assignee = Some(id_of(&sam));
    let first = create_repair(&ops, &sam, mine.clone()).await.unwrap();
    assert_eq!(create_repair(&ops, &sam, mine).await.unwrap(), first);
    assert_eq!(row(&ops, first.repair).await.assignee_id, Some(id_of(&sam)));
    refused(create_repair(&ops, &sam, create(EquipmentId(999), RepairStatus::New)).await, Some("equipment"));
}

#[tokio::test]
async fn note_is_edited_by_author_or_staff() {
    let (ops, _, repair, sam, bo) = reported().await;
    let staff = actor(&ops, "stu", Role::Staff).await;
    let write =
        async |by: &Actor, write: WriteNote, n: u8| write_note(&ops, by, repair, write, &request(n)).await;
    let text = |text| note(text).unwrap();
    write(&sam, WriteNote::Add(text("Ordered")), 1).await.unwrap();
    assert!(write(&sam, WriteNote::Add(text("Ordered")), 1).await.unwrap().changed);
    let first = entries(&ops).await.pop().unwrap();
    assert_eq!(
        (first.kind, first.version, first.new_value.as_deref()),
        (TimelineKind::Note, 1, Some("Ordered"))
    );
    let others = write(&bo, WriteNote::Edit(first.id, text("No")), 2).await;
    assert!(matches!(others, Err(OpError::Forbidden)));
    assert!(!write(&sam, WriteNote::Edit(first.id, text("Ordered")), 3).await.unwrap().changed);
    assert!(write(&sam, WriteNote::Edit(first.id, text("Arrived")), 4).await.unwrap().changed);
    assert!(write(&staff, WriteNote::Delete(first.id), 5).await.unwrap().changed);
    refused(write(&sam, WriteNote::Edit(first.id, text("Again")), 6).await, Some("note"));
    assert!(!write(&sam, WriteNote::Delete(first.id), 7).await.unwrap().changed);
    let edits = store::timeline::edits(ops.store.read(), &[first.id]).await.unwrap();
    let texts: Vec<_> = edits.iter().map(|edit| edit.new_value.as_deref()).collect();
    assert_eq!(texts, [Some("Arrived"), None]);
    assert_eq!(entries(&ops).await[1], first, "what was written stays");
    let unknown = write(&sam, WriteNote::Delete(TimelineId(999)), 8).await;
    assert!(matches!(unknown, Err(OpError::NotFound)));
    let created = entries(&ops).await[0].id;
    assert!(matches!(write(&staff, WriteNote::Delete(created), 9).await, Err(OpError::NotFound)));
    assert_eq!((row(&ops, repair).await.version, announced(&ops).await.len()), (1, 0));
}

#[tokio::test]
async fn archiving_can_close_what_is_open() {
    let (ops, saw, repair, sam, _) = reported().await;
    let kim = actor(&ops, "kim", Role::Staff).await;
    let other = create_repair(&ops, &sam, create(saw, RepairStatus::PartsNeeded)).await.unwrap().repair;
    let fate = OpenRepairs::Close(note("The machine was sold").unwrap());
    archive_equipment(&ops, &kim, (saw, 1), Some(&fate), &request(40)).await.unwrap();
    for id in [repair, other] {
        assert_eq!(row(&ops, id).await.status, RepairStatus::NoIssueFound);
    }
    assert_eq!(announced(&ops).await.len(), 2);
}

#[tokio::test]
async fn switch_silences_its_line_and_no_other() {
    let (ops, _, repair, sam, _) = reported().await;
    let set = async |key: &str| {
        store::settings::set(ops.store.write(), key, "false", ops.clock.now()).await.unwrap();
    };
    set(NotificationSettings::RESOLVED).await;
    let to = |status| FieldValue::Status(status);
    edit(&ops, &sam, repair, 1, [to(RepairStatus::Resolved)], note("Done")).await.unwrap();
    assert_eq!(announced(&ops).await, vec![]);
    edit(&ops, &sam, repair, 2, [to(RepairStatus::New)], None).await.unwrap();
    assert_eq!(announced(&ops).await.len(), 1);
    set(NotificationSettings::STATUS_CHANGED).await;
    let both = [to(RepairStatus::Assigned), FieldValue::Assignee(Some(person(&sam)))];
    edit(&ops, &sam, repair, 3, both, None).await.unwrap();
    let Event::Updated(update) = announced(&ops).await.pop().unwrap() else { panic!("not an update") };
    assert_eq!(update.lines.len(), 1);
}
