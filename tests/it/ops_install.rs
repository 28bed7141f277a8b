//! First install: the staff user, demo data, the schema's steps.

use crate::support::lines::Lines;
use crate::support::ops::{empty, with_saw};
use esb::domain::actor::{Actor, Edge};
use esb::domain::text::{EmailAddress, Username};
use esb::ops::OpError;
use esb::ops::board::board;
use esb::ops::install::{DemoData, SeedAdmin, Seeded, load_demo_data, seed_admin};
use esb::ops::watch;
use esb::store::Store;
use esb::store::heartbeats::{self, WORKER};
use esb::worker::Heartbeat;
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
        password_hash: "hash".into(),
    }
}

#[tokio::test]
async fn a_known_staff_user_stays_untouched() {
    let ops = empty().await;
    let Seeded::Made(id) = seed_admin(&ops, &operator(), seed("Admin", "a@example.org")).await.unwrap()
    else {
        panic!("not made")
    };
    let again = seed_admin(&ops, &operator(), seed("ADMIN", "b@example.org")).await.unwrap();
    assert_eq!(again, Seeded::Known(id));
    let taken = seed_admin(&ops, &operator(), seed("other", "A@example.org")).await;
    assert!(matches!(taken, Err(OpError::Refused(refusal)) if refusal.field == Some("email")));
}

#[tokio::test]
async fn demo_data_is_the_same_every_time_and_only_for_an_empty_database() {
    let (first, second) = (empty().await, empty().await);
    load_demo_data(&first, &operator(), DemoData::default()).await.unwrap();
    load_demo_data(&second, &operator(), DemoData::default()).await.unwrap();
    let board_of = board(&first).await.unwrap();
    assert_eq!(board_of.areas, board(&second).await.unwrap().areas);
    assert_eq!(board_of.areas.len(), 4);
    assert_eq!(board_of.areas.iter().map(|area| area.machines.len()).sum::<usize>(), 60);
    let open: usize = board_of
        .areas
        .iter()
        .flat_map(|a| &a.machines)
        .filter_map(|m| m.headline.as_ref())
        .map(|h| h.open_repairs)
        .sum();
    assert_eq!(open, 25);
    let again = load_demo_data(&first, &operator(), DemoData::default()).await;
    assert!(matches!(again, Err(OpError::Refused(_))));
    let (busy, _) = with_saw().await;
    assert!(load_demo_data(&busy, &operator(), DemoData::default()).await.is_err());
}

#[tokio::test]
async fn large_demo_data_fits() {
    let ops = empty().await;
    let large = DemoData { areas: 40, machines: 5000, open_repairs: 1500, closed_repairs: 2000 };
    load_demo_data(&ops, &operator(), large).await.unwrap();
    assert_eq!(board(&ops).await.unwrap().areas.iter().map(|area| area.machines.len()).sum::<usize>(), 5000);
}

#[tokio::test]
async fn a_database_that_is_made_is_its_owners_and_one_that_is_there_stays_as_it_is() {
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
async fn the_queue_is_counted_and_the_worker_seen() {
    let (ops, saw) = with_saw().await;
    let empty = watch::queue(&ops).await.unwrap();
    assert_eq!((empty.owed, empty.oldest), (0, None));
    assert_eq!(watch::worker_last_iteration(&ops).await.unwrap(), None);
    let report = crate::support::ops::report(saw, 1);
    esb::ops::report_problem::report_problem(&ops, &operator(), report).await.unwrap();
    let now = ops.clock.now();
    ops.clock.advance(chrono::TimeDelta::minutes(5));
    let queue = watch::queue(&ops).await.unwrap();
    assert_eq!((queue.owed, queue.oldest), (2, Some(now)));
    heartbeats::beat(ops.store.write(), WORKER, now).await.unwrap();
    heartbeats::beat(ops.store.write(), WORKER, ops.clock.now()).await.unwrap();
    assert_eq!(watch::worker_last_iteration(&ops).await.unwrap(), Some(ops.clock.now()));
}

#[tokio::test]
async fn a_heartbeat_that_fails_says_what_to_do_once() {
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
