//! Why an operation did not do what was asked.

use sea_orm::sqlx::Error as SqlxError;
use sea_orm::sqlx::mysql::MySqlDatabaseError;
use sea_orm::sqlx::sqlite::SqliteError;
use sea_orm::{DbErr, RuntimeErr};

/// A no with words for the person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The input at fault, by its name in the spec; `None` when it is the request as a whole.
    pub field: Option<&'static str>,
    /// One or two kind sentences.
    pub message: String,
}

/// Why an operation did not do what was asked. Nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum OpError {
    /// A rule says no; the words are for the person.
    #[error("refused: {}", .0.message)]
    Refused(Refusal),
    /// There is no such record.
    #[error("no such record")]
    NotFound,
    /// The record is archived.
    #[error("archived")]
    Archived,
    /// Our fault, or the database's.
    #[error("internal error")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl OpError {
    /// A no that is about one input.
    pub fn refused(field: &'static str, message: impl Into<String>) -> Self {
        Self::Refused(Refusal { field: Some(field), message: message.into() })
    }

    /// True when the database does not answer, is overloaded or gone: the same may work in a while.
    pub fn is_outage(&self) -> bool {
        let Self::Internal(source) = self else { return false };
        match source.downcast_ref::<DbErr>() {
            Some(DbErr::Conn(_) | DbErr::ConnectionAcquire(_)) => true,
            Some(DbErr::Exec(RuntimeErr::SqlxError(error)) | DbErr::Query(RuntimeErr::SqlxError(error))) => {
                is_outage(error)
            }
            _ => false,
        }
    }
}

fn is_outage(error: &SqlxError) -> bool {
    match error {
        SqlxError::Io(_)
        | SqlxError::Tls(_)
        | SqlxError::PoolTimedOut
        | SqlxError::PoolClosed
        | SqlxError::WorkerCrashed => true,
        SqlxError::Database(error) => {
            let code = error.code().unwrap_or_default();
            if error.try_downcast_ref::<SqliteError>().is_some() {
                code.parse().is_ok_and(sqlite_outage)
            } else if let Some(error) = error.try_downcast_ref::<MySqlDatabaseError>() {
                mariadb_outage(error.number())
            } else {
                postgres_outage(&code)
            }
        }
        _ => false,
    }
}

/// Busy, cannot be read or written, full, cannot be opened. The driver gives extended result codes, whose
/// low byte is the one meant here (<https://sqlite.org/rescode.html>).
const fn sqlite_outage(code: u32) -> bool {
    matches!(code & 0xff, 5 | 10 | 13 | 14)
}

/// Disk full, too many connections (in all, of this user), shutting down, lock wait too long, connection
/// killed; the last two are a client's words for a lost server, which proxies pass on.
const fn mariadb_outage(number: u16) -> bool {
    matches!(number, 1021 | 1040 | 1203 | 1053 | 1205 | 1927 | 2006 | 2013)
}

/// Connection exceptions, insufficient resources, shutting down or starting.
fn postgres_outage(sqlstate: &str) -> bool {
    ["08", "53", "57P0"].iter().any(|class| sqlstate.starts_with(class))
}

impl From<DbErr> for OpError {
    fn from(error: DbErr) -> Self {
        Self::Internal(error.into())
    }
}

impl From<serde_json::Error> for OpError {
    fn from(error: serde_json::Error) -> Self {
        Self::Internal(error.into())
    }
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
        OpError::from(error).is_outage()
    }

    #[tokio::test]
    async fn a_busy_and_a_full_sqlite_are_outages_and_a_mistake_is_not() {
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
    fn codes_of_each_database() {
        for code in [5, 261, 517, 10, 266, 778, 13, 14, 1038] {
            assert!(sqlite_outage(code), "{code}");
        }
        for code in [1, 19, 787, 2067] {
            assert!(!sqlite_outage(code), "{code}");
        }
        for number in [1040, 1205, 2006, 2013] {
            assert!(mariadb_outage(number), "{number}");
        }
        assert!(!mariadb_outage(1062) && !mariadb_outage(1146));
        for state in ["08006", "53100", "53300", "57P01", "57P03"] {
            assert!(postgres_outage(state), "{state}");
        }
        for state in ["", "23505", "42P01", "57014"] {
            assert!(!postgres_outage(state), "{state}");
        }
    }
}
