//! Classifies database errors by each driver's codes, such as those that are transient.

use sea_orm::sqlx::Error as SqlxError;
use sea_orm::sqlx::error::DatabaseError;
use sea_orm::sqlx::mysql::MySqlDatabaseError;
use sea_orm::sqlx::sqlite::SqliteError;
use sea_orm::{ConnAcquireErr, DbErr, RuntimeErr};
use std::time::Duration;
use tokio::time::timeout;

/// True when the database does not answer, is overloaded or unreachable: a later retry may work.
pub fn is_transient(error: &DbErr) -> bool {
    match error {
        DbErr::ConnectionAcquire(_) => true,
        DbErr::Conn(RuntimeErr::SqlxError(error))
        | DbErr::Exec(RuntimeErr::SqlxError(error))
        | DbErr::Query(RuntimeErr::SqlxError(error)) => by_driver(error),
        _ => false,
    }
}

/// True when SQLite's file was not writable: it is on a read-only file system, or was opened read-only and has to
/// be recovered first.
pub(super) fn is_read_only(error: &DbErr) -> bool {
    let (DbErr::Conn(RuntimeErr::SqlxError(error))
    | DbErr::Exec(RuntimeErr::SqlxError(error))
    | DbErr::Query(RuntimeErr::SqlxError(error))) = error
    else {
        return false;
    };
    let SqlxError::Database(error) = error.as_ref() else { return false };
    let code = error.try_downcast_ref::<SqliteError>().and_then(|error| error.code()?.parse::<u32>().ok());
    code.is_some_and(|code| code & 0xff == SQLITE_READONLY)
}

/// True when the MariaDB server has no database of the URL's name.
pub(super) fn is_unknown_database(error: &DbErr) -> bool {
    let DbErr::Conn(RuntimeErr::SqlxError(error)) = error else { return false };
    let SqlxError::Database(error) = error.as_ref() else { return false };
    error
        .try_downcast_ref::<MySqlDatabaseError>()
        .is_some_and(|error| error.number() == MARIADB_UNKNOWN_DATABASE)
}

/// Stops waiting for the database after `limit`, and returns an outage error.
pub async fn within<T>(limit: Duration, asked: impl Future<Output = Result<T, DbErr>>) -> Result<T, DbErr> {
    timeout(limit, asked).await.unwrap_or(Err(DbErr::ConnectionAcquire(ConnAcquireErr::Timeout)))
}

/// True when the database aborted this transaction in favor of another. An immediate retry works.
pub fn is_deadlock(error: &DbErr) -> bool {
    let (DbErr::Exec(RuntimeErr::SqlxError(error)) | DbErr::Query(RuntimeErr::SqlxError(error))) = error
    else {
        return false;
    };
    let SqlxError::Database(error) = error.as_ref() else { return false };
    match error.try_downcast_ref::<MySqlDatabaseError>() {
        Some(error) => error.number() == MARIADB_DEADLOCK,
        None => error.code().is_some_and(|code| POSTGRES_DEADLOCK.contains(&code.as_ref())),
    }
}

/// Most attempts of a transaction that the database aborts in favor of another.
const DEADLOCKS: usize = 10;

/// Runs one transaction or one statement; retries it when the database aborts it in favor of another, up to ten
/// times in all.
pub async fn retry_on_deadlock<T, E, F>(
    is_deadlock: impl Fn(&E) -> bool,
    once: impl Fn() -> F,
) -> Result<T, E>
where
    F: Future<Output = Result<T, E>>,
{
    for _ in 1..DEADLOCKS {
        match once().await {
            Err(error) if is_deadlock(&error) => tracing::debug!("deadlock, transaction retried"),
            outcome => return outcome,
        }
    }
    once().await
}

/// `ER_BAD_DB_ERROR`.
const MARIADB_UNKNOWN_DATABASE: u16 = 1049;
/// `ER_LOCK_DEADLOCK`.
const MARIADB_DEADLOCK: u16 = 1213;
/// `serialization_failure`, `deadlock_detected`.
const POSTGRES_DEADLOCK: [&str; 2] = ["40001", "40P01"];

fn by_driver(error: &SqlxError) -> bool {
    match error {
        SqlxError::Io(_)
        | SqlxError::Tls(_)
        | SqlxError::Protocol(_)
        | SqlxError::PoolTimedOut
        | SqlxError::PoolClosed
        | SqlxError::WorkerCrashed => true,
        SqlxError::Database(error) => {
            let code = error.code().unwrap_or_default();
            if error.try_downcast_ref::<SqliteError>().is_some() {
                code.parse().is_ok_and(sqlite)
            } else if let Some(error) = error.try_downcast_ref::<MySqlDatabaseError>() {
                mariadb(error.number())
            } else {
                postgres(&code)
            }
        }
        _ => false,
    }
}

/// `SQLITE_READONLY`.
const SQLITE_READONLY: u32 = 8;

/// Busy, read-only, cannot be read or written, full, cannot be opened. The driver returns extended result codes,
/// whose low byte is the primary code used here (<https://sqlite.org/rescode.html>).
const fn sqlite(code: u32) -> bool {
    matches!(code & 0xff, 5 | SQLITE_READONLY | 10 | 13 | 14)
}

/// Disk full (reported by the server, a table, a file and the storage engine), read-only (by option and mode), too
/// many connections (in all, of this user), shutting down, lock wait too long, connection killed; the last two are
/// client errors for a lost server, which proxies pass on.
const fn mariadb(number: u16) -> bool {
    matches!(number, 1021 | 1114 | 1026 | 1030 | 1290 | 1836 | 1040 | 1203 | 1053 | 1205 | 1927 | 2006 | 2013)
}

/// Connection exceptions, a read-only server, a transaction idle for too long, insufficient resources, shutting down
/// or starting, an I/O error.
fn postgres(sqlstate: &str) -> bool {
    ["08", "25006", "25P03", "53", "57P0", "58030"].iter().any(|class| sqlstate.starts_with(class))
}

#[cfg(test)]
mod tests {
    use super::*;
    use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection, TransactionTrait};

    /// A database in the file, by a single connection that does not wait for others.
    async fn open(file: &std::path::Path) -> DatabaseConnection {
        let mut options = ConnectOptions::new(format!("sqlite://{}?mode=rwc", file.display()));
        options.max_connections(1);
        let db = Database::connect(options).await.unwrap();
        db.execute_unprepared("PRAGMA busy_timeout = 0; PRAGMA journal_mode = WAL").await.unwrap();
        db
    }

    async fn outage(db: &impl ConnectionTrait, sql: &str, code: &str) -> bool {
        let error = db.execute_unprepared(sql).await.unwrap_err();
        assert!(error.to_string().contains(code), "{error}");
        is_transient(&error)
    }

    #[tokio::test]
    async fn busy_and_full_sqlite_are_transient_errors() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("esb.db");
        let (one, other) = (open(&file).await, open(&file).await);
        one.execute_unprepared("CREATE TABLE t (x)").await.unwrap();
        let reading = one.begin().await.unwrap();
        reading
            .query_one_raw(sea_orm::Statement::from_string(reading.get_database_backend(), "SELECT * FROM t"))
            .await
            .unwrap();
        let writing = other.begin().await.unwrap();
        writing.execute_unprepared("INSERT INTO t VALUES (1)").await.unwrap();
        assert!(outage(&reading, "INSERT INTO t VALUES (2)", "code: 5)").await);
        writing.commit().await.unwrap();
        assert!(
            outage(&reading, "INSERT INTO t VALUES (2)", "code: 517)").await,
            "busy, as the driver says it"
        );
        reading.rollback().await.unwrap();
        one.execute_unprepared("PRAGMA max_page_count = 1").await.unwrap();
        assert!(outage(&one, "INSERT INTO t VALUES (zeroblob(100000))", "code: 13)").await);
        assert!(!outage(&one, "INSERT INTO nowhere VALUES (1)", "code: 1)").await);
    }

    #[test]
    fn transient_error_codes_of_each_database() {
        for code in [5, 261, 517, 8, 264, 776, 1032, 1544, 10, 266, 778, 13, 14, 1038] {
            assert!(sqlite(code), "{code}");
        }
        for code in [1, 19, 787, 2067] {
            assert!(!sqlite(code), "{code}");
        }
        for number in [1021, 1026, 1030, 1114, 1290, 1836, 1040, 1205, 2006, 2013] {
            assert!(mariadb(number), "{number}");
        }
        assert!(!mariadb(1062) && !mariadb(1146));
        for state in ["08006", "25006", "25P03", "58030", "53100", "53300", "57P01", "57P03"] {
            assert!(postgres(state), "{state}");
        }
        for state in ["", "25P02", "23505", "42P01", "57014"] {
            assert!(!postgres(state), "{state}");
        }
    }
}
