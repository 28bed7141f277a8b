//! SQLite's writer connection is replaced after failures without losing acknowledged writes.

use crate::support::database::{Kind, TestDatabase};
use esb::store::Store;
use esb::store::board::{bump_revision, revision};
use esb::store::db_error::is_transient;
use sea_orm::sqlx::sqlite::SqliteConnectOptions;
use sea_orm::{ConnectionTrait, Database, DatabaseConnection, DbErr};
use std::fs;
use std::time::{Duration, Instant};

/// Tables in which writes fail by themselves.
const TABLES: &str = "
    CREATE TABLE parents (id INTEGER PRIMARY KEY);
    CREATE TABLE children (parent INTEGER REFERENCES parents (id) DEFERRABLE INITIALLY DEFERRED);
    CREATE TABLE notes (text TEXT UNIQUE);
    INSERT INTO notes VALUES ('taken');
    CREATE TABLE cursed (x INTEGER);
    CREATE TRIGGER curse AFTER INSERT ON cursed BEGIN SELECT RAISE(ROLLBACK, 'as a full disk'); END;
";

async fn migrated() -> (TestDatabase, Store) {
    let database = TestDatabase::empty_of(Kind::Sqlite).await;
    let store = database.connect().await;
    store.migrate().await.unwrap();
    store.write().execute_unprepared(TABLES).await.unwrap();
    (database, store)
}

/// Changes something and then does this, in one transaction.
async fn change_and(store: &Store, sql: &str) -> Result<(), DbErr> {
    let tx = store.begin().await?;
    bump_revision(&tx).await?;
    tx.execute_unprepared(sql).await?;
    tx.commit().await
}

/// The file as another program sees it, which waits for nobody.
async fn other_program(database: &TestDatabase) -> DatabaseConnection {
    let db = Database::connect(database.url()).await.unwrap();
    db.execute_unprepared("PRAGMA busy_timeout = 0").await.unwrap();
    db
}

/// Ways in which a write fails: what is set before, what fails then, and whether it counts as an outage.
const FAILURES: [(&str, &str, &str, bool); 6] = [
    ("SQLite ends the transaction", "", "INSERT INTO cursed VALUES (1)", false),
    ("COMMIT fails", "", "INSERT INTO children VALUES (99)", false),
    ("a constraint", "", "INSERT INTO notes VALUES ('taken')", false),
    ("read-only", "PRAGMA query_only = 1", "INSERT INTO notes VALUES ('read-only')", true),
    ("no room", "PRAGMA max_page_count = 1", "INSERT INTO notes VALUES (zeroblob(3000000))", true),
    ("no statement", "", "INSERT INTO nowhere VALUES (1)", false),
];

#[tokio::test]
async fn writes_work_after_every_kind_of_failure() {
    let (database, store) = migrated().await;
    let other = other_program(&database).await;
    for (what, before, sql, counts_as_outage) in FAILURES {
        for in_transaction in [true, false] {
            let known = revision(&other).await.unwrap();
            store.write().execute_unprepared(before).await.unwrap();
            let failed = match in_transaction {
                true => change_and(&store, sql).await,
                false => store.write().execute_unprepared(sql).await.map(drop),
            };
            let error = failed.expect_err(what);
            assert_eq!(is_transient(&error), counts_as_outage, "{what}: {error}");
            assert_eq!(revision(&other).await.unwrap(), known, "{what}: half of a change is there");
            change_and(&store, "SELECT 1").await.unwrap_or_else(|error| panic!("after {what}: {error}"));
            assert_eq!(revision(&other).await.unwrap(), known + 1, "after {what}, it is not in the file");
            let locked = other.execute_unprepared("BEGIN IMMEDIATE; ROLLBACK").await;
            locked.unwrap_or_else(|error| panic!("after {what}: {error}"));
        }
    }
}

#[tokio::test]
async fn failed_statement_forbids_commit() {
    let (database, store) = migrated().await;
    let other = other_program(&database).await;
    let known = revision(&other).await.unwrap();
    for sql in ["INSERT INTO cursed VALUES (1)", "INSERT INTO notes VALUES ('taken')"] {
        let tx = store.begin().await.unwrap();
        tx.execute_unprepared(sql).await.unwrap_err();
        tx.commit().await.expect_err("half of a change is committed");
    }
    assert_eq!(revision(&other).await.unwrap(), known);
    change_and(&store, "SELECT 1").await.unwrap();
    assert_eq!(revision(&other).await.unwrap(), known + 1);
}

#[tokio::test]
async fn replacing_the_writer_connection_is_cheap() {
    let (_database, store) = migrated().await;
    let started = Instant::now();
    for _ in 0..100 {
        store.write().execute_unprepared("INSERT INTO notes VALUES ('taken')").await.unwrap_err();
    }
    let each = started.elapsed() / 100;
    eprintln!("a replaced connection: {each:?}");
    assert!(each < Duration::from_millis(200), "{each:?}");
}

#[tokio::test]
async fn journal_of_killed_process_is_undone() {
    let (database, store) = migrated().await;
    let known = revision(store.read()).await.unwrap();
    store.close().await.unwrap();
    let file = database.url().strip_prefix("sqlite://").unwrap().to_owned();
    let db = Database::connect(database.url()).await.unwrap();
    // A transaction that does not fit into the cache is half in the file and half in the journal.
    let killed = "PRAGMA journal_mode = DELETE; PRAGMA cache_size = 2; BEGIN IMMEDIATE;
                  UPDATE board SET revision = revision + 100;
                  INSERT INTO notes VALUES (hex(randomblob(2000000)))";
    db.execute_unprepared(killed).await.unwrap();
    let directory = tempfile::tempdir().unwrap();
    let copy = directory.path().join("esb.db");
    fs::copy(&file, &copy).unwrap();
    fs::copy(format!("{file}-journal"), format!("{}-journal", copy.display())).unwrap();
    let url = format!("sqlite://{}", copy.display());
    let read_only = url.parse::<SqliteConnectOptions>().unwrap().read_only(true);
    let look = sea_orm::sqlx::SqlitePool::connect_with(read_only).await.unwrap();
    let refused = sea_orm::sqlx::query("SELECT * FROM notes").fetch_all(&look).await.unwrap_err();
    assert!(refused.to_string().contains("readonly"), "{refused}");
    let store = Store::connect(&url.into()).await.unwrap();
    store.migrate().await.unwrap();
    assert_eq!(revision(store.read()).await.unwrap(), known);
    bump_revision(store.write()).await.unwrap();
}
