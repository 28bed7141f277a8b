//! The audit log as staff search it: newest first, in pages.

use super::permission::require;
use super::{Ctx, OpError};
use crate::domain::actor::{Actor, Edge, Role};
use crate::domain::text::Username;
use crate::store;
use crate::store::audit::AuditEntry;
use crate::views::records::{AuditRow, AuditView};
use chrono::{DateTime, Utc};

/// Entries on a page.
pub const PART: u64 = 50;
/// Entries of the export that are in memory at once.
pub const EXPORT_PART: u64 = 500;

/// Filter for audit entries; empty texts do not filter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// A person's recorded name (exact), or the name of an account (any case).
    pub who: String,
    pub noun: String,
    pub noun_id: Option<i64>,
    pub action: String,
    /// Inclusive.
    pub from: Option<DateTime<Utc>>,
    pub before: Option<DateTime<Utc>>,
}

/// The newest `limit` entries with a number below `older_than`.
///
/// # Errors
/// `Forbidden`.
pub async fn audit(
    ctx: &Ctx,
    actor: &Actor,
    filter: &AuditFilter,
    older_than: Option<i64>,
    limit: u64,
) -> Result<AuditView, OpError> {
    let db = ctx.store.read();
    require(db, actor, Role::Staff).await?;
    let account = match Username::parse(&filter.who) {
        Ok(name) => store::users::named(db, &name).await?.map(|user| user.id),
        Err(_) => None,
    };
    let wanted = store::audit::AuditQuery {
        who: (!filter.who.is_empty()).then(|| (filter.who.clone(), account)),
        noun: filter.noun.clone(),
        noun_id: filter.noun_id,
        action: filter.action.clone(),
        from: filter.from,
        before: filter.before,
    };
    let mut entries = store::audit::page(db, &wanted, older_than, limit + 1).await?;
    let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = entries.len() > wanted;
    entries.truncate(wanted);
    let older_than = entries.last().map(|entry| entry.id).filter(|_| more);
    Ok(AuditView { entries: entries.into_iter().map(row).collect(), older_than })
}

fn row(entry: AuditEntry) -> AuditRow {
    AuditRow {
        id: entry.id,
        created_at: entry.created_at,
        actor: entry.actor_name,
        edge: match entry.edge {
            Edge::Slack => "Slack",
            Edge::Web => "web",
            Edge::Cli => "command line",
            Edge::Python => "Python system",
        },
        action: entry.action,
        noun: entry.noun,
        noun_id: entry.noun_id,
        old: entry.old_value,
        new: entry.new_value,
    }
}
