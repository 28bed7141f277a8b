//! The schema's steps: up, down, by one process at a time, and never into another program's tables.

use crate::support::database::{Kind, TestDatabase};
use esb::domain::ids::DeliveryId;
use esb::ops::install::ConnectError;
use esb::store::Store;
use esb::store::entities::delivery;
use esb_migration::SchemaManager;
use sea_orm::{ConnectionTrait, EntityTrait, QuerySelect};

fn applied(steps: &[(String, bool)]) -> usize {
    steps.iter().filter(|(_, applied)| *applied).count()
}

#[tokio::test]
async fn steps_go_up_down_and_up_again_and_a_newer_schema_is_refused() {
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

/// The step that brought deliveries to people.
const JOB_MESSAGES: &str = "m0010_job_messages";

#[tokio::test]
async fn a_step_down_leaves_no_delivery_that_the_program_before_could_not_read() {
    let database = TestDatabase::empty().await;
    let store = database.connect().await;
    store.migrate().await.unwrap();
    let delivery = |id: i64, kind: &str, job: &str| {
        format!(
            "INSERT INTO deliveries (id, target, dedupe_key, lane, event, state, failures, rejections, due_at, \
             created_at, kind, job_id) VALUES ({id}, 'U1', 'key{id}', 'lane', '', 'pending', 0, 0, \
             '2026-01-01 00:00:00', '2026-01-01 00:00:00', '{kind}', {job})"
        )
    };
    let attempt = "INSERT INTO delivery_attempts (delivery_id, outcome, duration_ms, created_at) VALUES \
                   (1, 'internal_error', 5, '2026-01-01 00:00:00')";
    for row in [delivery(1, "password", "NULL"), delivery(2, "message", "7"), delivery(3, "message", "NULL")]
    {
        store.write().execute_unprepared(&row).await.unwrap();
    }
    store.write().execute_unprepared(attempt).await.unwrap();
    // Until the step is taken back that brought them.
    while store.migrations().await.unwrap().iter().any(|step| step == &(JOB_MESSAGES.to_owned(), true)) {
        store.migrate_down().await.unwrap();
    }
    store.migrate().await.unwrap();
    let left: Vec<DeliveryId> = delivery::Entity::find()
        .select_only()
        .column(delivery::Column::Id)
        .into_tuple()
        .all(store.read())
        .await
        .unwrap();
    assert_eq!(left, [DeliveryId(3)]);
}

#[tokio::test]
async fn what_is_removed_by_age_is_found_by_an_index() {
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
async fn of_many_processes_one_migrates_and_the_others_wait() {
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
async fn a_step_that_was_cut_off_is_made_whole_or_leaves_nothing_behind() {
    let database = TestDatabase::empty().await;
    let store = database.connect().await;
    store.migrate().await.unwrap();
    // As a process leaves it that is killed within a step, where steps are no transactions.
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
async fn the_tables_of_another_program_are_left_alone() {
    let database = TestDatabase::empty().await;
    let store = database.connect().await;
    store.write().execute_unprepared("CREATE TABLE users (x INTEGER)").await.unwrap();
    assert!(matches!(store.migrate().await, Err(ConnectError::Occupied("users"))));
    store.write().execute_unprepared("DROP TABLE users").await.unwrap();
    store.migrate().await.unwrap();
}

#[tokio::test]
async fn the_python_systems_database_is_not_touched() {
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
