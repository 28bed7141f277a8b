//! The use cases. Each mutation is one transaction: change, timeline, audit, deliveries, request id and board
//! revision commit together or not at all. Operations do not depend on a protocol and never call the network; edges
//! and the worker call them.

use crate::clock::Clock;
use crate::domain::actor::{Actor, Role};
use crate::domain::change::AuditRecord;
use crate::domain::channel::ChannelRef;
use crate::store::{self, Store, Transaction, db_error};
use sea_orm::{ConnectionTrait, DbErr};
use std::sync::Arc;
use tokio::sync::Notify;

pub mod accounts;
pub mod attachments;
pub mod audit;
pub mod board;
pub mod deliveries;
pub mod equipment;
mod error;
pub mod events;
mod idempotency;
pub mod import;
pub mod install;
pub mod jobs;
pub mod mutation_log;
mod permission;
pub mod prune;
pub mod repairs;
pub mod search;
mod secret;
pub mod secret_box;
pub mod settings;
mod submission;

pub use error::{OpError, Refusal};

/// What operations work with; cheap to clone.
#[derive(Debug, Clone)]
pub struct Ctx {
    pub store: Store,
    pub clock: Clock,
    pub announce: Announce,
    /// Maintenance is on, regardless of the settings.
    pub maintenance: bool,
    /// Notified after a commit that enqueued deliveries: wakes the worker of this process.
    pub wake: Arc<Notify>,
    /// Encrypts secrets in deliveries; without it no delivery carries one.
    pub seal: Option<Arc<secret_box::SecretBox>>,
    board: Arc<board::CachedViews>,
}

/// Where announcements may go, as configured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Announce {
    /// Slack is off: nothing is queued.
    Nowhere,
    /// The areas' channels and, if set, the channel for all announcements.
    Slack {
        /// The channel for all announcements.
        oops: Option<ChannelRef>,
    },
}

impl Ctx {
    pub fn new(store: Store, clock: Clock, announce: Announce) -> Self {
        let (wake, board) = (Arc::new(Notify::new()), Arc::default());
        Self { store, clock, announce, maintenance: false, wake, seal: None, board }
    }

    /// Turns maintenance on if `maintenance` is true, regardless of the settings.
    #[must_use]
    pub fn in_maintenance(self, maintenance: bool) -> Self {
        Self { maintenance, ..self }
    }

    /// Adds a seal: temporary passwords may be sent by direct message.
    pub fn sealed_by(self, seal: secret_box::SecretBox) -> Self {
        Self { seal: Some(Arc::new(seal)), ..self }
    }

    /// Commits a change that boards show. Increments the revision as the last statement of the transaction, then
    /// notifies the readers and subscribers of this process.
    pub async fn commit_visible(&self, tx: Transaction) -> Result<(), DbErr> {
        store::board::bump_revision(&tx).await?;
        let committed = tx.commit().await;
        // After an error too: if the connection broke, the commit may have succeeded.
        self.board.revision.changed();
        committed
    }

    /// Commits a change that no board shows, with its audit record, and writes its log line.
    async fn commit_recorded(
        &self,
        tx: Transaction,
        actor: &Actor,
        record: AuditRecord,
    ) -> Result<(), OpError> {
        let (records, now) = ([record], self.clock.now());
        store::audit::append(&tx, &records, actor, now).await?;
        tx.commit().await?;
        mutation_log::changes(&records, actor, now);
        Ok(())
    }
}

/// An `Overtaken` error that names who changed the record last.
async fn overtaken(db: &impl ConnectionTrait, noun: &str, noun_id: i64) -> Result<OpError, OpError> {
    let by = store::audit::last_actor(db, noun, noun_id).await?;
    Ok(OpError::Overtaken { by: by.unwrap_or_else(|| "Somebody else".into()) })
}

/// Checks that the actor has this role or a higher one.
///
/// # Errors
/// `Forbidden`.
pub fn allow(actor: &Actor, role: Role) -> Result<(), OpError> {
    if actor.is_at_least(role) { Ok(()) } else { Err(OpError::Forbidden) }
}

/// Runs a transaction; retries it when the database aborts it in favor of another.
async fn retry_on_deadlock<T, F>(once: impl Fn() -> F) -> Result<T, OpError>
where
    F: Future<Output = Result<T, OpError>>,
{
    db_error::retry_on_deadlock(OpError::is_deadlock, once).await
}
