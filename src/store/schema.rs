//! Applies migrations: one process at a time, the others wait. The migrations are in the crate `migration`.

use super::Store;
use super::connect::{late, once_it_answers, open_ours};
use super::connect_error::ConnectError;
use super::writer::begin_writing;
use esb_migration::{IntoSchemaManagerConnection, Migrator, MigratorTrait, SchemaManager};
use sea_orm::sea_query::{Expr, Func, Order, Query};
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, DbErr};
use secrecy::ExposeSecret;
use std::time::Duration;
use tokio::time::timeout;

/// How long a process waits for another one's migrations.
const WAIT: Duration = Duration::from_secs(60);
/// PostgreSQL's id of the lock, which belongs to the database: `esb` in ASCII.
const POSTGRES_LOCK: i64 = 0x0065_7362;

impl Store {
    /// Applies missing migrations, all or none of them if the database supports it. One of several processes does
    /// it while the others wait.
    ///
    /// # Errors
    /// A migration failed, or the schema is newer than this program.
    pub async fn migrate(&self) -> Result<(), ConnectError> {
        // Boxed: the library's futures are too deeply nested.
        let once = || {
            Box::pin(self.alone(async |db| {
                let before = applied(db).await?;
                Migrator::up(db, None).await?;
                Ok(before)
            }))
        };
        // A retry completes what a lost connection interrupted.
        let before = once_it_answers(self.began, late(&self.url), once).await?;
        say_migrated(&before);
        Ok(())
    }

    /// Reverts the latest migration.
    ///
    /// # Errors
    /// It failed, or the schema is newer than this program.
    pub async fn migrate_down(&self) -> Result<(), ConnectError> {
        Box::pin(self.alone(async |db| Migrator::down(db, Some(1)).await)).await
    }

    /// Names of all migrations, with whether each is applied.
    pub async fn migrations(&self) -> Result<Vec<(String, bool)>, ConnectError> {
        let applied = applied(&self.read).await.map_err(ConnectError::Migrate)?;
        Ok(known_steps().into_iter().map(|name| (name.clone(), applied.contains(&name))).collect())
    }

    /// Changes the schema under the lock, on a separate connection.
    async fn alone<T>(
        &self,
        steps: impl AsyncFnOnce(&DatabaseTransaction) -> Result<T, DbErr>,
    ) -> Result<T, ConnectError> {
        let connection = open_ours(self.url.expose_secret(), 1, WAIT).await.map_err(ConnectError::Open)?;
        let outcome = async {
            let migration = begin_writing(&connection).await.map_err(ConnectError::Migrate)?;
            lock(&migration).await?;
            refuse_strangers(&migration).await?;
            refuse_newer(&migration).await?;
            let done = steps(&migration).await.map_err(ConnectError::Migrate)?;
            migration.commit().await.map_err(ConnectError::Migrate)?;
            Ok(done)
        }
        .await;
        // MariaDB's lock ends with its connection.
        let closed = connection.close().await.map_err(ConnectError::Migrate);
        let done = outcome?;
        closed.map(|()| done)
    }
}

/// Logs one line with all applied migrations; none if nothing was missing.
fn say_migrated(before: &[String]) {
    let known = known_steps();
    let missing = known.len().saturating_sub(before.len());
    let (from, to) = (before.last(), known.last().map(String::as_str).unwrap_or_default());
    match from {
        _ if missing == 0 => {}
        None => tracing::info!(steps = missing, to, "database schema created"),
        Some(from) => {
            tracing::info!(steps = missing, from, to, "database schema migrated");
        }
    }
}

/// Waits until no other process changes the schema. On SQLite the transaction itself is the lock.
async fn lock(db: &DatabaseTransaction) -> Result<(), ConnectError> {
    let lock = match db.get_database_backend() {
        DbBackend::MySql => {
            // Lock names are shared by the server: uses the database's own name, in at most 64 characters.
            let name = Func::cust("MD5").arg(Expr::cust("DATABASE()"));
            Func::cust("GET_LOCK").arg(name).arg(WAIT.as_secs())
        }
        DbBackend::Postgres => Func::cust("pg_advisory_xact_lock").arg(POSTGRES_LOCK),
        _ => return Ok(()),
    };
    let lock = Query::select().expr_as(lock, "taken").take();
    let taken = timeout(WAIT, db.query_one(&lock)).await.map_err(|_| ConnectError::Locked)?;
    let taken = taken.map_err(ConnectError::Migrate)?;
    let is_ours = match (db.get_database_backend(), taken) {
        (DbBackend::MySql, Some(row)) => row.try_get("", "taken").map_err(ConnectError::Migrate)?,
        (_, row) => row.map(|_| 1),
    };
    if is_ours == Some(1) { Ok(()) } else { Err(ConnectError::Locked) }
}

/// Refuses existing tables of our names if no migration was ever started: on MariaDB a migration takes existing
/// tables for its own, interrupted halfway.
async fn refuse_strangers(db: &DatabaseTransaction) -> Result<(), ConnectError> {
    let schema = SchemaManager::new(db);
    let has = async |table: &str| schema.has_table(table).await.map_err(ConnectError::Migrate);
    if has(&Migrator::migration_table_name().to_string()).await? {
        return Ok(());
    }
    for step in esb_migration::TABLES {
        for table in *step {
            if has(table).await? {
                return Err(ConnectError::Occupied(table));
            }
        }
    }
    Ok(())
}

async fn refuse_newer(db: &DatabaseTransaction) -> Result<(), ConnectError> {
    let known = known_steps();
    let applied = applied(db).await.map_err(ConnectError::Migrate)?;
    if applied.iter().all(|step| known.contains(step)) { Ok(()) } else { Err(ConnectError::Newer) }
}

/// Names of the applied migrations, in order; empty without a migration table. Only reads, unlike the library's
/// function.
pub(super) async fn applied<C: ConnectionTrait>(db: &C) -> Result<Vec<String>, DbErr>
where
    for<'a> &'a C: IntoSchemaManagerConnection<'a>,
{
    let notes = Migrator::migration_table_name();
    if !SchemaManager::new(db).has_table(notes.to_string()).await? {
        return Ok(Vec::new());
    }
    let noted = Query::select().column("version").from(notes).order_by("version", Order::Asc).take();
    let rows = db.query_all(&noted).await?;
    rows.iter().map(|row| row.try_get("", "version")).collect()
}

pub(super) fn known_steps() -> Vec<String> {
    Migrator::migrations().iter().map(|step| step.name().to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::WriteConnection;
    use sea_orm::Database;
    use std::sync::Arc;
    use std::time::Instant;

    /// A second wait would take a minute.
    #[tokio::test]
    async fn database_is_awaited_only_once() {
        let db = Database::connect("sqlite::memory:").await.unwrap();
        let url: secrecy::SecretString = "mysql://root@127.0.0.1:9/esb".into();
        let began = Instant::now().checked_sub(late(&url)).unwrap();
        let write = WriteConnection::new(db.clone(), Arc::default());
        let store = Store { read: db, write, url, began };
        let migrating = timeout(WAIT / 2, store.migrate());
        assert!(matches!(migrating.await.unwrap(), Err(ConnectError::Open(_))));
    }
}
