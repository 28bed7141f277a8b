//! The connection and transactions for all writes. They record each failure in `write_monitor`: SQLite's writer
//! connection is then replaced, and `/health` reports the outage.

use super::write_monitor::WriteMonitor;
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, ExecResult, IsolationLevel,
    QueryResult, SqliteTransactionMode, Statement, TransactionOptions, TransactionTrait,
};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// The return type that the library's trait requires.
type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, DbErr>> + Send + 'a>>;

/// A connection or a transaction that writes.
#[derive(Debug)]
pub struct Writer<C> {
    inner: C,
    monitor: Arc<WriteMonitor>,
    failed: AtomicBool,
}

/// For single statements, each in its own transaction.
pub type WriteConnection = Writer<DatabaseConnection>;
/// A transaction that may write. Dropped without a commit, it is rolled back.
pub type Transaction = Writer<DatabaseTransaction>;

impl<C> Writer<C> {
    pub(super) const fn new(inner: C, monitor: Arc<WriteMonitor>) -> Self {
        Self { inner, monitor, failed: AtomicBool::new(false) }
    }

    fn record<T>(&self, result: Result<T, DbErr>) -> Result<T, DbErr> {
        if let Err(error) = &result {
            self.failed.store(true, Ordering::Relaxed);
            self.monitor.record_failure(error);
        }
        result
    }
}

impl WriteConnection {
    pub(super) fn monitor(&self) -> &WriteMonitor {
        &self.monitor
    }

    pub(super) async fn begin(&self) -> Result<Transaction, DbErr> {
        let begun = begin_writing(&self.inner).await;
        Ok(Writer::new(self.record(begun)?, Arc::clone(&self.monitor)))
    }

    pub async fn close(self) -> Result<(), DbErr> {
        self.inner.close().await
    }
}

impl Clone for WriteConnection {
    fn clone(&self) -> Self {
        Self::new(self.inner.clone(), Arc::clone(&self.monitor))
    }
}

impl Transaction {
    /// Commits. A transaction with a failed statement is rolled back instead, as on PostgreSQL: SQLite may have
    /// ended it with that statement, and the later statements would be half of a change.
    ///
    /// # Errors
    /// The commit may have failed or succeeded.
    pub async fn commit(self) -> Result<(), DbErr> {
        let Self { inner, monitor, failed } = self;
        if failed.into_inner() {
            return Err(DbErr::Custom("a statement of this transaction failed".into()));
        }
        // The driver reports success only when COMMIT did: this is never an inner savepoint, since a connection
        // with an unfinished transaction is not checked out (`connect`).
        inner.commit().await.inspect_err(|error| monitor.record_failure(error))
    }

    /// Rolls back, and waits for it.
    pub async fn rollback(self) -> Result<(), DbErr> {
        let Self { inner, monitor, .. } = self;
        inner.rollback().await.inspect_err(|error| monitor.record_failure(error))
    }
}

impl<C: ConnectionTrait> ConnectionTrait for Writer<C> {
    fn get_database_backend(&self) -> DbBackend {
        self.inner.get_database_backend()
    }

    fn execute_raw<'s, 'a>(&'s self, statement: Statement) -> Answer<'a, ExecResult>
    where
        's: 'a,
        Self: 'a,
    {
        Box::pin(async move { self.record(self.inner.execute_raw(statement).await) })
    }

    fn execute_unprepared<'s, 'q, 'a>(&'s self, sql: &'q str) -> Answer<'a, ExecResult>
    where
        's: 'a,
        'q: 'a,
        Self: 'a,
    {
        Box::pin(async move { self.record(self.inner.execute_unprepared(sql).await) })
    }

    fn query_one_raw<'s, 'a>(&'s self, statement: Statement) -> Answer<'a, Option<QueryResult>>
    where
        's: 'a,
        Self: 'a,
    {
        Box::pin(async move { self.record(self.inner.query_one_raw(statement).await) })
    }

    fn query_all_raw<'s, 'a>(&'s self, statement: Statement) -> Answer<'a, Vec<QueryResult>>
    where
        's: 'a,
        Self: 'a,
    {
        Box::pin(async move { self.record(self.inner.query_all_raw(statement).await) })
    }

    fn support_returning(&self) -> bool {
        self.inner.support_returning()
    }
}

/// Begins a transaction that may write; on SQLite with the write lock.
pub(super) async fn begin_writing(db: &DatabaseConnection) -> Result<DatabaseTransaction, DbErr> {
    // MariaDB would keep its first snapshot; the others see later commits.
    let mariadb = db.get_database_backend() == DbBackend::MySql;
    let options = TransactionOptions {
        isolation_level: mariadb.then_some(IsolationLevel::ReadCommitted),
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        ..TransactionOptions::default()
    };
    db.begin_with_options(options).await
}
