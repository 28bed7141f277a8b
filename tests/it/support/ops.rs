//! Operations over a database of their own, with a manual clock.

use super::database::TestDatabase;
use chrono::{DateTime, TimeDelta, Utc};
use esb::clock::Clock;
use esb::domain::actor::{Actor, Edge, Role};
use esb::domain::area::AreaDetails;
use esb::domain::channel::ChannelRef;
use esb::domain::equipment::EquipmentDetails;
use esb::domain::file::{DiskReserve, MB};
use esb::domain::ids::{DeliveryId, EquipmentId, UserId};
use esb::domain::repair::{RepairStatus, Severity};
use esb::domain::text::{
    AreaName, Description, EmailAddress, EquipmentName, PersonName, RequestId, Username,
};
use esb::files::Files;
use esb::ops::report_problem::ReportProblem;
use esb::ops::{Announce, Ctx, board};
use esb::store;
use esb::store::delivery_queue::{self, Delivery, Head, LEASE};
use esb::store::entities::{delivery, repair};
use esb::store::users::NewUser;
use sea_orm::{EntityTrait, Set};
use std::path::Path;
use tempfile::TempDir;
use tokio_util::sync::{CancellationToken, DropGuard};

/// Midnight before the day on which all tests happen.
pub const START: &str = "2026-03-01T12:00:00Z";

/// A database with the operations over it; gone with the value.
pub struct TestOps {
    pub ctx: Ctx,
    uploads: TempDir,
    _database: TestDatabase,
}

/// Tests do not depend on the room of the machine's disk.
pub const NO_RESERVE: DiskReserve = DiskReserve { bytes: 0, percent: 0 };

/// Largest file of tests.
pub const UPLOAD_MAX: u64 = 20 * MB;

impl TestOps {
    /// The directory of uploads.
    pub fn uploads(&self) -> &Path {
        self.uploads.path()
    }

    /// What is taken in there.
    pub fn files(&self) -> Files {
        self.files_with(self.uploads(), NO_RESERVE)
    }

    /// What is taken in elsewhere, while so much is left free there.
    pub fn files_with(&self, directory: &Path, reserve: DiskReserve) -> Files {
        Files::new(directory.to_owned(), UPLOAD_MAX, reserve, self.store.clone(), self.clock.clone())
    }
}

impl std::ops::Deref for TestOps {
    type Target = Ctx;

    fn deref(&self) -> &Ctx {
        &self.ctx
    }
}

/// A migrated, empty database; announcements go to `#oops`.
pub async fn empty() -> TestOps {
    let database = TestDatabase::new().await;
    let store = database.connect().await;
    with_store(database, store)
}

/// The same on another database, which is migrated here.
pub async fn on_database(database: TestDatabase) -> TestOps {
    let store = database.connect().await;
    store.migrate().await.unwrap();
    with_store(database, store)
}

fn with_store(database: TestDatabase, store: store::Store) -> TestOps {
    let clock = Clock::manual(START.parse::<DateTime<Utc>>().unwrap());
    let announce = Announce::Slack { oops: ChannelRef::parse("#oops") };
    let uploads = tempfile::tempdir().unwrap();
    TestOps { ctx: Ctx::new(store, clock, announce), uploads, _database: database }
}

/// One area, "Wood shop" with `#woodshop`, and one machine, "Table saw".
pub async fn with_saw() -> (TestOps, EquipmentId) {
    let ops = empty().await;
    let saw = machine(&ops, "Wood shop", "#woodshop", "Table saw").await;
    (ops, saw)
}

/// Looks for new revisions, as a serving process does, for as long as the value is held.
pub async fn poll_revisions(ops: &Ctx) -> DropGuard {
    let shutdown = CancellationToken::new();
    tokio::spawn(board::poll_revision(ops.clone(), shutdown.clone()));
    let mut revisions = board::follow(ops).await.unwrap();
    revisions.next().await.unwrap();
    shutdown.drop_guard()
}

/// Adds an area with one machine.
pub async fn machine(ops: &Ctx, area: &str, channel: &str, name: &str) -> EquipmentId {
    let now = ops.clock.now();
    let db = ops.store.write();
    let area = store::areas::add(db, &self::area(area, channel), now).await.unwrap();
    let machine = EquipmentDetails::bare(EquipmentName::parse(name).unwrap(), area);
    store::equipment::add(db, &machine, now).await.unwrap()
}

/// An area, first on the board.
pub fn area(name: &str, channel: &str) -> AreaDetails {
    AreaDetails {
        name: AreaName::parse(name).unwrap(),
        slack_channel: ChannelRef::parse(channel),
        sort_order: 0,
    }
}

/// The user of that name, made where there is none. They have a password that nobody knows.
pub async fn user(ops: &Ctx, name: &str, role: Role) -> UserId {
    let (db, username) = (ops.store.write(), Username::parse(name).unwrap());
    if let Some(user) = store::users::named(db, &username).await.unwrap() {
        return user.id;
    }
    let email = EmailAddress::parse(&format!("{name}@example.org")).unwrap();
    let password_hash = "$argon2id$of-nobody".to_owned();
    let new = NewUser {
        username: &username,
        email: &email,
        role,
        slack_handle: None,
        password_hash,
        must_change_password: false,
    };
    store::users::add(db, new, ops.clock.now()).await.unwrap()
}

/// Takes the lease of a delivery as another worker does, for as long as leases hold.
pub async fn lease(ops: &Ctx, id: DeliveryId, holder: &str, now: DateTime<Utc>) -> Option<Delivery> {
    let db = ops.store.write();
    let row = delivery::Entity::find_by_id(id).one(db).await.unwrap().unwrap();
    let seen = Head {
        id,
        target: row.target,
        kind: row.kind,
        state: row.state,
        failures: row.failures,
        due_at: row.due_at,
        in_doubt_since: row.in_doubt_since,
        lease: row.lease,
        leased_until: row.leased_until,
        card_channel: None,
    };
    delivery_queue::lease(db, &seen, holder, now, now + LEASE).await.unwrap()
}

/// Somebody without an account.
pub fn ana() -> Actor {
    Actor::visitor(Edge::Web, "Ana")
}

/// A report that nothing is wrong with.
pub fn report(equipment: EquipmentId, request: u8) -> ReportProblem {
    ReportProblem {
        equipment,
        reporter_name: PersonName::parse("Ana").unwrap(),
        reporter_email: None,
        description: Description::parse("Blade wobbles").unwrap(),
        severity: Severity::Down,
        safety_risk: false,
        consumable: false,
        note: None,
        request_id: RequestId::from_random([request; 16]),
    }
}

/// Opens a repair of each severity given, in this order, a second apart.
pub async fn open_repairs(
    ops: &Ctx,
    machine: EquipmentId,
    severities: impl IntoIterator<Item = Option<Severity>>,
) {
    let row = |(second, severity)| repair::ActiveModel {
        equipment_id: Set(machine),
        description: Set("Blade wobbles".into()),
        severity: Set(severity),
        status: Set(RepairStatus::New),
        open: Set(true),
        reporter_name: Set("Ana".into()),
        specialist_description: Set(String::new()),
        safety_risk: Set(false),
        consumable: Set(false),
        version: Set(1),
        created_at: Set(ops.clock.now() + TimeDelta::seconds(second)),
        ..Default::default()
    };
    let rows = (0..).zip(severities).map(row);
    let tx = ops.store.begin().await.unwrap();
    repair::Entity::insert_many(rows).exec_without_returning(&tx).await.unwrap();
    ops.commit_visible(tx).await.unwrap();
}
