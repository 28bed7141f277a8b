//! First installation: setup of the first staff user, demo data, and migrations.

use crate::support::lines::Lines;
use crate::support::ops::{empty, user, with_saw};
use esb::domain::actor::{Actor, Edge, Role};
use esb::domain::text::{EmailAddress, Username};
use esb::ops::OpError;
use esb::ops::accounts::manage_users::set_active;
use esb::ops::accounts::setup::{SetUp, SetupCode, is_wanted, set_up};
use esb::ops::accounts::sign_in::{by_session, log_in};
use esb::ops::board::board;
use esb::ops::deliveries::queue_stats;
use esb::ops::install::{
    DemoData, DemoLogin, SeedAdmin, SeedOutcome, load_demo_data, reset_admin, seed_admin,
};
use esb::store::Store;
use esb::store::entities::{audit, user as user_entity};
use esb::store::heartbeats::{self, WORKER};
use esb::worker::Heartbeat;
use sea_orm::{ActiveModelTrait, EntityTrait, QueryOrder, Set, Unchanged};
use secrecy::SecretString;
use serde_json::json;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use tracing::Level;

fn operator() -> Actor {
    Actor::visitor(Edge::Cli, "operator")
}

fn seed(name: &str, email: &str) -> SeedAdmin {
    SeedAdmin {
        username: Username::parse(name).unwrap(),
        email: EmailAddress::parse(email).unwrap(),
        slack_handle: None,
        password_hash: "$argon2id$of-nobody".into(),
    }
}

#[tokio::test]
async fn known_staff_user_stays_untouched() {
    let ops = empty().await;
    let SeedOutcome::Created(id) =
        seed_admin(&ops, &operator(), seed("Admin", "a@example.org")).await.unwrap()
    else {
        panic!("not made")
    };
    let again = seed_admin(&ops, &operator(), seed("ADMIN", "b@example.org")).await.unwrap();
    assert!(matches!(again, SeedOutcome::Exists(known) if known.id == id && known.has_password));
    let taken = seed_admin(&ops, &operator(), seed("other", "A@example.org")).await;
    assert!(matches!(taken, Err(OpError::Refused(refusal)) if refusal.field == Some("email")));
}

#[tokio::test]
async fn demo_data_is_deterministic_and_needs_empty_database() {
    let (first, second) = (empty().await, empty().await);
    load_demo_data(&first, &operator(), DemoData::default()).await.unwrap();
    load_demo_data(&second, &operator(), DemoData::default()).await.unwrap();
    let board_of = board(&first).await.unwrap();
    assert_eq!(board_of.areas, board(&second).await.unwrap().areas);
    assert_eq!(board_of.areas.len(), 4);
    assert_eq!(board_of.areas.iter().map(|area| area.equipment.len()).sum::<usize>(), 60);
    let open: usize = board_of
        .areas
        .iter()
        .flat_map(|a| &a.equipment)
        .filter_map(|m| m.headline.as_ref())
        .map(|h| h.open_repairs)
        .sum();
    assert_eq!(open, 25);
    let again = load_demo_data(&first, &operator(), DemoData::default()).await;
    assert!(matches!(again, Err(OpError::Refused(_))));
    let (busy, _) = with_saw().await;
    assert!(load_demo_data(&busy, &operator(), DemoData::default()).await.is_err());
}

const NO_MACHINES: DemoData = DemoData { areas: 1, equipment: 0, open_repairs: 0, closed_repairs: 0 };

#[tokio::test]
async fn demo_data_lets_its_reader_log_in() {
    let ops = empty().await;
    let logins = load_demo_data(&ops, &operator(), NO_MACHINES).await.unwrap();
    let who: Vec<_> = logins.iter().map(|login| (login.username, login.role)).collect();
    assert_eq!(who, [("sam", Role::Staff), ("tom", Role::Technician)]);
    for DemoLogin { username, role, password } in logins {
        let begun = log_in(&ops, username, password, None).await.unwrap().expect("they are let in");
        assert_eq!((begun.role, begun.must_change_password), (role, false));
    }
    assert!(log_in(&ops, "tessa", "!".into(), None).await.unwrap().is_none());
    assert!(!is_wanted(&ops).await.unwrap(), "sam can log in");
}

#[tokio::test]
async fn demo_data_leaves_known_users_alone() {
    let ops = empty().await;
    user(&ops, "sam", Role::Technician).await;
    let logins = load_demo_data(&ops, &operator(), NO_MACHINES).await.unwrap();
    assert_eq!(logins.iter().map(|login| login.username).collect::<Vec<_>>(), ["tom"]);
    assert!(is_wanted(&ops).await.unwrap(), "sam is no staff");
}

/// Leaves a staff user with this in place of the hash of a password.
async fn with_hash(ops: &esb::ops::Ctx, name: &str, hash: &str) {
    let id = user(ops, name, Role::Staff).await;
    let row = user_entity::ActiveModel {
        id: Unchanged(id),
        password_hash: Set(hash.to_owned()),
        ..Default::default()
    };
    row.update(ops.store.write()).await.unwrap();
}

#[tokio::test]
async fn setup_lives_until_staff_can_log_in() {
    let ops = empty().await;
    for unusable in ["!", "!ended", "", "none"] {
        with_hash(&ops, "ghost", unusable).await;
        assert!(is_wanted(&ops).await.unwrap(), "{unusable:?}");
    }
    user(&ops, "tess", Role::Technician).await;
    assert!(is_wanted(&ops).await.unwrap(), "a technician is no staff");
    for usable in ["$argon2id$v=19$x", "scrypt:32768:8:1$x$y"] {
        with_hash(&ops, "ghost", usable).await;
        assert!(!is_wanted(&ops).await.unwrap(), "{usable}");
    }
}

#[tokio::test]
async fn concurrent_setups_with_unusable_account_allow_one() {
    let ops = empty().await;
    with_hash(&ops, "ghost", "!").await;
    let code = SetupCode::random();
    let wanted = |name: &str| SetUp {
        code: code.for_log().to_owned(),
        username: Username::parse(name).unwrap(),
        email: EmailAddress::parse(&format!("{name}@example.org")).unwrap(),
        password: "changeme123".into(),
    };
    let visitor = Actor::visitor(Edge::Web, "A visitor");
    let (one, other) = tokio::join!(
        set_up(&ops, &visitor, &code, wanted("one")),
        set_up(&ops, &visitor, &code, wanted("other"))
    );
    assert_eq!([&one, &other].iter().filter(|done| done.is_ok()).count(), 1, "{one:?} {other:?}");
    let lost = if one.is_ok() { other } else { one };
    assert!(matches!(lost, Err(OpError::NotFound)), "{lost:?}");
}

#[tokio::test]
async fn last_staff_who_can_log_in_stays() {
    let ops = empty().await;
    with_hash(&ops, "ghost", "!").await;
    let stu = user(&ops, "stu", Role::Staff).await;
    let account = esb::domain::actor::Account { id: stu, role: Role::Staff };
    let actor = Actor::of_account(Edge::Web, "stu", account);
    let refused = set_active(&ops, &actor, stu, false).await;
    assert!(matches!(refused, Err(OpError::Refused(_))), "the other one cannot log in: {refused:?}");
}

#[tokio::test]
async fn reset_makes_a_user_active_staff_again() {
    let ops = empty().await;
    let password: SecretString = "changeme123".into();
    let hash = esb::ops::accounts::password::hash(password.clone()).await.unwrap();
    let name = Username::parse("tess").unwrap();
    let unknown = reset_admin(&ops, &operator(), &name, &hash).await;
    assert!(matches!(unknown, Err(OpError::NotFound)));
    let tess = user(&ops, "tess", Role::Technician).await;
    let session: SecretString = crate::support::web::session_of(&ops, tess).await.into();
    let row = user_entity::ActiveModel { id: Unchanged(tess), active: Set(false), ..Default::default() };
    row.update(ops.store.write()).await.unwrap();
    let before = reset_admin(&ops, &operator(), &name, &hash).await.unwrap();
    assert_eq!((before.role, before.active), (Role::Technician, false));
    assert!(by_session(&ops, &session).await.unwrap().is_none(), "earlier sessions have ended");
    let begun = log_in(&ops, "tess", password, None).await.unwrap().unwrap();
    assert_eq!((begun.role, begun.must_change_password), (Role::Staff, false));
    reset_admin(&ops, &operator(), &name, &hash).await.unwrap();
    let entries = audit::Entity::find().order_by_asc(audit::Column::Id).all(ops.store.read()).await.unwrap();
    let value = |text: &Option<String>| {
        text.as_deref().map(|text| serde_json::from_str::<serde_json::Value>(text).unwrap())
    };
    let changes: Vec<_> = entries
        .iter()
        .map(|entry| (entry.action.as_str(), value(&entry.old_value), value(&entry.new_value)))
        .collect();
    let (old, new) =
        (json!({"role": "Technician", "active": false}), json!({"role": "Staff", "active": true}));
    assert_eq!(changes.len(), 2, "{changes:?}");
    assert_eq!((changes[0].0, changes[1].0), ("user.password_reset", "user.password_reset"));
    assert_eq!((&changes[0].1, &changes[0].2), (&Some(old), &Some(new)));
    assert_eq!((&changes[1].1, &changes[1].2), (&None, &None), "nothing else was changed");
}

#[tokio::test]
async fn large_demo_data_fits() {
    let ops = empty().await;
    let large = DemoData { areas: 40, equipment: 5000, open_repairs: 1500, closed_repairs: 2000 };
    load_demo_data(&ops, &operator(), large).await.unwrap();
    assert_eq!(board(&ops).await.unwrap().areas.iter().map(|area| area.equipment.len()).sum::<usize>(), 5000);
}

#[tokio::test]
async fn new_database_file_is_private() {
    let directory = tempfile::tempdir().unwrap();
    let path = |name: &str| directory.path().join(name);
    let mode = |name: &str| fs::metadata(path(name)).unwrap().permissions().mode() & 0o777;
    let open = async |name: &str| {
        let store = Store::connect(&format!("sqlite://{}", path(name).display()).into()).await.unwrap();
        store.migrate().await.unwrap();
        store
    };
    let _made = open("x/y/esb.db").await;
    assert_eq!([mode("x"), mode("x/y")], [0o700, 0o700]);
    assert_eq!(["x/y/esb.db", "x/y/esb.db-wal", "x/y/esb.db-shm"].map(mode), [0o600, 0o600, 0o600]);
    fs::create_dir(path("old")).unwrap();
    fs::write(path("old/esb.db"), "").unwrap();
    for (name, wider) in [("old", 0o750), ("old/esb.db", 0o640)] {
        fs::set_permissions(path(name), Permissions::from_mode(wider)).unwrap();
    }
    let _found = open("old/esb.db").await;
    assert_eq!((mode("old"), mode("old/esb.db")), (0o750, 0o640));
}

#[tokio::test]
async fn queue_stats_show_pending_and_worker_heartbeat() {
    let (ops, saw) = with_saw().await;
    let empty = queue_stats::queue(&ops).await.unwrap();
    assert_eq!((empty.pending, empty.oldest), (0, None));
    assert_eq!(queue_stats::worker_last_iteration(&ops).await.unwrap(), None);
    let report = crate::support::ops::report(saw, 1);
    esb::ops::repairs::report_problem::report_problem(&ops, &operator(), report).await.unwrap();
    let now = ops.clock.now();
    ops.clock.advance(chrono::TimeDelta::minutes(5));
    let queue = queue_stats::queue(&ops).await.unwrap();
    assert_eq!((queue.pending, queue.oldest), (2, Some(now)));
    heartbeats::beat(ops.store.write(), WORKER, now).await.unwrap();
    heartbeats::beat(ops.store.write(), WORKER, ops.clock.now()).await.unwrap();
    assert_eq!(queue_stats::worker_last_iteration(&ops).await.unwrap(), Some(ops.clock.now()));
}

#[tokio::test]
async fn failing_heartbeat_is_logged_once() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("none/beat");
    let lines = Lines::from(Level::ERROR);
    let heartbeat = Heartbeat::new(path.clone());
    heartbeat.touch();
    heartbeat.touch();
    let told = lines.with(&format!("Failed to update worker heartbeat at {}: ", path.display()));
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("set WORKER_HEARTBEAT_PATH"), "{told:?}");
}
