//! The audit: who changed what, appended in the transaction of the change.

use super::entities::audit;
use crate::domain::actor::Actor;
use crate::domain::change::AuditRecord;
use chrono::{DateTime, Utc};
use sea_orm::{ConnectionTrait, DbErr, EntityTrait, Set};

/// Appends records.
///
/// # Errors
/// The database's.
pub async fn append(
    db: &impl ConnectionTrait,
    records: &[AuditRecord],
    actor: &Actor,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let rows = records.iter().map(|record| audit::ActiveModel {
        action: Set(record.action.to_owned()),
        noun: Set(record.noun.to_owned()),
        noun_id: Set(record.noun_id),
        edge: Set(actor.edge),
        actor_name: Set(actor.name.clone()),
        actor_user_id: Set(actor.account.as_ref().map(|account| account.id)),
        old_value: Set(record.old.as_ref().map(ToString::to_string)),
        new_value: Set(record.new.as_ref().map(ToString::to_string)),
        created_at: Set(now),
        ..Default::default()
    });
    audit::Entity::insert_many(rows).exec_without_returning(db).await?;
    Ok(())
}
