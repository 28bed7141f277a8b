//! SQLite's connections: one writer, first come, first served, and readers who wait for nobody.

use crate::support::app::DEADLINE;
use crate::support::database::{Kind, TestDatabase};
use esb::store::Store;
use esb::store::board::{bump_revision, revision};
use futures_util::future::join_all;
use futures_util::{FutureExt, poll};
use sea_orm::{ConnectionTrait, Database, DatabaseConnection, DbBackend, Statement, TransactionTrait};
use std::sync::Mutex;
use tokio::time::timeout;

async fn migrated() -> (TestDatabase, Store) {
    let database = TestDatabase::empty_of(Kind::Sqlite).await;
    let store = database.connect().await;
    store.migrate().await.unwrap();
    (database, store)
}

/// What a connection is set to, as text.
async fn pragma(db: &impl ConnectionTrait, name: &str) -> String {
    let ask = Statement::from_string(DbBackend::Sqlite, format!("PRAGMA {name}"));
    let row = db.query_one_raw(ask).await.unwrap().unwrap();
    let number = row.try_get_by_index::<i64>(0).map(|number| number.to_string());
    number.or_else(|_| row.try_get_by_index(0)).unwrap()
}

#[tokio::test]
async fn connections_use_wal_timeout_and_foreign_keys() {
    let (_database, store) = migrated().await;
    let writer = store.begin().await.unwrap();
    // At once, so that they are two.
    let readers = [store.read().begin().await.unwrap(), store.read().begin().await.unwrap()];
    for (name, value) in
        [("journal_mode", "wal"), ("synchronous", "2"), ("foreign_keys", "1"), ("busy_timeout", "5000")]
    {
        for reader in &readers {
            assert_eq!(pragma(reader, name).await, value, "{name}");
        }
        assert_eq!(pragma(&writer, name).await, value, "{name}");
    }
    for reader in readers {
        reader.rollback().await.unwrap();
    }
    writer.rollback().await.unwrap();
}

/// The database as a program sees it that waits for nobody.
async fn impatient(database: &TestDatabase) -> DatabaseConnection {
    let db = Database::connect(database.url()).await.unwrap();
    db.execute_unprepared("PRAGMA busy_timeout = 0").await.unwrap();
    db
}

#[tokio::test]
async fn write_transaction_never_blocks_readers() {
    let (database, store) = migrated().await;
    let before = revision(store.read()).await.unwrap();
    let writer = store.begin().await.unwrap();
    let other = impatient(&database).await;
    let refused = other.execute_unprepared("BEGIN IMMEDIATE").await.unwrap_err();
    assert!(refused.to_string().contains("locked"), "{refused}");
    bump_revision(&writer).await.unwrap();
    let read = timeout(DEADLINE, revision(store.read())).await.expect("readers do not wait");
    assert_eq!(read.unwrap(), before);
    writer.commit().await.unwrap();
    assert_eq!(revision(store.read()).await.unwrap(), before + 1);
    other.execute_unprepared("BEGIN IMMEDIATE").await.expect("nobody writes any more");
}

#[tokio::test]
async fn writers_are_served_in_order() {
    let (_database, store) = migrated().await;
    let first = store.begin().await.unwrap();
    let turns = Mutex::new(Vec::new());
    let mut waiting = Vec::new();
    for number in 0..20 {
        let (store, turns) = (&store, &turns);
        let mut writing = async move {
            let writer = store.begin().await.unwrap();
            turns.lock().unwrap().push(number);
            bump_revision(&writer).await.unwrap();
            writer.commit().await.unwrap();
        }
        .boxed_local();
        assert!(poll!(&mut writing).is_pending(), "there is one writer");
        waiting.push(writing);
    }
    first.commit().await.unwrap();
    // Polled in the reverse order, so that polling does not decide.
    waiting.reverse();
    join_all(waiting).await;
    assert_eq!(turns.into_inner().unwrap(), (0..20).collect::<Vec<_>>());
}
