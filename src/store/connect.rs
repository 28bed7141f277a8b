//! Opens the database and brings its schema up to date.

use super::{Store, begin_writing};
use crate::domain::database::sqlite_file;
use esb_migration::{Migrator, MigratorTrait};
use sea_orm::sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous};
use sea_orm::{ConnectOptions, Database, DatabaseConnection, DatabaseTransaction, DbErr, RuntimeErr};
use secrecy::{ExposeSecret, SecretString};
use std::fs::{DirBuilder, OpenOptions};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::time::{Duration, Instant};

/// Readers of one process on SQLite; connections of one process elsewhere.
const POOL: u32 = 8;
/// How long a statement waits for another process's write.
const BUSY: Duration = Duration::from_secs(5);
/// How soon a locked file is tried again.
const BUSY_AGAIN: Duration = Duration::from_millis(20);
/// How long a process waits for another one's migration.
const MIGRATION: Duration = Duration::from_secs(60);
/// How long a caller waits for a free connection before it is told that the database is away.
const ACQUIRE: Duration = Duration::from_secs(5);

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
    /// Steps are applied that this program does not know.
    #[error("the database's schema is newer than this program: install the newer version")]
    Newer,
}

impl Store {
    /// Opens the database at `url`; a missing SQLite file is made. The schema is left as it is.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub async fn connect(url: &SecretString) -> Result<Self, ConnectError> {
        let address = url.expose_secret();
        make_file(address).map_err(ConnectError::File)?;
        if !is_sqlite(address) {
            let pool = open(address, POOL, BUSY).await.map_err(ConnectError::Open)?;
            return Ok(Self { read: pool.clone(), write: pool, url: url.clone() });
        }
        let write = open(address, 1, BUSY).await.map_err(ConnectError::Open)?;
        let read = open(address, POOL, BUSY).await.map_err(ConnectError::Open)?;
        Ok(Self { read, write, url: url.clone() })
    }

    /// Applies the steps that are missing, all or none of them where the database can. Of several
    /// processes one does it and the others wait.
    ///
    /// # Errors
    /// A step failed, or the schema is newer than this program.
    pub async fn migrate(&self) -> Result<(), ConnectError> {
        let migration = self.begin_migration().await?;
        refuse_newer(&migration).await?;
        Migrator::up(&migration, None).await.map_err(ConnectError::Migrate)?;
        migration.commit().await.map_err(ConnectError::Migrate)
    }

    /// Takes back the latest step.
    ///
    /// # Errors
    /// The step failed, or the schema is newer than this program.
    pub async fn migrate_down(&self) -> Result<(), ConnectError> {
        let migration = self.begin_migration().await?;
        refuse_newer(&migration).await?;
        Migrator::down(&migration, Some(1)).await.map_err(ConnectError::Migrate)?;
        migration.commit().await.map_err(ConnectError::Migrate)
    }

    /// Names of all steps, with whether each is applied.
    ///
    /// # Errors
    /// The database's.
    pub async fn migrations(&self) -> Result<Vec<(String, bool)>, ConnectError> {
        let migration = self.begin_migration().await?;
        let pending = Migrator::get_pending_migrations(&migration).await.map_err(ConnectError::Migrate)?;
        let pending: Vec<String> = pending.iter().map(|m| m.name().to_owned()).collect();
        Ok(known_steps().into_iter().map(|name| (name.clone(), !pending.contains(&name))).collect())
    }

    /// A transaction on a connection of its own, which waits for another process's steps.
    async fn begin_migration(&self) -> Result<DatabaseTransaction, ConnectError> {
        let connection = open(self.url.expose_secret(), 1, MIGRATION).await.map_err(ConnectError::Open)?;
        begin_writing(&connection).await.map_err(ConnectError::Migrate)
    }
}

async fn refuse_newer(db: &DatabaseTransaction) -> Result<(), ConnectError> {
    Migrator::install(db).await.map_err(ConnectError::Migrate)?;
    let applied = Migrator::get_migration_models(db).await.map_err(ConnectError::Migrate)?;
    let known = known_steps();
    if applied.iter().all(|step| known.contains(&step.version)) { Ok(()) } else { Err(ConnectError::Newer) }
}

fn is_sqlite(url: &str) -> bool {
    url.starts_with("sqlite:")
}

fn known_steps() -> Vec<String> {
    Migrator::migrations().iter().map(|step| step.name().to_owned()).collect()
}

/// The file of a SQLite database and its directory, so that a first start needs no preparation; what is made
/// is for its owner only, whatever the umask, and SQLite gives the file's companions the same mode.
fn make_file(url: &str) -> std::io::Result<()> {
    let Some(file) = sqlite_file(url) else { return Ok(()) };
    if let Some(directory) = file.parent().filter(|directory| !directory.as_os_str().is_empty()) {
        DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    }
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(file) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

async fn open(url: &str, connections: u32, busy: Duration) -> Result<DatabaseConnection, DbErr> {
    let mut options = ConnectOptions::new(url);
    options
        .max_connections(connections)
        .acquire_timeout(ACQUIRE)
        .connect_timeout(ACQUIRE)
        .sqlx_logging(false)
        .record_stmt_in_spans(false)
        .map_sqlx_sqlite_opts(move |sqlite| {
            sqlite
                .create_if_missing(true)
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(SqliteSynchronous::Full)
                .busy_timeout(busy)
                .foreign_keys(true)
        });
    let started = Instant::now();
    loop {
        match Database::connect(options.clone()).await {
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
