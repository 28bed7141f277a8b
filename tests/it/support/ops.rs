//! Operations on a database for one test, with a manual clock.

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
use esb::ops::repairs::report_problem::ReportProblem;
use esb::ops::{Announce, Ctx, board};
use esb::store;
use esb::store::delivery_queue::{self, Delivery, Head, LEASE};
use esb::store::entities::{delivery, repair};
use esb::store::users::NewUser;
use sea_orm::{EntityTrait, Set};
use std::path::Path;
use tempfile::TempDir;
use tokio_util::sync::{CancellationToken, DropGuard};

/// The time at which all tests start.
pub const START: &str = "2026-03-01T12:00:00Z";

/// Operations on a test database, which is removed with the value.
pub struct TestOps {
    pub ctx: Ctx,
    uploads: TempDir,
    _database: TestDatabase,
}

/// Tests do not depend on the free space of the disk.
pub const NO_RESERVE: DiskReserve = DiskReserve { bytes: 0, percent: 0 };

/// Maximum size of an upload.
pub const UPLOAD_MAX: u64 = 20 * MB;

impl TestOps {
    /// The directory of uploads.
    pub fn uploads(&self) -> &Path {
        self.uploads.path()
    }

    pub fn files(&self) -> Files {
        self.files_with(self.uploads(), NO_RESERVE)
    }

    /// Uploads in another directory, with a reserve of free space.
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

/// With the area "Wood shop" (`#woodshop`) and its machine "Table saw".
pub async fn with_saw() -> (TestOps, EquipmentId) {
    let ops = empty().await;
    let saw = add_equipment(&ops, "Wood shop", "#woodshop", "Table saw").await;
    (ops, saw)
}

/// Polls for new revisions, as a serving process does, until the value is dropped.
pub async fn poll_revisions(ops: &Ctx) -> DropGuard {
    let shutdown = CancellationToken::new();
    tokio::spawn(board::poll_revision(ops.clone(), shutdown.clone()));
    let mut revisions = board::follow(ops).await.unwrap();
    revisions.next().await.unwrap();
    shutdown.drop_guard()
}

/// Adds an area with one machine.
pub async fn add_equipment(ops: &Ctx, area: &str, channel: &str, name: &str) -> EquipmentId {
    let now = ops.clock.now();
    let db = ops.store.write();
    let area = store::areas::add(db, &self::area(area, channel), now).await.unwrap();
    let equipment = EquipmentDetails::bare(EquipmentName::parse(name).unwrap(), area);
    store::equipment::add(db, &equipment, now).await.unwrap()
}

/// An area, first on the board.
pub fn area(name: &str, channel: &str) -> AreaDetails {
    AreaDetails {
        name: AreaName::parse(name).unwrap(),
        slack_channel: ChannelRef::parse(channel),
        sort_order: 0,
    }
}

/// The user of that name, created if missing, with a random password.
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

/// Leases a delivery as another worker does, for the usual time.
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

/// A visitor without an account.
pub fn ana() -> Actor {
    Actor::visitor(Edge::Web, "Ana")
}

/// A valid report.
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

/// Opens a repair for each severity, in this order, a second apart.
pub async fn open_repairs(
    ops: &Ctx,
    equipment: EquipmentId,
    severities: impl IntoIterator<Item = Option<Severity>>,
) {
    let row = |(second, severity)| repair::ActiveModel {
        equipment_id: Set(equipment),
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
