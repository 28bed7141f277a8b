//! Opens the database: one file with a writer and readers on SQLite, a pool elsewhere. `schema` migrates it.

use super::Store;
use super::connect_error::ConnectError;
use super::db_error::{is_read_only, is_unknown_database, within};
use super::pool_health::{ACQUIRE, RECONNECT_DELAY, with_liveness_check};
use super::pooler;
use super::write_monitor::{WriteMonitor, replace_suspects};
use super::writer::WriteConnection;
use crate::domain::database::{CONNECTIONS, sqlite_file};
use crate::error_chain::ErrorChain;
use esb_migration::SchemaManager;
use sea_orm::sqlx::mysql::{MySqlConnectOptions, MySqlConnection};
use sea_orm::sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sea_orm::sqlx::{self, Connection, Executor};
use sea_orm::{ConnectOptions, Database, DatabaseConnection, DbErr, RuntimeErr};
use secrecy::{ExposeSecret, SecretString};
use std::fs::{DirBuilder, OpenOptions};
use std::ops::RangeInclusive;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Readers of one process on SQLite: they compute rather than wait, so one per processor is enough, and each has a
/// thread and a cache. At least two, so that no request waits for a long list of another one.
const READERS: RangeInclusive<u32> = 2..=8;
/// The cache of one SQLite connection, in KiB. The operating system caches the pages, too.
const CACHE: u32 = 256;
/// How long a statement waits for another process's write.
pub(super) const BUSY: Duration = Duration::from_secs(5);
/// Retry interval for a locked file.
const BUSY_AGAIN: Duration = Duration::from_millis(20);
/// How long to wait in all for a database that starts later than this program (spec "Database").
const LATE: Duration = Duration::from_secs(60);
/// The table in which the Python system stores its schema version.
const ALEMBIC: &str = "alembic_version";

impl Store {
    /// Opens the database at `url`, once it answers; a missing SQLite file is created. Does not migrate.
    ///
    /// # Errors
    /// It cannot be opened within a minute, or it is the Python system's.
    pub async fn connect(url: &SecretString) -> Result<Self, ConnectError> {
        Self::connect_with(url, CONNECTIONS).await
    }

    /// Like [`Store::connect`], with this number of connections to a server.
    pub async fn connect_with(url: &SecretString, connections: u32) -> Result<Self, ConnectError> {
        let began = Instant::now();
        once_it_answers(began, late(url), || Self::connect_now(url, connections, began)).await
    }

    async fn connect_now(url: &SecretString, connections: u32, began: Instant) -> Result<Self, ConnectError> {
        let address = url.expose_secret();
        let monitor = Arc::<WriteMonitor>::default();
        let Some(file) = sqlite_file(address) else {
            if address.starts_with("postgres:") {
                pooler::refuse_shared_sessions(address).await?;
            }
            let pool = match open_ours(address, connections, BUSY).await {
                Err(error) if is_unknown_database(&error) => {
                    create_mariadb_database(address).await.map_err(ConnectError::Open)?;
                    open_ours(address, connections, BUSY).await
                }
                opened => opened,
            };
            let pool = pool.map_err(ConnectError::Open)?;
            refuse_python_system(&pool).await?;
            let write = WriteConnection::new(pool.clone(), monitor);
            return Ok(Self { read: pool, write, url: url.clone(), began });
        };
        if file.exists() {
            refuse_python_file(address).await?;
        } else {
            make(file).map_err(ConnectError::File)?;
        }
        let write = open_monitored(address, 1, BUSY, &monitor).await.map_err(ConnectError::Open)?;
        let read = open_monitored(address, readers(), BUSY, &monitor).await.map_err(ConnectError::Open)?;
        let write = WriteConnection::new(write, monitor);
        Ok(Self { read, write, url: url.clone(), began })
    }
}

/// Refuses a SQLite file of the Python system. It is opened read-only, since opening it as ours would change its
/// journal mode. That fails if a process was killed during a write and left its journal (as ours does when it is
/// killed in the first milliseconds of its first start): SQLite has to undo the write first, so the file is then
/// opened for writing, with its journal mode unchanged.
async fn refuse_python_file(address: &str) -> Result<(), ConnectError> {
    let candidate = async |is_read_only: bool| {
        let options = if is_read_only { READ_ONLY } else { AS_IT_IS };
        let candidate = open(address, 1, BUSY, options, READS, &Arc::default()).await;
        let candidate = candidate.map_err(ConnectError::Open)?;
        let refused = refuse_python_system(&candidate).await;
        candidate.close().await.map_err(ConnectError::Open)?;
        refused
    };
    match candidate(true).await {
        Err(ConnectError::Open(error)) if is_read_only(&error) => candidate(false).await,
        looked => looked,
    }
}

pub(super) const READ_ONLY: SqliteOptions = |sqlite| sqlite.read_only(true);
pub(super) const AS_IT_IS: SqliteOptions = |sqlite| sqlite;

fn readers() -> u32 {
    let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    u32::try_from(processors).unwrap_or(u32::MAX).clamp(*READERS.start(), *READERS.end())
}

pub(super) async fn refuse_python_system(db: &DatabaseConnection) -> Result<(), ConnectError> {
    if is_python_system(db).await? { Err(ConnectError::PythonSystem) } else { Ok(()) }
}

async fn is_python_system(db: &DatabaseConnection) -> Result<bool, ConnectError> {
    let schema = SchemaManager::new(db);
    within(ACQUIRE, Box::pin(schema.has_table(ALEMBIC))).await.map_err(ConnectError::Open)
}

/// Opens the Python system's database on one read-only connection. Such a database is never one of ours, since
/// [`Store::connect`] refuses every database with the table that this requires.
pub(super) async fn open_python_system(url: &SecretString) -> Result<DatabaseConnection, ConnectError> {
    let opened = open(url.expose_secret(), 1, BUSY, READ_ONLY, READS, &Arc::default()).await;
    let db = opened.map_err(ConnectError::Open)?;
    if is_python_system(&db).await? { Ok(db) } else { Err(ConnectError::NotPythonSystem) }
}

/// Creates the database that the URL names, on a server that was set up for another one: `esb2` in the container of
/// the Python system.
async fn create_mariadb_database(address: &str) -> Result<(), DbErr> {
    let options: MySqlConnectOptions = address.parse().map_err(sqlx_error)?;
    let name = options.get_database().unwrap_or_default().replace('`', "``");
    // `mysql` always exists.
    let mut server = MySqlConnection::connect_with(&options.database("mysql")).await.map_err(sqlx_error)?;
    let create = format!("CREATE DATABASE IF NOT EXISTS `{name}` CHARACTER SET utf8mb4");
    server.execute(sqlx::AssertSqlSafe(create)).await.map_err(sqlx_error)?;
    server.close().await.map_err(sqlx_error)?;
    tracing::warn!("New database: `{name}` did not exist on the server, so ESB created it");
    Ok(())
}

fn sqlx_error(error: sqlx::Error) -> DbErr {
    DbErr::Conn(RuntimeErr::SqlxError(Arc::new(error)))
}

/// How long to wait for a database to answer; not at all for a file.
pub(super) fn late(url: &SecretString) -> Duration {
    if sqlite_file(url.expose_secret()).is_some() { Duration::ZERO } else { LATE }
}

/// Creates a SQLite file and its directory, so that a first start needs no preparation. Only their owner has
/// access, regardless of the umask, and SQLite gives the file's companions the same mode.
fn make(file: &Path) -> std::io::Result<()> {
    if let Some(directory) = file.parent().filter(|directory| !directory.as_os_str().is_empty()) {
        DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    }
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(file) {
        // Another process was faster.
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

/// Runs something with a database that starts later than this program, or becomes unreachable while this one
/// starts: retries until it answers, at most for `limit` since the first attempt.
pub(super) async fn once_it_answers<T, F>(
    began: Instant,
    limit: Duration,
    once: impl Fn() -> F,
) -> Result<T, ConnectError>
where
    F: Future<Output = Result<T, ConnectError>>,
{
    let mut is_logged = false;
    loop {
        match once().await {
            Err(error) if error.is_transient() && began.elapsed() < limit => {
                if !is_logged {
                    let (seconds, error) = (limit.as_secs(), ErrorChain(&error));
                    tracing::warn!(%error, "database does not answer, waiting up to {seconds} s");
                }
                is_logged = true;
                tokio::time::sleep(RECONNECT_DELAY).await;
            }
            done => return done,
        }
    }
}

/// Opens one of our databases. `busy` is how long a statement waits for another process's write to SQLite.
pub(super) async fn open_ours(
    url: &str,
    connections: u32,
    busy: Duration,
) -> Result<DatabaseConnection, DbErr> {
    open_monitored(url, connections, busy, &Arc::default()).await
}

/// The same; SQLite's connections are replaced after failures that the monitor records.
async fn open_monitored(
    url: &str,
    connections: u32,
    busy: Duration,
    monitor: &Arc<WriteMonitor>,
) -> Result<DatabaseConnection, DbErr> {
    let ours: SqliteOptions = |sqlite| {
        sqlite
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            // A negative number counts KiB.
            .pragma("cache_size", format!("-{CACHE}"))
    };
    open(url, connections, busy, ours, WRITES, monitor).await
}

/// Session settings for each new connection to a server.
#[derive(Clone, Copy)]
pub(super) struct Session {
    mariadb: &'static str,
    postgres: &'static str,
}

/// The server itself ends a transaction that sends no statements, and releases its locks: see
/// [`with_liveness_check`].
const WRITES: Session = Session {
    mariadb: "SET SESSION idle_transaction_timeout = 15",
    postgres: "SET SESSION idle_in_transaction_session_timeout = '15s'",
};
/// Opens a SQLite file read-only.
pub(super) const READS: Session = Session {
    mariadb: "SET SESSION TRANSACTION READ ONLY",
    postgres: "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY",
};

/// How to open SQLite.
pub(super) type SqliteOptions = fn(SqliteConnectOptions) -> SqliteConnectOptions;

pub(super) async fn open(
    url: &str,
    connections: u32,
    busy: Duration,
    sqlite: SqliteOptions,
    session: Session,
    monitor: &Arc<WriteMonitor>,
) -> Result<DatabaseConnection, DbErr> {
    let mut options = ConnectOptions::new(url);
    let (mysql, postgres, monitor) = (url.to_owned(), url.to_owned(), Arc::clone(monitor));
    options
        .max_connections(connections)
        .acquire_timeout(ACQUIRE)
        .connect_timeout(ACQUIRE)
        // A file needs no ping, which costs each query two more thread switches; servers are pinged by
        // `with_liveness_check`.
        .test_before_acquire(false)
        .sqlx_logging(false)
        .record_stmt_in_spans(false)
        .map_sqlx_mysql_pool_opts(move |pool| with_liveness_check(pool, mysql.parse().ok(), session.mariadb))
        .map_sqlx_postgres_opts(pooler::options)
        .map_sqlx_postgres_pool_opts(move |pool| {
            with_liveness_check(pool, postgres.parse().ok().map(pooler::options), session.postgres)
        })
        .map_sqlx_sqlite_opts(move |options| sqlite(options).busy_timeout(busy))
        .map_sqlx_sqlite_pool_opts(move |pool| {
            replace_suspects(pool, Arc::clone(&monitor), connections == 1)
        });
    let started = Instant::now();
    loop {
        // Boxed: the library's future is too deeply nested.
        match Box::pin(Database::connect(options.clone())).await {
            // SQLite does not apply its busy timeout to the very first switch to WAL.
            Err(error) if is_busy(&error) && started.elapsed() < busy => tokio::time::sleep(BUSY_AGAIN).await,
            connected => return connected,
        }
    }
}

/// True when another process has SQLite's file locked.
fn is_busy(error: &DbErr) -> bool {
    let (DbErr::Conn(RuntimeErr::SqlxError(error)) | DbErr::Exec(RuntimeErr::SqlxError(error))) = error
    else {
        return false;
    };
    error.as_database_error().is_some_and(|error| error.code().is_some_and(|code| code == "5"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use sea_orm::ConnAcquireErr;
    use std::sync::atomic::{AtomicU32, Ordering};

    async fn tries(limit: Duration, error: impl Fn() -> DbErr) -> u32 {
        let tries = AtomicU32::new(0);
        let once = || {
            tries.fetch_add(1, Ordering::Relaxed);
            std::future::ready(Err::<(), _>(ConnectError::Open(error())))
        };
        assert!(once_it_answers(Instant::now(), limit, once).await.is_err());
        tries.into_inner()
    }

    #[tokio::test]
    async fn missing_database_is_awaited_then_given_up() {
        let away = || DbErr::ConnectionAcquire(ConnAcquireErr::Timeout);
        assert!(tries(RECONNECT_DELAY * 2, away).await > 1);
        assert_eq!(tries(Duration::ZERO, away).await, 1);
        assert_eq!(tries(LATE, || DbErr::Custom("a wrong password".into())).await, 1);
    }
}
