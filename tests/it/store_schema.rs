//! Migrations: up and down, one process at a time, and never on another program's tables.

use crate::support::database::{Kind, TestDatabase};
use esb::ops::install::ConnectError;
use esb::store::Store;
use esb_migration::SchemaManager;
use sea_orm::ConnectionTrait;

fn applied(steps: &[(String, bool)]) -> usize {
    steps.iter().filter(|(_, applied)| *applied).count()
}

#[tokio::test]
async fn migrations_reverse_and_newer_schema_is_refused() {
    let database = TestDatabase::empty().await;
    let store = database.connect().await;
    assert_eq!(applied(&store.migrations().await.unwrap()), 0);
    store.migrate().await.unwrap();
    store.migrate().await.unwrap();
    let steps = store.migrations().await.unwrap();
    assert_eq!(applied(&steps), steps.len());
    store.migrate_down().await.unwrap();
    assert_eq!(applied(&store.migrations().await.unwrap()), steps.len() - 1);
    store.migrate().await.unwrap();
    let future = "INSERT INTO seaql_migrations (version, applied_at) VALUES ('m9999_later', 0)";
    store.write().execute_unprepared(future).await.unwrap();
    assert!(matches!(store.migrate().await, Err(ConnectError::Newer)));
}

#[tokio::test]
async fn expired_rows_are_found_by_index() {
    let database = TestDatabase::new().await;
    let store = database.connect().await;
    store.migrate().await.unwrap();
    let schema = SchemaManager::new(store.read());
    for (table, index) in [
        ("requests", "ix_requests_created_at"),
        ("deliveries", "ix_deliveries_state_finished_at"),
        ("photos", "ix_photos_created_at"),
    ] {
        assert!(schema.has_index(table, index).await.unwrap(), "{index}");
    }
}

#[tokio::test]
async fn one_process_migrates_while_others_wait() {
    let database = TestDatabase::empty().await;
    let mut starts = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let url = database.url().to_owned();
        starts.spawn(async move { Store::connect(&url.into()).await?.migrate().await });
    }
    for start in starts.join_all().await {
        start.unwrap();
    }
}

#[tokio::test]
async fn interrupted_migration_is_completed_or_rolled_back() {
    let database = TestDatabase::empty().await;
    let store = database.connect().await;
    store.migrate().await.unwrap();
    // The state after a process was killed during a migration without a transaction.
    store.write().execute_unprepared("DELETE FROM seaql_migrations").await.unwrap();
    store.write().execute_unprepared("DROP TABLE heartbeats").await.unwrap();
    let again = store.migrate().await;
    if Kind::from_env() == Kind::MariaDb {
        again.unwrap();
        let steps = store.migrations().await.unwrap();
        assert_eq!(applied(&steps), steps.len());
        store.write().execute_unprepared("DELETE FROM heartbeats").await.unwrap();
    } else {
        assert!(matches!(again, Err(ConnectError::Migrate(_))), "{again:?}");
        assert_eq!(applied(&store.migrations().await.unwrap()), 0);
        assert!(store.write().execute_unprepared("DELETE FROM heartbeats").await.is_err());
    }
}

#[tokio::test]
async fn tables_of_other_programs_are_left_alone() {
    let database = TestDatabase::empty().await;
    let store = database.connect().await;
    store.write().execute_unprepared("CREATE TABLE users (x INTEGER)").await.unwrap();
    assert!(matches!(store.migrate().await, Err(ConnectError::Occupied("users"))));
    store.write().execute_unprepared("DROP TABLE users").await.unwrap();
    store.migrate().await.unwrap();
}

#[tokio::test]
async fn python_database_is_not_touched() {
    let database = TestDatabase::empty().await;
    let store = database.connect().await;
    let theirs = "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)";
    store.write().execute_unprepared(theirs).await.unwrap();
    store.close().await.unwrap();
    let file = database.url().strip_prefix("sqlite://").map(std::path::PathBuf::from);
    let before = file.as_ref().map(|file| std::fs::read(file).unwrap());
    let refused = Store::connect(&database.url().into()).await.map(|_| ());
    assert!(matches!(refused, Err(ConnectError::PythonSystem)), "{refused:?}");
    assert_eq!(file.as_ref().map(|file| std::fs::read(file).unwrap()), before);
}
