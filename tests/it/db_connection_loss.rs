//! Broken and stalled database connections are replaced, and none is held open while Slack is called.

use crate::support::app::{ANA, DEADLINE, TestApp};
use crate::support::database::{Kind, TestDatabase};
use crate::support::ops::{ana, report};
use crate::support::proxy::Proxy;
use chrono::DateTime;
use esb::ops::repairs::report_problem::report_problem;
use esb::store::board::bump_revision;
use esb::store::db_error::is_transient;
use esb::store::{Store, entities::board, heartbeats};
use esb_sandbox::{Fault, Sandbox};
use sea_orm::{ConnectionTrait, EntityTrait, Statement};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

/// Connections that a store keeps.
const POOL: usize = 8;
/// Longest time until the program works again (spec "Database").
const AGAIN: Duration = Duration::from_secs(60);
/// Longer than any test.
const LONG: Duration = Duration::from_secs(60);

/// A migrated database, the way to it, and all connections over it open.
struct Way {
    _database: TestDatabase,
    proxy: Proxy,
    store: Store,
}

impl Way {
    /// `None` for SQLite, to which there is none.
    async fn open() -> Option<Self> {
        if Kind::from_env() == Kind::Sqlite {
            eprintln!("skipped: there are no connections to a file");
            return None;
        }
        let database = TestDatabase::new().await;
        let proxy = Proxy::to(database.host()).await;
        let store = Store::connect(&database.url_via(proxy.address()).into()).await.unwrap();
        store.migrate().await.unwrap();
        let way = Self { _database: database, proxy, store };
        way.open_all().await;
        Some(way)
    }

    /// Uses all connections at once.
    async fn open_all(&self) {
        let all = futures_util::future::join_all((0..POOL).map(|_| self.store.begin())).await;
        for transaction in all {
            transaction.unwrap().rollback().await.unwrap();
        }
    }

    /// Writes what every operation writes, again and again until it works.
    async fn works_again(&self) {
        let working = async {
            while let Err(error) = self.bump().await {
                assert!(is_transient(&error), "{error}");
            }
        };
        timeout(AGAIN, working).await.expect("it does not get over it");
    }

    async fn bump(&self) -> Result<(), sea_orm::DbErr> {
        esb::store::db_error::within(DEADLINE, bump_revision(self.store.write())).await
    }

    async fn revision(&self) -> i64 {
        board::Entity::find().one(self.store.read()).await.unwrap().unwrap().revision
    }
}

#[tokio::test]
async fn broken_connections_are_replaced_before_anybody_notices() {
    let Some(way) = Way::open().await else { return };
    way.proxy.reset();
    futures_util::future::try_join_all((0..POOL).map(|_| way.bump())).await.unwrap();
    assert_eq!(way.revision().await, i64::try_from(POOL).unwrap());
}

#[tokio::test]
async fn database_that_was_away_is_used_again() {
    let Some(way) = Way::open().await else { return };
    way.proxy.refuse();
    assert!(is_transient(&way.bump().await.unwrap_err()));
    way.proxy.restore();
    way.works_again().await;
}

#[tokio::test]
async fn briefly_stalled_transaction_still_commits() {
    let Some(way) = Way::open().await else { return };
    let transaction = way.store.begin().await.unwrap();
    way.proxy.stall();
    let mut writing = Box::pin(bump_revision(&transaction));
    assert!(timeout(Duration::from_millis(200), &mut writing).await.is_err(), "nothing stalled");
    way.proxy.restore();
    writing.await.unwrap();
    transaction.commit().await.unwrap();
    assert_eq!(way.revision().await, 1);
}

#[tokio::test]
async fn dead_connections_and_their_locks_are_dropped() {
    let Some(way) = Way::open().await else { return };
    let mut open = Vec::new();
    for _ in 0..POOL {
        open.push(way.store.begin().await.unwrap());
    }
    // The server keeps the lock of this row: it hears nothing more of this connection, not even its end.
    bump_revision(&open[0]).await.unwrap();
    heartbeats::beat(&open[0], "lost", DateTime::UNIX_EPOCH).await.unwrap();
    way.proxy.stall_existing();
    for transaction in open {
        assert!(timeout(Duration::from_millis(50), transaction.commit()).await.is_err());
    }
    way.works_again().await;
    assert_eq!(heartbeats::latest(way.store.read(), "lost").await.unwrap(), None, "it was not committed");
    way.open_all().await;
}

#[tokio::test]
async fn idle_connections_that_lead_nowhere_cost_a_moment() {
    let Some(way) = Way::open().await else { return };
    way.proxy.stall_existing();
    way.bump().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn no_transaction_is_open_while_slack_is_called() {
    let (app, saw) = TestApp::with_saw().await;
    for method in ["chat.postMessage", "views.open"] {
        app.slack.fail_always(method, Fault::Delay(LONG));
    }
    report_problem(&app.app.ctx, &ana(), report(saw, 1)).await.unwrap();
    let deliverer = Arc::clone(&app.app.deliverer);
    let sending = tokio::spawn(async move { deliverer.settle().await });
    let opened = app.slack.command(ANA, "#woodshop", "/esb-report", "table saw").await.unwrap();
    assert!(opened.is_acknowledged());
    let called = |slack: &Sandbox| {
        (slack.calls("chat.postMessage").len() == 1 && slack.calls("views.open").len() == 1).then_some(())
    };
    assert!(app.slack.wait_for(DEADLINE, called).await.is_some(), "Slack was not called");

    let other = app.another_store().await;
    timeout(DEADLINE, bump_revision(other.write())).await.expect("somebody holds a lock").unwrap();
    let open = match Kind::from_env() {
        Kind::Sqlite => None,
        Kind::MariaDb => Some(
            "SELECT COUNT(*) AS open FROM information_schema.INNODB_TRX \
             JOIN information_schema.PROCESSLIST ON ID = trx_mysql_thread_id WHERE DB = DATABASE()",
        ),
        Kind::Postgres => Some(
            "SELECT COUNT(*) AS open FROM pg_stat_activity \
             WHERE datname = current_database() AND state LIKE 'idle in transaction%'",
        ),
    };
    if let Some(open) = open {
        let db = other.read();
        let row = db.query_one_raw(Statement::from_string(db.get_database_backend(), open)).await.unwrap();
        assert_eq!(row.unwrap().try_get::<i64>("", "open").unwrap(), 0);
    }
    assert!(!sending.is_finished(), "Slack has answered: the test says nothing");
    sending.abort();
}
