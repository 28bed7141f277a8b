//! Equipment, area and settings operations: permissions, refusals, repeated requests and concurrent edits.

use crate::support::ops::{TestOps, ana, area, empty, open_repairs, report, user, with_saw};
use esb::domain::actor::{Account, Actor, Edge, Role};
use esb::domain::area::AreaDetails;
use esb::domain::equipment::EquipmentDetails;
use esb::domain::ids::{AreaId, EquipmentId};
use esb::domain::repair::Severity;
use esb::domain::setting::Setting;
use esb::domain::text::{AreaName, Detail, EquipmentName, EquipmentNote, LinkTitle, LinkUrl, RequestId};
use esb::ops::audit::{AuditFilter, audit};
use esb::ops::board::{board, revision};
use esb::ops::equipment::areas::{areas, create_area, edit_area, set_area_archived};
use esb::ops::equipment::links::{AddLink, add_link, remove_link};
use esb::ops::equipment::list::{EquipmentQuery, equipment, equipment_list, equipment_record};
use esb::ops::equipment::notes::{AddNote, add_note, remove_note};
use esb::ops::equipment::{
    OpenRepairs, archive_equipment, create_equipment, edit_equipment, restore_equipment,
};
use esb::ops::repairs::report_problem::report_problem;
use esb::ops::settings::{change_settings, settings};
use esb::ops::{Ctx, OpError};
use esb::store::entities::user as users;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use std::collections::HashSet;

/// A new request id for each number.
fn request(n: u8) -> RequestId {
    RequestId::from_random([n; 16])
}

async fn acting(ops: &Ctx, name: &str, role: Role) -> Actor {
    let id = user(ops, name, role).await;
    Actor::of_account(Edge::Web, name, Account { id, role })
}

async fn stu(ops: &Ctx) -> Actor {
    acting(ops, "stu", Role::Staff).await
}

async fn tess(ops: &Ctx) -> Actor {
    acting(ops, "tess", Role::Technician).await
}

fn bare(name: &str, area: AreaId) -> EquipmentDetails {
    EquipmentDetails::bare(EquipmentName::parse(name).unwrap(), area)
}

/// The area of the saw.
const WOOD: AreaId = AreaId(1);

#[track_caller]
fn refused_on<T: std::fmt::Debug>(result: Result<T, OpError>, field: &str) -> String {
    match result {
        Err(OpError::Refused(refusal)) if refusal.field == Some(field) => refusal.message,
        other => panic!("not refused on {field}: {other:?}"),
    }
}

/// What the audit holds, newest first: who, what, of which number.
async fn audited(ops: &Ctx) -> Vec<(String, String, i64)> {
    let seen = audit(ops, &stu(ops).await, &AuditFilter::default(), None, 100).await.unwrap();
    seen.entries.into_iter().map(|entry| (entry.actor, entry.action, entry.noun_id)).collect()
}

async fn version(ops: &Ctx, id: EquipmentId) -> i64 {
    equipment_record(ops, id).await.unwrap().version
}

#[tokio::test]
async fn only_active_staff_change_equipment() {
    let (ops, saw) = with_saw().await;
    let (tess, stu) = (tess(&ops).await, stu(&ops).await);
    let id = user(&ops, "tess", Role::Technician).await;
    // What a session once knew does not count.
    let boasting = Actor::of_account(Edge::Web, "tess", Account { id, role: Role::Staff });
    let former = stu.clone();
    let gone = users::Entity::update_many().col_expr(users::Column::Active, Expr::value(false));
    let before = revision(&ops).await.unwrap();
    for step in 0..2 {
        let actors: &[&Actor] = if step == 0 { &[&tess, &boasting] } else { &[&former] };
        for actor in actors.iter().copied().chain([&ana()]) {
            let forbidden = [
                create_area(&ops, actor, &area("Metal", ""), &request(1)).await.err(),
                edit_area(&ops, actor, (WOOD, 1), &area("Metal", ""), &request(1)).await.err(),
                set_area_archived(&ops, actor, (WOOD, 1), true, &request(1)).await.err(),
                create_equipment(&ops, actor, &bare("Lathe", WOOD), &request(1)).await.err(),
                edit_equipment(&ops, actor, (saw, 1), &bare("Lathe", WOOD), &request(1)).await.err(),
                archive_equipment(&ops, actor, (saw, 1), None, &request(1)).await.err(),
                restore_equipment(&ops, actor, (saw, 1), &request(1)).await.err(),
                settings(&ops, actor).await.err(),
                areas(&ops, actor).await.err(),
                change_settings(&ops, actor, 1, &[], &request(1)).await.err(),
                audit(&ops, actor, &AuditFilter::default(), None, 1).await.err(),
            ];
            for error in forbidden {
                assert!(matches!(error, Some(OpError::Forbidden)), "{actor:?}: {error:?}");
            }
        }
        gone.clone().filter(users::Column::Username.eq("stu")).exec(ops.store.write()).await.unwrap();
    }
    assert_eq!(revision(&ops).await.unwrap(), before);
}

#[tokio::test]
async fn area_lifecycle_shows_on_the_board() {
    let ops = empty().await;
    let stu = stu(&ops).await;
    let wood = create_area(&ops, &stu, &area("Wood shop", "#woodshop"), &request(1)).await.unwrap();
    let metal = AreaDetails { sort_order: -1, ..area("Metal shop", "") };
    let metal = create_area(&ops, &stu, &metal, &request(2)).await.unwrap();
    let names = async || -> Vec<String> {
        board(&ops).await.unwrap().areas.iter().map(|area| area.name.clone()).collect()
    };
    assert_eq!(names().await, ["Metal shop", "Wood shop"]);
    edit_area(&ops, &stu, (wood, 1), &area("Timber", "#timber"), &request(3)).await.unwrap();
    set_area_archived(&ops, &stu, (metal, 1), true, &request(4)).await.unwrap();
    assert_eq!(names().await, ["Timber"]);
    let view = areas(&ops, &stu).await.unwrap();
    assert_eq!((view.live.len(), view.archived.len()), (1, 1));
    assert_eq!((view.live[0].slack_channel.as_str(), view.live[0].version), ("#timber", 2));
    set_area_archived(&ops, &stu, (metal, 2), false, &request(5)).await.unwrap();
    assert_eq!(names().await, ["Metal shop", "Timber"]);
    let told: Vec<String> = audited(&ops).await.into_iter().map(|(_, action, _)| action).collect();
    assert_eq!(told, ["area.restored", "area.archived", "area.edited", "area.created", "area.created"]);
    let seen = audit(&ops, &stu, &AuditFilter::default(), None, 100).await.unwrap();
    assert_eq!(seen.entries[2].old.as_deref(), Some(r##"{"name":"Wood shop","slack_channel":"#woodshop"}"##));
    assert_eq!(seen.entries[2].new.as_deref(), Some(r##"{"name":"Timber","slack_channel":"#timber"}"##));
}

#[tokio::test]
async fn live_areas_have_names_of_their_own() {
    let ops = empty().await;
    let stu = stu(&ops).await;
    let wood = create_area(&ops, &stu, &area("Wood shop", ""), &request(1)).await.unwrap();
    let other = create_area(&ops, &stu, &area("Metal", ""), &request(2)).await.unwrap();
    for name in ["Wood shop", "  WOOD   shop", "Wóod shop"] {
        let message = refused_on(create_area(&ops, &stu, &area(name, ""), &request(3)).await, "name");
        assert!(message.contains("already"), "{message}");
        refused_on(edit_area(&ops, &stu, (other, 1), &area(name, ""), &request(4)).await, "name");
    }
    set_area_archived(&ops, &stu, (wood, 1), true, &request(5)).await.unwrap();
    // One refused may come again under the same id.
    create_area(&ops, &stu, &area("wood shop", ""), &request(3)).await.unwrap();
    refused_on(set_area_archived(&ops, &stu, (wood, 2), false, &request(6)).await, "name");
    assert_eq!(board(&ops).await.unwrap().areas.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_area_creation_succeeds_once() {
    let ops = empty().await;
    let stu = stu(&ops).await;
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..12 {
        let (ctx, stu) = (ops.ctx.clone(), stu.clone());
        // Three different submissions, each sent four times.
        tasks.spawn(async move { create_area(&ctx, &stu, &area("Wood", ""), &request(n % 3)).await });
    }
    let answers = tasks.join_all().await;
    let (made, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
    let made: HashSet<AreaId> = made.into_iter().map(Result::unwrap).collect();
    assert_eq!(made.len(), 1, "all say the same area");
    for answer in refused {
        refused_on(answer, "name");
    }
    assert_eq!(board(&ops).await.unwrap().areas.len(), 1);
    assert_eq!(audited(&ops).await.len(), 1);
}

#[tokio::test]
async fn repeated_equipment_edit_changes_nothing() {
    let (ops, _) = with_saw().await;
    let stu = stu(&ops).await;
    let full = EquipmentDetails {
        manufacturer: Detail::parse("Jet").unwrap(),
        acquisition_cost: Some("1250.50".parse().unwrap()),
        acquisition_date: Some("2020-02-29".parse().unwrap()),
        ..bare("Lathe", WOOD)
    };
    let lathe = create_equipment(&ops, &stu, &full, &request(1)).await.unwrap();
    assert_eq!(create_equipment(&ops, &stu, &full, &request(1)).await.unwrap(), lathe);
    let record = equipment_record(&ops, lathe).await.unwrap();
    assert_eq!(record.details.acquisition_cost.unwrap().to_string(), "1250.50");
    assert_eq!(record.details.acquisition_date.unwrap().to_string(), "2020-02-29");
    let before = (revision(&ops).await.unwrap(), audited(&ops).await.len());
    edit_equipment(&ops, &stu, (lathe, 1), &full, &request(2)).await.unwrap();
    assert_eq!((revision(&ops).await.unwrap(), audited(&ops).await.len()), before);
    let renamed = EquipmentDetails { acquisition_cost: None, ..bare("Big lathe", WOOD) };
    edit_equipment(&ops, &stu, (lathe, 1), &renamed, &request(3)).await.unwrap();
    assert_eq!(version(&ops, lathe).await, 2);
    assert_eq!(board(&ops).await.unwrap().areas[0].equipment[0].name, "Big lathe");
    let found =
        equipment_list(&ops, &EquipmentQuery { text: "LATHE".into(), ..EquipmentQuery::default() }, 1)
            .await
            .unwrap();
    assert_eq!((found.total, found.equipment[0].name.as_str()), (1, "Big lathe"));
    refused_on(create_equipment(&ops, &stu, &bare("X", AreaId(99)), &request(4)).await, "area");
    set_area_archived(&ops, &stu, (WOOD, 1), true, &request(5)).await.unwrap();
    let refused = create_equipment(&ops, &stu, &bare("X", WOOD), &request(6)).await;
    assert!(refused_on(refused, "area").contains("archived"));
}

#[tokio::test]
async fn stale_equipment_edit_is_a_conflict() {
    let (ops, saw) = with_saw().await;
    let (stu, kim) = (stu(&ops).await, acting(&ops, "kim", Role::Staff).await);
    edit_equipment(&ops, &stu, (saw, 1), &bare("Saw of Stu", WOOD), &request(1)).await.unwrap();
    let late = edit_equipment(&ops, &kim, (saw, 1), &bare("Saw of Kim", WOOD), &request(2)).await;
    assert!(matches!(&late, Err(OpError::Overtaken { by }) if by == "stu"), "{late:?}");
    assert_eq!(equipment_record(&ops, saw).await.unwrap().details.name, "Saw of Stu");
    let late = archive_equipment(&ops, &kim, (saw, 1), None, &request(3)).await;
    assert!(matches!(late, Err(OpError::Overtaken { .. })), "{late:?}");
    // Under the same id and the present version it is accepted.
    edit_equipment(&ops, &kim, (saw, 2), &bare("Saw of Kim", WOOD), &request(2)).await.unwrap();
    assert_eq!(equipment_record(&ops, saw).await.unwrap().details.name, "Saw of Kim");
    let late = set_area_archived(&ops, &kim, (WOOD, 7), true, &request(4)).await;
    assert!(matches!(late, Err(OpError::Overtaken { .. })), "{late:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_edits_succeed_or_conflict() {
    let (ops, saw) = with_saw().await;
    let stu = stu(&ops).await;
    let mut tasks = tokio::task::JoinSet::new();
    for n in 0..8_u8 {
        let (ctx, stu) = (ops.ctx.clone(), stu.clone());
        tasks.spawn(async move {
            let wanted = bare(&format!("Saw {n}"), WOOD);
            edit_equipment(&ctx, &stu, (saw, 1), &wanted, &request(n)).await.is_ok()
        });
    }
    let accepted = tasks.join_all().await.into_iter().filter(|accepted| *accepted).count();
    assert_eq!(accepted, 1);
    assert_eq!((version(&ops, saw).await, audited(&ops).await.len()), (2, 1));
}

#[tokio::test]
async fn archiving_asks_about_open_repairs() {
    let (ops, saw) = with_saw().await;
    let stu = stu(&ops).await;
    open_repairs(&ops, saw, [Some(Severity::Down)]).await;
    refused_on(archive_equipment(&ops, &stu, (saw, 1), None, &request(1)).await, "open_repairs");
    assert_eq!(version(&ops, saw).await, 1);
    archive_equipment(&ops, &stu, (saw, 1), Some(&OpenRepairs::Keep), &request(1)).await.unwrap();
    assert!(board(&ops).await.unwrap().areas[0].equipment.is_empty());
    let archived = EquipmentQuery { archived: true, ..EquipmentQuery::default() };
    assert_eq!(equipment_list(&ops, &archived, 1).await.unwrap().total, 1);
    assert_eq!(equipment_list(&ops, &EquipmentQuery::default(), 1).await.unwrap().total, 0);
    set_area_archived(&ops, &stu, (WOOD, 1), true, &request(2)).await.unwrap();
    refused_on(restore_equipment(&ops, &stu, (saw, 2), &request(3)).await, "area");
    set_area_archived(&ops, &stu, (WOOD, 2), false, &request(4)).await.unwrap();
    restore_equipment(&ops, &stu, (saw, 2), &request(3)).await.unwrap();
    let shown = board(&ops).await.unwrap();
    assert_eq!(shown.areas[0].equipment[0].headline.as_ref().unwrap().open_repairs, 1, "the repair was kept");
}

#[tokio::test]
async fn technicians_write_notes_and_links_if_allowed() {
    let (ops, saw) = with_saw().await;
    let (tess, stu) = (tess(&ops).await, stu(&ops).await);
    let tom = acting(&ops, "tom", Role::Technician).await;
    let note = |n| AddNote {
        equipment: saw,
        text: EquipmentNote::parse("Belt: 3V-450").unwrap(),
        request_id: request(n),
    };
    let link = |n| AddLink {
        equipment: saw,
        title: LinkTitle::parse("Manual").unwrap(),
        url: LinkUrl::parse("https://example.org/m").unwrap(),
        request_id: request(n),
    };
    assert!(matches!(add_note(&ops, &ana(), &note(1)).await, Err(OpError::Forbidden)));
    let written = add_note(&ops, &tess, &note(1)).await.unwrap();
    assert_eq!(add_note(&ops, &tess, &note(1)).await.unwrap(), written);
    assert!(matches!(add_link(&ops, &tess, &link(2)).await, Err(OpError::Forbidden)));
    assert!(!equipment(&ops, &tess, saw, 1).await.unwrap().may_edit);
    let allow = [(Setting::of("tech_doc_edit_enabled").unwrap(), "true".to_owned())];
    change_settings(&ops, &stu, 1, &allow, &request(3)).await.unwrap();
    let added = add_link(&ops, &tess, &link(2)).await.unwrap();
    let view = equipment(&ops, &tess, saw, 1).await.unwrap();
    assert_eq!((view.links.len(), view.notes.len(), view.may_edit), (1, 1, true));
    assert_eq!((view.notes[0].author.as_str(), view.notes[0].text.as_str()), ("tess", "Belt: 3V-450"));

    let other = EquipmentId(99);
    assert!(matches!(remove_note(&ops, &tom, (saw, written), &request(4)).await, Err(OpError::Forbidden)));
    assert!(matches!(remove_note(&ops, &stu, (other, written), &request(4)).await, Err(OpError::NotFound)));
    assert!(matches!(remove_link(&ops, &stu, (other, added), &request(4)).await, Err(OpError::NotFound)));
    remove_note(&ops, &tess, (saw, written), &request(5)).await.unwrap();
    remove_link(&ops, &tess, (saw, added), &request(6)).await.unwrap();
    remove_link(&ops, &tess, (saw, added), &request(6)).await.unwrap();
    let view = equipment(&ops, &tess, saw, 1).await.unwrap();
    assert_eq!((view.links.len(), view.notes.len()), (0, 0));
    let of_notes = AuditFilter { noun: "note".into(), ..AuditFilter::default() };
    let seen = audit(&ops, &stu, &of_notes, None, 9).await.unwrap().entries;
    assert!(seen[0].old.as_ref().unwrap().contains("3V-450"), "{seen:?}");
}

#[tokio::test]
async fn settings_hide_secrets_and_name_conflicting_author() {
    let ops = empty().await;
    let stu = stu(&ops).await;
    let set = |key, value: &str| (Setting::of(key).unwrap(), value.to_owned());
    let wanted = [set("wifi_password", "correct horse"), set("notify_new_report", "true")];
    change_settings(&ops, &stu, 1, &wanted, &request(1)).await.unwrap();
    change_settings(&ops, &stu, 1, &wanted, &request(1)).await.unwrap();
    let view = settings(&ops, &stu).await.unwrap();
    assert_eq!(view.version, 2);
    let password = view.values.iter().find(|value| value.setting.key == "wifi_password").unwrap();
    assert_eq!((password.value.as_str(), password.is_set), ("", true));
    let seen = audit(&ops, &stu, &AuditFilter::default(), None, 9).await.unwrap().entries;
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].new.as_deref(), Some(r#"{"wifi_password":"set"}"#));
    let late = change_settings(&ops, &stu, 1, &[set("maintenance", "true")], &request(2)).await;
    assert!(matches!(&late, Err(OpError::Overtaken { by }) if by == "stu"), "{late:?}");
    // What would change nothing is no conflict.
    change_settings(&ops, &stu, 1, &wanted, &request(3)).await.unwrap();
    assert_eq!(settings(&ops, &stu).await.unwrap().version, 2);
}

#[tokio::test]
async fn audit_is_filtered_and_paged() {
    let ops: TestOps = empty().await;
    let (stu, kim) = (stu(&ops).await, acting(&ops, "Kim", Role::Staff).await);
    for n in 0..5 {
        let name = AreaName::parse(&format!("Area {n}")).unwrap();
        let new = AreaDetails { name, ..area("x", "") };
        create_area(&ops, if n == 2 { &kim } else { &stu }, &new, &request(n)).await.unwrap();
        ops.clock.advance(chrono::TimeDelta::days(1));
    }
    create_equipment(&ops, &stu, &bare("Saw", AreaId(1)), &request(9)).await.unwrap();
    let find = async |filter: AuditFilter| {
        let seen = audit(&ops, &stu, &filter, None, 100).await.unwrap();
        seen.entries.into_iter().map(|entry| entry.noun_id).collect::<Vec<_>>()
    };
    let any = AuditFilter::default;
    assert_eq!(find(AuditFilter { who: "kim".into(), ..any() }).await, [3], "names of accounts ignore case");
    assert_eq!(find(AuditFilter { who: "nobody".into(), ..any() }).await, [0_i64; 0]);
    assert_eq!(find(AuditFilter { noun: "equipment".into(), ..any() }).await, [1]);
    assert_eq!(find(AuditFilter { noun: "area".into(), noun_id: Some(4), ..any() }).await, [4]);
    assert_eq!(find(AuditFilter { action: "area.created".into(), ..any() }).await, [5, 4, 3, 2, 1]);
    let day = |text: &str| Some(format!("{text}T12:00:00Z").parse().unwrap());
    let days = AuditFilter { from: day("2026-03-02"), before: day("2026-03-04"), ..any() };
    assert_eq!(find(days).await, [3, 2]);
    let first = audit(&ops, &stu, &any(), None, 4).await.unwrap();
    let rest = audit(&ops, &stu, &any(), first.older_than, 4).await.unwrap();
    assert_eq!((first.entries.len(), rest.entries.len(), rest.older_than), (4, 2, None));
}

#[tokio::test]
async fn report_during_archiving_is_refused() {
    for number in 1..=10 {
        let (ops, saw) = with_saw().await;
        let (stu, ana, archiving) = (stu(&ops).await, ana(), request(1));
        let (archived, reported) = tokio::join!(
            archive_equipment(&ops, &stu, (saw, 1), None, &archiving),
            report_problem(&ops, &ana, report(saw, 100 + number)),
        );
        assert!(archived.is_ok() != reported.is_ok(), "{archived:?} {reported:?}");
    }
}
