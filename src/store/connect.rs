//! Opens the database: one file with a writer and readers on SQLite, a pool elsewhere. The schema is
//! `schema`'s.

use super::Store;
use super::outage::is_outage;
use crate::chain::Chain;
use crate::domain::database::sqlite_file;
use esb_migration::SchemaManager;
use sea_orm::sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sea_orm::{ConnectOptions, Database, DatabaseConnection, DbErr, RuntimeErr};
use secrecy::{ExposeSecret, SecretString};
use std::fs::{DirBuilder, OpenOptions};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::time::{Duration, Instant};

/// Readers of one process on SQLite; connections of one process elsewhere.
const POOL: u32 = 8;
/// How long a statement waits for another process's write.
const BUSY: Duration = Duration::from_secs(5);
/// How soon a locked file is tried again.
const BUSY_AGAIN: Duration = Duration::from_millis(20);
/// How long a caller waits for a free connection before it is told that the database is away.
const ACQUIRE: Duration = Duration::from_secs(5);
/// How long a database that starts later than this program is waited for (spec "Database").
const LATE: Duration = Duration::from_secs(60);
/// How soon such a database is asked again.
const LATE_AGAIN: Duration = Duration::from_millis(500);
/// The table in which the Python system notes its schema's version.
const ALEMBIC: &str = "alembic_version";

/// Why the database cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// Its file or the file's directory cannot be made.
    #[error("the database's file cannot be made")]
    File(#[source] std::io::Error),
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

impl Store {
    /// Opens the database at `url`, once it answers; a missing SQLite file is made. The schema is left as
    /// it is.
    ///
    /// # Errors
    /// When it cannot be opened, for a minute or for good, or when it is the Python system's.
    pub async fn connect(url: &SecretString) -> Result<Self, ConnectError> {
        let address = url.expose_secret();
        let Some(file) = sqlite_file(address) else {
            let pool = once_it_answers(address).await.map_err(ConnectError::Open)?;
            refuse_python_system(&pool).await?;
            return Ok(Self { read: pool.clone(), write: pool, url: url.clone() });
        };
        if file.exists() {
            // By a look that cannot write: opening it as ours would change its journal.
            let look = open(address, 1, BUSY, |sqlite| sqlite.read_only(true)).await;
            refuse_python_system(&look.map_err(ConnectError::Open)?).await?;
        } else {
            make(file).map_err(ConnectError::File)?;
        }
        let write = open_ours(address, 1, BUSY).await.map_err(ConnectError::Open)?;
        let read = open_ours(address, POOL, BUSY).await.map_err(ConnectError::Open)?;
        Ok(Self { read, write, url: url.clone() })
    }
}

async fn refuse_python_system(db: &DatabaseConnection) -> Result<(), ConnectError> {
    let theirs = Box::pin(SchemaManager::new(db).has_table(ALEMBIC)).await.map_err(ConnectError::Open)?;
    if theirs { Err(ConnectError::PythonSystem) } else { Ok(()) }
}

/// A SQLite file and its directory, so that a first start needs no preparation. They are for their owner
/// only, whatever the umask, and SQLite gives the file's companions the same mode.
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

/// Waits for a database that starts later than this program.
async fn once_it_answers(url: &str) -> Result<DatabaseConnection, DbErr> {
    let (started, mut told) = (Instant::now(), false);
    loop {
        match open_ours(url, POOL, BUSY).await {
            Err(error) if is_outage(&error) && started.elapsed() < LATE => {
                if !told {
                    let (seconds, error) = (LATE.as_secs(), Chain(&error));
                    tracing::warn!(%error, "The database does not answer yet: waiting for it, {seconds} s at most");
                }
                told = true;
                tokio::time::sleep(LATE_AGAIN).await;
            }
            connected => return connected,
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

/// True when another process has SQLite's file locked.
fn is_busy(error: &DbErr) -> bool {
    let (DbErr::Conn(RuntimeErr::SqlxError(error)) | DbErr::Exec(RuntimeErr::SqlxError(error))) = error
    else {
        return false;
    };
    error.as_database_error().is_some_and(|error| error.code().is_some_and(|code| code == "5"))
}
