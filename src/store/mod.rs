//! All SQL. Functions take a connection or an open transaction first and use domain types. Only operations, the
//! worker and `people` call them.

use sea_orm::{DatabaseConnection, DbErr};
use secrecy::SecretString;
use std::time::{Duration, Instant};

pub mod api_tokens;
pub mod areas;
pub mod audit;
pub mod board;
pub mod cards;
mod connect;
mod connect_error;
pub mod db_error;
pub mod deliveries;
pub mod delivery_queue;
pub mod demo;
pub mod documents;
pub mod entities;
pub mod equipment;
pub mod equipment_links;
pub mod equipment_list;
pub mod equipment_notes;
pub mod heartbeats;
pub mod import;
mod job_messages;
pub mod jobs;
pub mod leases;
pub mod legacy;
pub mod live_message;
pub mod me_toos;
pub mod password_messages;
pub mod photos;
mod pool_health;
mod pooler;
mod probe;
pub mod prune;
pub mod queue;
pub mod repairs;
pub mod requests;
mod schema;
pub mod sessions;
pub mod settings;
pub mod slack_channels;
pub mod slack_people;
pub mod slack_unlinks;
pub mod thread_replies;
mod time;
pub mod timeline;
pub mod users;
mod write_monitor;
mod writer;

pub use connect_error::ConnectError;
pub use probe::{DatabaseContent, probe};
pub use time::{AT_ONCE, RETRY_REQUESTED};
pub use writer::{Transaction, WriteConnection};

/// How long connections may take to be returned to the pool at close.
const CLOSE: Duration = Duration::from_secs(5);

/// The database. On SQLite a single writer and several readers, elsewhere one pool; cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    read: DatabaseConnection,
    write: WriteConnection,
    /// For migrations, which need a separate connection.
    url: SecretString,
    /// When the first connection attempt started. Connecting and migrating share one wait.
    began: Instant,
}

impl Store {
    /// For reading; sees committed data.
    pub const fn read(&self) -> &DatabaseConnection {
        &self.read
    }

    /// For a single statement that writes.
    pub const fn write(&self) -> &WriteConnection {
        &self.write
    }

    /// Closes all connections, within 5 s. SQLite then folds its journal into the file, so that a copy is complete.
    pub async fn close(&self) -> Result<(), DbErr> {
        let closing = async {
            self.read.clone().close().await?;
            self.write.clone().close().await
        };
        db_error::within(CLOSE, closing).await
    }

    /// Begins a transaction that may write. On SQLite it takes the write lock immediately: a transaction that
    /// starts as a reader could not become a writer while another one writes.
    pub async fn begin(&self) -> Result<Transaction, DbErr> {
        self.write.begin().await
    }
}
