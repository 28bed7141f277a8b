//! Coming from the Python system: everything is copied once, under its own number, and what does not fit
//! is reported.

use crate::support::database::{Kind, TestDatabase};
use crate::support::ops::{add_equipment, empty, user};
use crate::support::pictures::names;
use crate::support::python::{HASH, PASSWORD, Python, Version};
use crate::support::web::serving;
use esb::app::legacy_uploads;
use esb::clock::Clock;
use esb::config::Config;
use esb::domain::actor::{Actor, Edge, Role};
use esb::domain::file::{DocumentCategory, FileKind};
use esb::domain::ids::{AreaId, DocumentId, EquipmentId, PhotoId, RepairId, TimelineId, UserId};
use esb::domain::repair::{RepairStatus, Severity};
use esb::domain::text::{EmailAddress, Username};
use esb::domain::timeline::TimelineKind;
use esb::ops::accounts::sign_in::log_in;
use esb::ops::import::{Event, Legacy, Tally, import_legacy};
use esb::ops::install::{ConnectError, SeedAdmin, seed_admin};
use esb::ops::{Announce, Ctx, OpError, accounts::password, repairs};
use esb::store::entities::{
    area, audit, document, equipment, equipment_link, equipment_note, photo, repair, setting, timeline,
    user as user_entity,
};
use sea_orm::{ConnectionTrait, EntityTrait, PaginatorTrait, QueryOrder};
use std::collections::HashMap;
use std::fs;
use std::process::Command;
use tempfile::TempDir;

fn operator() -> Actor {
    Actor::visitor(Edge::Cli, "command line")
}

/// The report of a run.
#[derive(Debug, Default)]
struct ImportReport {
    findings: Vec<String>,
    tables: HashMap<&'static str, Tally>,
    pages: usize,
}

impl ImportReport {
    /// Copied, here, left out.
    fn of(&self, table: &str) -> (u64, u64, u64) {
        let tally = self.tables[table];
        assert_eq!(tally.there, tally.copied + tally.here + tally.left_out, "{tally:?}");
        (tally.copied, tally.here, tally.left_out)
    }

    fn copied(&self) -> u64 {
        self.tables.values().map(|tally| tally.copied).sum()
    }
}

async fn try_import(ops: &Ctx, python: &Python, dry: bool) -> Result<ImportReport, OpError> {
    let mut report = ImportReport::default();
    let mut tell = |event: Event<'_>| match event {
        Event::Finding(what) => report.findings.push(what.to_owned()),
        Event::Table(tally) => assert_eq!(report.tables.insert(tally.table, tally), None),
        Event::Progress(_) => report.pages += 1,
    };
    import_legacy(ops, &operator(), &python.open().await, (dry, None), &mut tell).await?;
    Ok(report)
}

async fn import(ops: &Ctx, python: &Python) -> ImportReport {
    try_import(ops, python, false).await.unwrap()
}

async fn rows<E: EntityTrait>(ops: &Ctx) -> u64
where
    E::Model: Sync,
{
    E::find().count(ops.store.read()).await.unwrap()
}

async fn find<E: EntityTrait>(
    ops: &Ctx,
    id: <E::PrimaryKey as sea_orm::PrimaryKeyTrait>::ValueType,
) -> E::Model {
    E::find_by_id(id).one(ops.store.read()).await.unwrap().expect("it was copied")
}

#[tokio::test]
async fn everything_is_copied_once_with_its_id() {
    let (ops, python) = (empty().await, Python::with_rows(Version::V19).await);
    let first = import(&ops, &python).await;
    assert_eq!(first.findings, Vec::<String>::new());
    for (table, copied) in [
        ("users", 3),
        ("areas", 2),
        ("equipment", 2),
        ("external_links", 1),
        ("equipment_notes", 1),
        ("repair_records", 3),
        ("repair_timeline_entries", 8),
        ("audit_log", 2),
    ] {
        assert_eq!(first.of(table), (copied, 0, 0), "{table}");
    }
    assert_eq!(first.of("app_config"), (2, 1, 0));
    assert_space_is_copied(&ops).await;
    let before = everything(&ops).await;
    let again = import(&ops, &python).await;
    assert_eq!((again.copied(), again.findings), (0, Vec::new()));
    assert_eq!(everything(&ops).await, before);
}

/// How many rows each table has; the audit without the entries of the runs themselves.
async fn everything(ops: &Ctx) -> [u64; 9] {
    let runs = audit::Entity::find().all(ops.store.read()).await.unwrap();
    let copied = runs.iter().filter(|entry| entry.edge == Edge::Python).count();
    [
        rows::<user_entity::Entity>(ops).await,
        rows::<area::Entity>(ops).await,
        rows::<equipment::Entity>(ops).await,
        rows::<equipment_link::Entity>(ops).await,
        rows::<equipment_note::Entity>(ops).await,
        rows::<repair::Entity>(ops).await,
        rows::<timeline::Entity>(ops).await,
        rows::<setting::Entity>(ops).await,
        copied as u64,
    ]
}

async fn assert_space_is_copied(ops: &Ctx) {
    let saw = find::<equipment::Entity>(ops, EquipmentId(17)).await;
    assert_eq!((saw.name.as_str(), saw.area_id, saw.manufacturer.as_str()), ("Table saw", AreaId(3), "Jet"));
    assert_eq!((saw.acquisition_cents, saw.archived, saw.version), (Some(125_050), false, 1));
    assert_eq!(saw.acquisition_date.unwrap().to_string(), "2020-02-29");
    assert!(find::<equipment::Entity>(ops, EquipmentId(60)).await.archived);
    let attic = find::<area::Entity>(ops, AreaId(4)).await;
    assert_eq!((attic.archived, attic.slack_channel.as_str(), attic.live_key), (true, "#attic", None));
    let gone = find::<user_entity::Entity>(ops, UserId(5)).await;
    assert_eq!((gone.active, gone.role), (false, Role::Technician));

    let open = find::<repair::Entity>(ops, RepairId(40)).await;
    assert_eq!((open.status, open.severity), (RepairStatus::InProgress, Some(Severity::Degraded)));
    assert_eq!((open.open, open.closed_at, open.assignee_id), (true, None, Some(UserId(2))));
    assert_eq!((open.reporter_name.as_str(), open.safety_risk, open.consumable), ("Ana", true, false));
    assert_eq!(open.created_at.to_rfc3339(), "2026-01-01T08:00:00+00:00");
    let (ahead, behind) =
        (find::<repair::Entity>(ops, RepairId(41)).await, find::<repair::Entity>(ops, RepairId(42)).await);
    assert_eq!((ahead.duplicate_of, behind.duplicate_of), (Some(RepairId(42)), Some(RepairId(40))));
    assert_eq!((ahead.reporter_name.as_str(), ahead.severity), ("tom", None));
    // Closed when its timeline says so, else when it was last changed.
    assert_eq!(ahead.closed_at.unwrap().to_rfc3339(), "2026-01-05T08:00:00+00:00");
    assert_eq!(behind.closed_at.unwrap().to_rfc3339(), "2026-01-02T12:00:00+00:00");

    let entries = timeline::Entity::find().order_by_asc(timeline::Column::Id);
    let entries = entries.all(ops.store.read()).await.unwrap();
    let lines: Vec<_> =
        entries.iter().map(|e| (e.kind, e.actor_name.as_str(), e.new_value.as_deref())).collect();
    assert_eq!(
        lines,
        [
            (TimelineKind::Created, "Ana", Some("New")),
            (TimelineKind::Assignee, "ada", Some("tom")),
            (TimelineKind::Status, "ada", Some("In Progress")),
            (TimelineKind::Eta, "tom", Some("2026-04-01")),
            (TimelineKind::Note, "tom", Some("Ordered a bolt")),
            (TimelineKind::Created, "tom", Some("New")),
            (TimelineKind::Status, "tom", Some("Closed - Duplicate")),
            (TimelineKind::DuplicateOf, "tom", Some("42")),
        ]
    );
    assert_eq!((entries[1].id, entries[1].new_user_id), (TimelineId(101), Some(UserId(2))));

    let audited = audit::Entity::find().order_by_asc(audit::Column::Id).all(ops.store.read()).await.unwrap();
    let entries: Vec<_> =
        audited.iter().map(|e| (e.action.as_str(), e.actor_name.as_str(), e.edge)).collect();
    assert_eq!(
        entries,
        [
            ("repair.created", "Somebody", Edge::Python),
            ("repair.updated", "ada", Edge::Python),
            ("legacy.imported", "command line", Edge::Cli),
        ]
    );
    assert_eq!(audited[1].old_value.as_deref(), Some(r#"{"status":"New"}"#));
    assert_eq!(audited[1].created_at.to_rfc3339(), "2026-01-01T09:00:00+00:00");
}

#[tokio::test]
async fn imported_repairs_are_editable_and_numbers_continue() {
    let (ops, python) = (empty().await, Python::with_rows(Version::V19).await);
    import(&ops, &python).await;
    let next = add_equipment(&ops, "Metal shop", "#metal", "Mill").await;
    assert_eq!(next, EquipmentId(61));
    let view = repairs::repair(&ops, RepairId(40), None).await.unwrap();
    assert_eq!(view.fields.assignee.unwrap().name, "tom");
    let web = serving(ops).await;
    let printed = web.browser().get("/public/equipment/17").await;
    let label = web.browser().get(printed.header("location")).await.text();
    assert!(label.contains("Table saw") && label.contains("Fence is loose"), "{label}");
}

#[tokio::test]
async fn dry_run_reports_the_same_without_writing() {
    let (ops, python) = (empty().await, Python::with_rows(Version::V19).await);
    let before = everything(&ops).await;
    let dry = try_import(&ops, &python, true).await.unwrap();
    assert_eq!(everything(&ops).await, before);
    assert_eq!(rows::<audit::Entity>(&ops).await, 0);
    let real = import(&ops, &python).await;
    assert_eq!((dry.tables, dry.findings), (real.tables, real.findings));
}

#[tokio::test]
async fn old_password_logs_in_and_is_rehashed() {
    let (ops, python) = (empty().await, Python::with_rows(Version::V14).await);
    import(&ops, &python).await;
    let hash = async || find::<user_entity::Entity>(&ops, UserId(1)).await.password_hash;
    let enter = async |name: &str, given: &str| log_in(&ops, name, given.into(), None).await.unwrap();
    assert_eq!(hash().await, HASH);
    assert!(enter("ada", "changeme1").await.is_none());
    assert!(enter("gone", PASSWORD).await.is_none(), "who was shut out stays so");
    assert!(enter("nobody", PASSWORD).await.is_none());
    assert_eq!(hash().await, HASH);
    assert!(enter("Ada", PASSWORD).await.is_some_and(|begun| begun.role == Role::Staff));
    let anew = hash().await;
    assert!(anew.starts_with("$argon2id$"), "{anew}");
    assert!(enter("ada", PASSWORD).await.is_some());
    assert_eq!(hash().await, anew);
    // A run after that leaves it so.
    assert_eq!(import(&ops, &python).await.copied(), 0);
    assert_eq!(hash().await, anew);
}

/// Users, areas, machines and links that do not fit.
async fn odd_registry(python: &Python) {
    let at = "'2025-05-01 10:00:00', '2025-05-02 11:00:00'";
    let users =
        "users (id, username, email, password_hash, role, slack_handle, is_active, created_at, updated_at)";
    python
        .rows(
            users,
            &[
                &format!("1, 'ada', 'no address', '{HASH}', 'admin', NULL, true, {at}"),
                &format!("2, 'Ada', 'b@example.org', 'pbkdf2:sha256:1$x$00', 'staff', NULL, true, {at}"),
                &format!("3, 'cy', 'B@example.org', '{HASH}', 'staff', NULL, true, {at}"),
            ],
        )
        .await;
    let areas = "areas (id, name, slack_channel, is_archived, sort_order, created_at, updated_at, colour)";
    python.rows(areas, &[&format!("1, 'Shop', 'two words', false, 0, {at}, 'red'")]).await;
    python.rows(areas, &[&format!("2, 'SHOP', NULL, false, 0, {at}, NULL")]).await;
    let equipment = "equipment (id, name, manufacturer, model, area_id, acquisition_cost, is_archived, \
                    created_at, updated_at, mac_machine_name)";
    python.rows(equipment, &[&format!("1, ' ', '', '', 1, -5, false, {at}, 'saw-1'")]).await;
    python.rows(equipment, &[&format!("2, 'Lost', '', '', 9, NULL, false, {at}, NULL")]).await;
    let links = [
        "1, 1, 'Bad', 'javascript:alert(1)', 'ada', '2025-05-03 10:00:00'",
        "2, 2, 'Lost', 'https://example.org', 'ada', '2025-05-03 10:00:00'",
    ];
    python.rows("external_links", &links).await;
}

/// Repairs and settings that do not fit.
async fn odd_repairs(python: &Python) {
    let at = "'2025-05-01 10:00:00', '2025-05-02 11:00:00'";
    let long = "x".repeat(4000);
    let repairs = "repair_records (id, equipment_id, status, severity, description, reporter_email, assignee_id, \
                   specialist_description, has_safety_risk, is_consumable, created_at, updated_at, \
                   duplicated_repair_id)";
    python
        .rows(
            repairs,
            &[
                &format!("1, 1, 'resolved', 'Awful', '{long}', 'x', 77, '{long}', false, false, {at}, 99"),
                &format!("2, 1, 'Lost', '', ' ', '', NULL, NULL, false, false, {at}, 1"),
                &format!("3, 2, 'New', 'Down', 'x', NULL, NULL, NULL, false, false, {at}, NULL"),
            ],
        )
        .await;
    let entries = "repair_timeline_entries (id, repair_record_id, entry_type, content, old_value, new_value, created_at)";
    python
        .rows(
            entries,
            &[
                "1, 1, 'severity_change', NULL, 'Down', 'Awful', '2025-05-03 10:00:00'",
                "2, 3, 'note', 'x', NULL, NULL, '2025-05-03 10:00:00'",
            ],
        )
        .await;
    python.rows("badges", &["1", "2"]).await;
    let settings = [
        "1, 'wifi_password', 'hush', '2025-05-01 10:00:00'",
        "2, 'mac_show_kiosk_idle', 'true', '2025-05-01 10:00:00'",
    ];
    python.rows("app_config (id, \"key\", value, updated_at)", &settings).await;
}

/// What is reported of them, except for an amount that each database writes in its own way.
const FINDINGS: [&str; 26] = [
    "areas.colour: not copied, there is no place for it here (1 rows)",
    "badges: not copied, there is no place for it here (2 rows)",
    "users 1 “ada”: email “no address” is no address: user-1@legacy.invalid instead",
    "users 1 “ada”: role “admin” is no role: Technician instead",
    "users 2 “Ada-2”: username “Ada” is taken: “Ada-2” instead",
    "users 2 “Ada-2”: has no usable password: set one on the Users page",
    "users 3 “cy”: email “B@example.org” is taken: user-3@legacy.invalid instead",
    "areas 1 “Shop”: slack_channel “two words” is no channel and is left empty",
    "areas 2 “SHOP (2)”: name “SHOP” is another area's too: “SHOP (2)” instead",
    "equipment 1 “Machine 1”: name “” is empty: “Machine 1” instead",
    "equipment 1 “Machine 1”: mac_machine_name “saw-1” is not kept: there is no such field here",
    "equipment 2 “Lost”: not copied: its area was not copied",
    "external_links 1 “Bad”: not copied: url “javascript:alert(1)” is no address of the web",
    "external_links 2 “Lost”: not copied: its machine was not copied",
    "repair_records 1: severity “Awful” is no severity: Not Sure instead",
    "repair_records 1: reporter_email “x” is no address and is left empty",
    "repair_records 1: assignee_id 77 is no user and is left empty",
    "repair_records 1: repeats repair 99, which was not copied",
    "repair_records 2: status “Lost” is no status: New instead",
    "repair_records 2: repeats repair 1, and is not closed for that",
    "repair_records 2: description “” is empty: “(no description)” instead",
    "repair_records 3: not copied: its machine was not copied",
    "repair_timeline_entries 1: entry_type “severity_change” is unknown and becomes a note",
    "repair_timeline_entries 2: not copied: its repair was not copied",
    "app_config 1 “wifi_password”: not copied: its value does not fit",
    "app_config 2 “mac_show_kiosk_idle”: not copied: there is no such setting here (“true”)",
];

#[tokio::test]
async fn unfit_values_are_listed_one_by_one() {
    let (ops, python) = (empty().await, Python::of(Version::Later).await);
    odd_registry(&python).await;
    odd_repairs(&python).await;
    let report = import(&ops, &python).await;
    for line in FINDINGS {
        assert!(report.findings.iter().any(|finding| finding == line), "{line}\n{:#?}", report.findings);
    }
    let cost = "equipment 1 “Machine 1”: acquisition_cost “-5";
    assert!(report.findings.iter().any(|finding| finding.starts_with(cost)), "{:#?}", report.findings);
    assert_eq!(report.findings.len(), FINDINGS.len() + 1, "{:#?}", report.findings);
    let first = find::<repair::Entity>(&ops, RepairId(1)).await;
    assert_eq!((first.status, first.reporter_name.as_str()), (RepairStatus::Resolved, "Unknown"));
    assert_eq!((first.description.len(), first.specialist_description.len()), (4000, 4000));
    let note = find::<timeline::Entity>(&ops, TimelineId(1)).await;
    assert_eq!(note.new_value.as_deref(), Some("severity change: Down → Awful"));
    assert_eq!(note.actor_name, "Somebody");
    // The same again: nobody is matched with another's account, nothing is doubled.
    let before = everything(&ops).await;
    assert_eq!(import(&ops, &python).await.copied(), 0);
    assert_eq!(everything(&ops).await, before);
}

#[tokio::test]
async fn existing_users_are_matched_and_unchanged() {
    let (ops, python) = (empty().await, Python::with_rows(Version::V14).await);
    // As `seed-admin` leaves it: number 1, which was ada's; tom's address under another name.
    user(&ops, "admin", Role::Staff).await;
    let hash = password::hash("another password".into()).await.unwrap();
    let seed = SeedAdmin {
        username: Username::parse("boss").unwrap(),
        email: EmailAddress::parse("TOM@example.org").unwrap(),
        slack_handle: None,
        password_hash: hash.clone(),
    };
    seed_admin(&ops, &operator(), seed).await.unwrap();
    let report = import(&ops, &python).await;
    assert_eq!(report.of("users"), (2, 1, 0));
    let meant =
        "users 2 “tom”: matched with the existing account “boss”, which stays unchanged, with its password";
    assert_eq!(report.findings, [meant]);
    let boss = find::<user_entity::Entity>(&ops, UserId(2)).await;
    assert_eq!((boss.username.as_str(), boss.role, boss.password_hash), ("boss", Role::Staff, hash));
    assert_eq!(find::<repair::Entity>(&ops, RepairId(40)).await.assignee_id, Some(UserId(2)));
    let ada = find::<user_entity::Entity>(&ops, UserId(6)).await;
    assert_eq!((ada.username.as_str(), ada.role), ("ada", Role::Staff));
    assert_eq!(find::<timeline::Entity>(&ops, TimelineId(101)).await.actor_user_id, Some(UserId(6)));
}

#[tokio::test]
async fn matched_user_stays_matched_after_rename() {
    let (ops, python) = (empty().await, Python::with_rows(Version::V14).await);
    let seed = SeedAdmin {
        username: Username::parse("boss").unwrap(),
        email: EmailAddress::parse("ada@example.org").unwrap(),
        slack_handle: None,
        password_hash: password::hash("another password".into()).await.unwrap(),
    };
    seed_admin(&ops, &operator(), seed).await.unwrap();
    import(&ops, &python).await;
    let before = everything(&ops).await;
    // Her address changes over there, and somebody comes who bears the name of her account here.
    python.run("UPDATE users SET email = 'ada@example.com' WHERE id = 1").await;
    python.run("UPDATE users SET username = 'boss' WHERE id = 5").await;
    let again = import(&ops, &python).await;
    assert_eq!((again.of("users"), everything(&ops).await), ((0, 3, 0), before));
    let boss = find::<user_entity::Entity>(&ops, UserId(1)).await;
    assert_eq!((boss.username.as_str(), boss.email.as_str()), ("boss", "ada@example.org"));
}

#[tokio::test]
async fn impossible_duplicate_links_are_dropped() {
    let (ops, python) = (empty().await, Python::with_rows(Version::V14).await);
    let repairs = "repair_records (id, equipment_id, status, description, has_safety_risk, is_consumable, \
                   created_at, updated_at, duplicated_repair_id)";
    for (id, equipment, status, repeated) in [
        (50, 17, "Closed - Duplicate", 50),
        (51, 17, "Closed - Duplicate", 53),
        (52, 17, "Closed - Duplicate", 51),
        (53, 17, "Closed - Duplicate", 52),
        (54, 60, "Closed - Duplicate", 40),
        (55, 17, "In Progress", 40),
        (56, 60, "Resolved", 53),
    ] {
        let at = "'2026-02-01 10:00:00', '2026-02-01 10:00:00'";
        let row = format!("{id}, {equipment}, '{status}', 'Broken', false, false, {at}, {repeated}");
        python.rows(repairs, &[&row]).await;
    }
    let report = import(&ops, &python).await;
    assert_eq!(
        report.findings,
        [
            "repair_records 50: repeats repair 50, which is itself: left empty",
            "repair_records 53: repeats repair 52, which repeats it in turn: left empty",
            "repair_records 54: repeats repair 40, which is of another machine",
            "repair_records 55: repeats repair 40, and is not closed for that",
            "repair_records 56: repeats repair 53, which is of another machine, and is not closed for that",
        ]
    );
    let links = async || {
        let repairs = repair::Entity::find().order_by_asc(repair::Column::Id).all(ops.store.read());
        let repairs = repairs.await.unwrap().into_iter().filter(|repair| repair.id >= RepairId(50));
        repairs.map(|repair| repair.duplicate_of.map(|id| id.0)).collect::<Vec<_>>()
    };
    let expected = [None, Some(53), Some(51), None, Some(40), Some(40), Some(53)];
    assert_eq!(links().await, expected);
    assert_eq!((import(&ops, &python).await.copied(), links().await), (0, expected.to_vec()));
}

#[tokio::test]
async fn existing_equipment_stops_the_import() {
    let (busy, python) = (empty().await, Python::with_rows(Version::V14).await);
    add_equipment(&busy, "Shop", "#shop", "Drill").await;
    for dry in [true, false] {
        let refused = try_import(&busy, &python, dry).await;
        assert!(matches!(refused, Err(OpError::Refused(_))), "{refused:?}");
    }
    assert_eq!((rows::<user_entity::Entity>(&busy).await, rows::<equipment::Entity>(&busy).await), (0, 1));

    let ops = empty().await;
    import(&ops, &python).await;
    let ours = add_equipment(&ops, "Metal shop", "#metal", "Mill").await;
    let at = "'2026-02-01 10:00:00', '2026-02-01 10:00:00'";
    let equipment = "equipment (id, name, manufacturer, model, area_id, is_archived, created_at, updated_at)";
    for (id, name) in [(ours.0, "Clash"), (62, "Sander")] {
        python.rows(equipment, &[&format!("{id}, '{name}', '', '', 3, false, {at}")]).await;
    }
    let repairs = "repair_records (id, equipment_id, status, description, has_safety_risk, is_consumable, \
                   created_at, updated_at)";
    for (id, equipment) in [(50, ours.0), (51, 62)] {
        python.rows(repairs, &[&format!("{id}, {equipment}, 'New', 'Broken', false, false, {at}")]).await;
    }
    let report = import(&ops, &python).await;
    assert_eq!((report.of("equipment"), report.of("repair_records")), ((1, 2, 1), (1, 3, 1)));
    assert_eq!(
        report.findings,
        [
            "equipment 61 “Clash”: not copied: its number was given to another here",
            "repair_records 50: not copied: its machine was not copied",
        ]
    );
    assert_eq!(find::<equipment::Entity>(&ops, ours).await.name, "Mill");
    assert_eq!(find::<repair::Entity>(&ops, RepairId(51)).await.equipment_id, EquipmentId(62));
}

#[tokio::test]
async fn interrupted_import_is_completed() {
    let (ops, python) = (empty().await, Python::with_rows(Version::V19).await);
    // The tables of the later steps fail for now.
    python.run("ALTER TABLE repair_timeline_entries RENAME TO away").await;
    python
        .run("CREATE TABLE repair_timeline_entries (id INTEGER NOT NULL PRIMARY KEY, entry_type DATE)")
        .await;
    python.run("INSERT INTO repair_timeline_entries VALUES (1, NULL)").await;
    assert!(try_import(&ops, &python, false).await.is_err());
    assert_eq!(rows::<equipment::Entity>(&ops).await, 2);
    python.run("DROP TABLE repair_timeline_entries").await;
    python.run("ALTER TABLE away RENAME TO repair_timeline_entries").await;
    let report = import(&ops, &python).await;
    assert_eq!((report.of("equipment"), report.of("repair_records")), ((0, 2, 0), (3, 0, 0)));
    assert_space_is_copied(&ops).await;
}

#[tokio::test]
async fn many_repairs_come_page_by_page() {
    let (ops, python) = (empty().await, Python::with_rows(Version::V14).await);
    let mut values = Vec::new();
    for id in 1000..3500 {
        values.push(format!(
            "({id}, 17, 'Resolved', 'Belt {id}', false, false, '2026-01-01 08:00:00', '2026-01-02 08:00:00')"
        ));
    }
    let columns =
        "id, equipment_id, status, description, has_safety_risk, is_consumable, created_at, updated_at";
    python.run(&format!("INSERT INTO repair_records ({columns}) VALUES {}", values.join(", "))).await;
    let report = import(&ops, &python).await;
    assert_eq!(report.of("repair_records"), (2503, 0, 0));
    assert!(report.pages >= 6 + 7, "{}", report.pages);
    assert_eq!(rows::<repair::Entity>(&ops).await, 2503);
    assert_eq!(import(&ops, &python).await.of("repair_records"), (0, 2503, 0));
}

#[tokio::test]
async fn import_reads_only_python_database_without_writing() {
    let (ours, python) = (TestDatabase::new().await, Python::with_rows(Version::V19).await);
    let store = ours.connect().await;
    store.migrate().await.unwrap();
    let same = Legacy::open(&ours.url().into()).await.map(|_| ());
    assert!(matches!(same, Err(ConnectError::NotPythonSystem)), "{same:?}");
    let opened = esb::store::Store::connect(&python.url().into()).await.map(|_| ());
    let refused = opened.unwrap_err().to_string();
    assert!(refused.contains("esb import-legacy"), "{refused}");
    let run = |url: &str, arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_esb"))
            .arg("import-legacy")
            .args(arguments)
            .env_clear()
            .env("DATABASE_URL", url)
            .current_dir(std::env::temp_dir())
            .output()
            .unwrap();
        let text = [output.stdout, output.stderr].concat();
        (output.status.code().unwrap(), String::from_utf8(text).unwrap())
    };
    for (here, there) in [(ours.url(), ours.url()), (python.url(), python.url()), (ours.url(), "nonsense")] {
        let (status, text) = run(here, &[there]);
        assert_eq!(status, 2, "{text}");
    }
    let away = format!("sqlite://{}/none.db", std::env::temp_dir().display());
    assert_eq!(run(ours.url(), &[&away]).0, 1);
    let (status, text) = run(ours.url(), &[python.url(), "--dry-run"]);
    assert!(status == 0 && text.contains("--dry-run") && text.contains("Everything fitted."), "{text}");
    let (status, text) = run(ours.url(), &[python.url()]);
    let counts = ["repair_records", "3", "3", "0", "0"];
    let counted = |line: &str| line.split_whitespace().eq(counts);
    assert!(status == 0 && text.lines().any(counted), "{text}");
    let ops = Ctx::new(store, Clock::system(), Announce::Nowhere);
    assert_eq!(find::<equipment::Entity>(&ops, EquipmentId(17)).await.name, "Table saw");
    if Kind::from_env() == Kind::Sqlite {
        return;
    }
    let (status, _) = run(ours.url(), &[&format!("{}x", python.url())]);
    assert_eq!(status, 1, "a server without that database");
}

/// Where the old files lie, and where ours go.
struct Disks {
    directory: TempDir,
    config: Config,
}

impl Disks {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name).display().to_string();
        let environment = [("UPLOAD_PATH", path("ours")), ("ESB_DATA_DIR", path("data"))];
        let environment = environment.map(|(name, value)| (name.to_owned(), value)).into();
        let config = Config::parse(&environment).unwrap();
        fs::create_dir(directory.path().join("old")).unwrap();
        Self { directory, config }
    }

    fn old(&self, path: &str, content: &[u8]) {
        let path = self.directory.path().join("old").join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    /// How many files are kept, small pictures too.
    fn kept(&self) -> usize {
        names(&self.directory.path().join("ours")).len()
    }

    async fn import(&self, ops: &Ctx, python: &Python, dry: bool) -> ImportReport {
        self.try_import(ops, python, dry).await.unwrap()
    }

    async fn try_import(&self, ops: &Ctx, python: &Python, dry: bool) -> Result<ImportReport, OpError> {
        let uploads = legacy_uploads(&self.config, ops, self.directory.path().join("old")).await.unwrap();
        let mut report = ImportReport::default();
        let mut tell = |event: Event<'_>| match event {
            Event::Finding(what) => report.findings.push(what.to_owned()),
            Event::Table(tally) => assert_eq!(report.tables.insert(tally.table, tally), None),
            Event::Progress(_) => {}
        };
        let old = python.open().await;
        import_legacy(ops, &operator(), &old, (dry, Some(&uploads)), &mut tell).await?;
        Ok(report)
    }
}

/// A picture of four pixels.
fn png() -> Vec<u8> {
    let mut png = Vec::new();
    let picture = image::RgbImage::from_pixel(2, 2, image::Rgb([200, 30, 30]));
    picture.write_to(&mut std::io::Cursor::new(&mut png), image::ImageFormat::Png).unwrap();
    png
}

/// Documents and photos, of which four are unfit.
async fn old_files(python: &Python, disks: &Disks) {
    let columns = "documents (id, original_filename, stored_filename, content_type, size_bytes, category, \
                   parent_type, parent_id, uploaded_by, created_at)";
    let at = "'2025-06-01 10:00:00'";
    python
        .rows(
            columns,
            &[
                &format!(
                    "11, 'Manual.pdf', 'a1.pdf', '', 9, 'owners_manual', 'equipment_doc', 17, 'ada', {at}"
                ),
                &format!("12, 'saw.jpg', 'a2.jpg', '', 9, NULL, 'equipment_photo', 17, 'ada', {at}"),
                &format!("13, 'fence.png', 'a3.png', '', 9, NULL, 'repair_photo', 40, 'tom', {at}"),
                &format!("14, 'lost.png', 'a4.png', '', 9, NULL, 'repair_photo', 40, 'tom', {at}"),
                &format!("15, 'evil.pdf', '../../a1.pdf', '', 9, 'other', 'equipment_doc', 17, 'ada', {at}"),
                &format!("16, 'page.pdf', 'a6.pdf', '', 9, 'other', 'equipment_doc', 17, 'ada', {at}"),
                &format!("17, 'none.png', 'a7.png', '', 9, NULL, 'repair_photo', 999, 'tom', {at}"),
            ],
        )
        .await;
    let entries =
        "repair_timeline_entries (id, repair_record_id, entry_type, author_name, content, created_at)";
    python.rows(entries, &[&format!("120, 40, 'photo', 'tom', '13', {at}")]).await;
    disks.old("equipment/17/docs/a1.pdf", b"%PDF-1.4\n%%EOF\n");
    // Named after another kind, as that system let people do.
    disks.old("equipment/17/photos/a2.jpg", &png());
    disks.old("repairs/40/a3.png", &png());
    disks.old("equipment/17/docs/a6.pdf", b"<html>");
}

#[tokio::test]
async fn files_are_copied_once_unfit_ones_listed() {
    let (ops, python, disks) = (empty().await, Python::with_rows(Version::V19).await, Disks::new());
    old_files(&python, &disks).await;
    // Without the directory all else comes, and files are asked for.
    let without = import(&ops, &python).await;
    assert_eq!(without.of("documents"), (0, 0, 7));
    let asked = "documents 11 “Manual.pdf”: not copied: its file was not asked for (--uploads)";
    assert!(without.findings.iter().any(|finding| finding == asked), "{:#?}", without.findings);
    let dry = disks.import(&ops, &python, true).await;
    assert_eq!((dry.of("documents"), disks.kept()), ((4, 0, 3), 0));

    let report = disks.import(&ops, &python, false).await;
    assert_eq!(report.of("documents"), (3, 0, 4));
    for finding in [
        "documents 14 “lost.png”: not copied: repairs/40/a4.png: the file is missing",
        "documents 15 “evil.pdf”: not copied: “../../a1.pdf” is no name of a file",
        "documents 17 “none.png”: not copied: its repair was not copied",
    ] {
        assert!(
            report.findings.iter().any(|reported| reported == finding),
            "{finding}\n{:#?}",
            report.findings
        );
    }
    let unfit = "documents 16 “page.pdf”: not copied: equipment/17/docs/a6.pdf: the file ";
    assert!(report.findings.iter().any(|finding| finding.starts_with(unfit)), "{:#?}", report.findings);
    assert_eq!(report.findings.len(), 4, "{:#?}", report.findings);
    let manual = find::<document::Entity>(&ops, DocumentId(11)).await;
    assert_eq!((manual.equipment_id, manual.category), (EquipmentId(17), DocumentCategory::OwnersManual));
    assert_eq!((manual.title.as_str(), manual.uploader_name.as_str()), ("Manual.pdf", "ada"));
    assert_eq!(
        (manual.uploader_user_id, manual.created_at.to_rfc3339().as_str()),
        (Some(UserId(1)), "2025-06-01T10:00:00+00:00")
    );
    let photo = find::<photo::Entity>(&ops, PhotoId(12)).await;
    assert_eq!(
        (photo.equipment_id, photo.kind, photo.original_name.as_str()),
        (Some(EquipmentId(17)), FileKind::Png, "saw.png")
    );
    assert_eq!(find::<photo::Entity>(&ops, PhotoId(13)).await.repair_id, Some(RepairId(40)));
    let entry = find::<timeline::Entity>(&ops, TimelineId(120)).await;
    assert_eq!((entry.kind, entry.new_value.as_deref()), (TimelineKind::Photo, Some("13")));

    let kept = disks.kept();
    assert!(kept >= 3);
    let again = disks.import(&ops, &python, false).await;
    assert_eq!((again.of("documents"), again.copied(), disks.kept()), ((0, 3, 4), 0, kept));
}

#[tokio::test]
async fn more_files_than_shown_are_reported() {
    let (ops, python, disks) = (empty().await, Python::with_rows(Version::V19).await, Disks::new());
    let columns = "documents (id, original_filename, stored_filename, content_type, size_bytes, category, \
                   parent_type, parent_id, uploaded_by, created_at)";
    for id in 1..=101 {
        let at = "'2025-06-01 10:00:00'";
        let row = format!("{id}, 'Manual.pdf', 'a1.pdf', '', 9, 'other', 'equipment_doc', 17, 'ada', {at}");
        python.rows(columns, &[&row]).await;
    }
    disks.old("equipment/17/docs/a1.pdf", b"%PDF-1.4\n%%EOF\n");
    let findings = ["equipment 17: has 101 documents, pages show the first 100"];
    assert_eq!(disks.import(&ops, &python, true).await.findings, findings);
    assert_eq!(disks.import(&ops, &python, false).await.findings, findings);
    let again = disks.import(&ops, &python, false).await;
    assert_eq!((again.findings, again.tables["documents"].here), (findings.map(str::to_owned).to_vec(), 101));
    python.run("DELETE FROM documents WHERE id = 101").await;
    assert_eq!(disks.import(&ops, &python, false).await.findings, Vec::<String>::new());
}

#[tokio::test]
async fn file_stays_while_its_row_is_unknown() {
    let (ops, python, disks) = (empty().await, Python::with_rows(Version::V19).await, Disks::new());
    old_files(&python, &disks).await;
    let broken = "ALTER TABLE documents DROP COLUMN uploader_slack_id";
    ops.store.write().execute_unprepared(broken).await.unwrap();
    let failed = disks.try_import(&ops, &python, false).await;
    assert!(matches!(failed, Err(OpError::Internal(_))), "{failed:?}");
    assert_eq!(disks.kept(), 1, "the sweep takes it");
}
