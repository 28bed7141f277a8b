//! The timeline of repairs: entries are appended, never changed.

use super::entities::timeline;
use crate::domain::actor::Actor;
use crate::domain::change::ChangeSet;
use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, DbErr, EntityTrait, Set};

/// Appends what a change tells.
///
/// # Errors
/// The database's.
pub async fn append(
    db: &impl ConnectionTrait,
    change: &ChangeSet,
    actor: &Actor,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let rows = change.timeline().into_iter().map(|entry| timeline::ActiveModel {
        repair_id: Set(change.repair.id),
        kind: Set(entry.kind),
        actor_name: Set(actor.name.clone()),
        actor_user_id: Set(actor.account.as_ref().map(|account| account.id)),
        version: Set(change.repair.version),
        old_value: Set(entry.old),
        new_value: Set(entry.new),
        created_at: Set(now),
        ..Default::default()
    });
    timeline::Entity::insert_many(rows).exec_without_returning(db).await?;
    Ok(())
}
