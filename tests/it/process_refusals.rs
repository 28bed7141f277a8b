//! A database that ESB must not touch: exit status, message, and that nothing is written.

use crate::support::database::Kind;
use crate::support::process::Installation;
use crate::support::python::{Python, Version};
use sea_orm::{ConnectionTrait, Database, Statement};
use std::collections::BTreeMap;
use std::path::Path;

#[tokio::test(flavor = "multi_thread")]
async fn newer_schema_exits_with_status_1() {
    let here = Installation::new().await;
    let store = here.database.connect().await;
    store.migrate().await.unwrap();
    let future = "INSERT INTO seaql_migrations (version, applied_at) VALUES ('m9999_later', 0)";
    store.write().execute_unprepared(future).await.unwrap();
    store.close().await.unwrap();
    let before = content(here.database.url()).await;
    for arguments in [&["serve"][..], &["worker"], &["migrate", "up"], &["migrate", "down", "--yes"]] {
        let (status, said) = here.run_to_end(arguments).await;
        assert_eq!(status, Some(1), "{arguments:?}: {said}");
        assert!(said.contains("newer than this program: install the newer version"), "{arguments:?}: {said}");
    }
    assert_eq!(content(here.database.url()).await, before);
    assert_eq!(here.slack.all_calls().len(), 0, "nobody spoke to Slack");
}

#[tokio::test(flavor = "multi_thread")]
async fn python_database_exits_with_status_2_unwritten() {
    let python = Python::with_rows(Version::V19).await.into_database().await;
    let (before, there) = (content(python.url()).await, files(python.url()));
    assert!(before["repair_records"].len() > 1, "{before:?}");
    let here = Installation::on(python);
    for arguments in [&["serve"][..], &["serve", "--without-worker"], &["worker"], &["migrate", "up"]] {
        let (status, said) = here.run_to_end(arguments).await;
        assert_eq!(status, Some(2), "{arguments:?}: {said}");
        assert!(said.contains("nothing was written to it"), "{arguments:?}: {said}");
        assert!(said.contains("`esb import-legacy <address of this one>`"), "{arguments:?}: {said}");
        assert!(files(here.database.url()) == there, "{arguments:?} wrote to a file");
        assert_eq!(content(here.database.url()).await, before, "{arguments:?} wrote");
    }
    assert_eq!(here.slack.all_calls().len(), 0, "nobody spoke to Slack");
}

/// Every table with all of its rows, as text.
async fn content(url: &str) -> BTreeMap<String, Vec<String>> {
    let read_only = if Kind::from_env() == Kind::Sqlite { "?mode=ro" } else { "" };
    let db = Database::connect(format!("{url}{read_only}")).await.unwrap();
    let ask = async |sql: &str| {
        let asked = Statement::from_string(db.get_database_backend(), sql);
        let rows = db.query_all_raw(asked).await.unwrap();
        rows.iter().map(|row| row.try_get_by_index::<String>(0).unwrap()).collect::<Vec<_>>()
    };
    let tables = match Kind::from_env() {
        Kind::Sqlite => "SELECT name FROM sqlite_master WHERE type = 'table'",
        Kind::MariaDb => "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE()",
        Kind::Postgres => "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public'",
    };
    let mut content = BTreeMap::new();
    for table in ask(tables).await {
        let row = match Kind::from_env() {
            Kind::Postgres => "whole::text".to_owned(),
            Kind::Sqlite => {
                let each = "SELECT group_concat('quote(\"' || name || '\")', ' || ') FROM pragma_table_info";
                ask(&format!("{each}('{table}')")).await.remove(0)
            }
            Kind::MariaDb => {
                let each = "SELECT CAST(GROUP_CONCAT('QUOTE(`', COLUMN_NAME, '`)') AS CHAR) FROM \
                            information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME";
                format!("CAST(CONCAT({}) AS CHAR)", ask(&format!("{each} = '{table}'")).await.remove(0))
            }
        };
        let named = if Kind::from_env() == Kind::MariaDb { "`" } else { "\"" };
        let rows = format!("SELECT {row} FROM {named}{table}{named} AS whole ORDER BY 1");
        content.insert(table, ask(&rows).await);
    }
    db.close().await.unwrap();
    content
}

/// The files that SQLite has there; none elsewhere.
fn files(url: &str) -> BTreeMap<String, Vec<u8>> {
    let Some(file) = url.strip_prefix("sqlite://") else { return BTreeMap::new() };
    let folder = Path::new(file).parent().unwrap();
    let paths = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    paths.map(|path| (path.display().to_string(), std::fs::read(path).unwrap())).collect()
}
