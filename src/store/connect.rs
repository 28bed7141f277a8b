//! Opens the database: one file with a writer and readers on SQLite, a pool elsewhere. The schema is
//! `schema`'s.

use super::Store;
use super::outage::{is_outage, within};
use crate::chain::Chain;
use esb_migration::SchemaManager;
use sea_orm::sqlx::pool::PoolOptions;
use sea_orm::sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sea_orm::sqlx::{self, Connection, Executor};
use sea_orm::{ConnectOptions, Database, DatabaseConnection, DbErr, RuntimeErr};
use secrecy::{ExposeSecret, SecretString};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Readers of one process on SQLite; connections of one process elsewhere.
const POOL: u32 = 8;
/// How long a statement waits for another process's write.
const BUSY: Duration = Duration::from_secs(5);
/// How soon a locked file is tried again.
const BUSY_AGAIN: Duration = Duration::from_millis(20);
/// How long a caller waits for a free connection before it is told that the database is away.
const ACQUIRE: Duration = Duration::from_secs(5);
/// How long a connection that comes back to the pool may take to answer.
const RELEASE: Duration = Duration::from_secs(5);
/// How long a database that starts later than this program is waited for (spec "Database").
const LATE: Duration = Duration::from_secs(60);
/// How soon such a database is asked again.
const LATE_AGAIN: Duration = Duration::from_millis(500);
/// The table in which the Python system notes its schema's version.
const ALEMBIC: &str = "alembic_version";

/// Why the database cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The file's directory cannot be made.
    #[error("the directory of the database cannot be made")]
    Directory(#[source] std::io::Error),
    /// It does not answer, or refuses.
    #[error("the database cannot be opened")]
    Open(#[source] DbErr),
    /// The schema cannot be brought up to date.
    #[error("the database's schema cannot be brought up to date")]
    Migrate(#[source] DbErr),
    /// Another process is at the schema, and does not come to an end.
    #[error("another process has been changing the database's schema for a minute")]
    Locked,
    /// Steps are applied that this program does not know.
    #[error("the database's schema is newer than this program: install the newer version")]
    Newer,
    /// A table of that name is there, and it is not ours.
    #[error("the database has a table `{0}` of another program's: set DATABASE_URL to a database of its own")]
    Occupied(&'static str),
    /// Its tables are the Python system's.
    #[error(
        "this is the Python system's database, and nothing was written to it: set DATABASE_URL to a \
         database of its own. `esb import-legacy`, which copies the old data over, comes with a later version"
    )]
    PythonSystem,
}

impl ConnectError {
    /// True when the database does not answer: it may in a while.
    fn is_outage(&self) -> bool {
        matches!(self, Self::Open(error) | Self::Migrate(error) if is_outage(error))
    }
}

impl Store {
    /// Opens the database at `url`, once it answers; a missing SQLite file is made. The schema is left as
    /// it is.
    ///
    /// # Errors
    /// When it cannot be opened, for a minute or for good, or when it is the Python system's.
    pub async fn connect(url: &SecretString) -> Result<Self, ConnectError> {
        once_it_answers(late(url), async || Self::connect_now(url).await).await
    }

    async fn connect_now(url: &SecretString) -> Result<Self, ConnectError> {
        let address = url.expose_secret();
        let Some(file) = sqlite_file(address) else {
            let pool = open_ours(address, POOL, BUSY).await.map_err(ConnectError::Open)?;
            refuse_python_system(&pool).await?;
            return Ok(Self { read: pool.clone(), write: pool, url: url.clone() });
        };
        if file.exists() {
            // By a look that cannot write: opening it as ours would change its journal.
            let look = open(address, 1, BUSY, |sqlite| sqlite.read_only(true)).await;
            refuse_python_system(&look.map_err(ConnectError::Open)?).await?;
        } else {
            make_directory(&file).map_err(ConnectError::Directory)?;
        }
        let write = open_ours(address, 1, BUSY).await.map_err(ConnectError::Open)?;
        let read = open_ours(address, POOL, BUSY).await.map_err(ConnectError::Open)?;
        Ok(Self { read, write, url: url.clone() })
    }
}

async fn refuse_python_system(db: &DatabaseConnection) -> Result<(), ConnectError> {
    let schema = SchemaManager::new(db);
    let theirs = within(ACQUIRE, Box::pin(schema.has_table(ALEMBIC))).await.map_err(ConnectError::Open)?;
    if theirs { Err(ConnectError::PythonSystem) } else { Ok(()) }
}

/// How long a database is waited for: a file is there or it is not.
pub(super) fn late(url: &SecretString) -> Duration {
    if sqlite_file(url.expose_secret()).is_some() { Duration::ZERO } else { LATE }
}

/// The file of a SQLite address; `None` for other databases.
fn sqlite_file(url: &str) -> Option<PathBuf> {
    let path = url.strip_prefix("sqlite:")?;
    let path = path.strip_prefix("//").unwrap_or(path).split('?').next().unwrap_or_default();
    Some(PathBuf::from(path))
}

/// The directory of a SQLite file, so that a first start needs no preparation.
fn make_directory(file: &Path) -> std::io::Result<()> {
    match file.parent() {
        Some(directory) if !directory.as_os_str().is_empty() => std::fs::create_dir_all(directory),
        _ => Ok(()),
    }
}

/// Does something with a database that starts later than this program, or goes away while this one starts:
/// again and again until it answers, at most for `limit`.
pub(super) async fn once_it_answers<T>(
    limit: Duration,
    once: impl AsyncFn() -> Result<T, ConnectError>,
) -> Result<T, ConnectError> {
    let (started, mut told) = (Instant::now(), false);
    loop {
        match once().await {
            Err(error) if error.is_outage() && started.elapsed() < limit => {
                if !told {
                    let (seconds, error) = (limit.as_secs(), Chain(&error));
                    tracing::warn!(%error, "The database does not answer yet: waiting for it, {seconds} s at most");
                }
                told = true;
                tokio::time::sleep(LATE_AGAIN).await;
            }
            done => return done,
        }
    }
}

/// Opens a database of ours. `busy` is how long a statement waits for another process's write to SQLite.
pub(super) async fn open_ours(
    url: &str,
    connections: u32,
    busy: Duration,
) -> Result<DatabaseConnection, DbErr> {
    let ours = |sqlite: SqliteConnectOptions| {
        sqlite
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
    };
    open(url, connections, busy, ours).await
}

async fn open(
    url: &str,
    connections: u32,
    busy: Duration,
    sqlite: fn(SqliteConnectOptions) -> SqliteConnectOptions,
) -> Result<DatabaseConnection, DbErr> {
    let mut options = ConnectOptions::new(url);
    options
        .max_connections(connections)
        .acquire_timeout(ACQUIRE)
        .connect_timeout(ACQUIRE)
        .sqlx_logging(false)
        .record_stmt_in_spans(false)
        .map_sqlx_mysql_pool_opts(|pool| forgetful(pool, "SET SESSION idle_transaction_timeout = 15"))
        .map_sqlx_postgres_pool_opts(|pool| {
            forgetful(pool, "SET SESSION idle_in_transaction_session_timeout = '15s'")
        })
        .map_sqlx_sqlite_opts(move |options| sqlite(options).busy_timeout(busy));
    let started = Instant::now();
    loop {
        // Boxed: the library's future is too deep for whoever awaits this.
        match Box::pin(Database::connect(options.clone())).await {
            // The very first switch to WAL waits for nobody by itself.
            Err(error) if is_busy(&error) && started.elapsed() < busy => tokio::time::sleep(BUSY_AGAIN).await,
            connected => return connected,
        }
    }
}

/// A pool that gets over connections which no longer lead anywhere, though nobody has closed them: a cable
/// was pulled, a firewall forgot them.
///
/// Ours: the pool asks a connection that comes back whether it lives, and waits for the answer without an
/// end; eight such waits would be the whole pool, until TCP gives up after a quarter of an hour. We ask
/// first, and not for long. (Asking before a connection is taken out is within `ACQUIRE`.)
///
/// The server's: it does not notice either, and keeps the locks of a transaction that was open. By
/// `abandoned`, a setting of each session, it gives up one in which nothing was asked for 15 s: ours take
/// milliseconds.
fn forgetful<DB: sqlx::Database>(pool: PoolOptions<DB>, abandoned: &'static str) -> PoolOptions<DB>
where
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
{
    pool.after_connect(move |connection, _| {
        Box::pin(async move { connection.execute(abandoned).await.map(|_| ()) })
    })
    .after_release(|connection, _| {
        Box::pin(async move {
            let answer = tokio::time::timeout(RELEASE, connection.ping()).await;
            answer.unwrap_or_else(|_| Err(sqlx::Error::Io(std::io::ErrorKind::TimedOut.into())))?;
            Ok(true)
        })
    })
}

/// True when another process has SQLite's file locked.
fn is_busy(error: &DbErr) -> bool {
    let (DbErr::Conn(RuntimeErr::SqlxError(error)) | DbErr::Exec(RuntimeErr::SqlxError(error))) = error
    else {
        return false;
    };
    error.as_database_error().is_some_and(|error| error.code().is_some_and(|code| code == "5"))
}
