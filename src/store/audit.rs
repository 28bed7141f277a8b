//! The audit log: who changed what, appended in the transaction of the change, and searched.

use super::entities::audit;
use crate::domain::actor::{Actor, Edge};
use crate::domain::change::AuditRecord;
use crate::domain::ids::UserId;
use chrono::{DateTime, Utc};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Set,
};
use serde_json::Value;

pub use super::entities::audit::Model as AuditEntry;

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

/// An entry from another installation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copied {
    /// `noun.verb`.
    pub action: String,
    pub noun: String,
    pub noun_id: i64,
    pub actor_name: String,
    pub actor_user_id: Option<UserId>,
    pub old: Option<Value>,
    pub new: Option<Value>,
    pub created_at: DateTime<Utc>,
}

/// Appends entries from the Python system, under new ids.
pub async fn copy(db: &impl ConnectionTrait, entries: Vec<Copied>) -> Result<(), DbErr> {
    if entries.is_empty() {
        return Ok(());
    }
    let rows = entries.into_iter().map(|entry| audit::ActiveModel {
        action: Set(entry.action),
        noun: Set(entry.noun),
        noun_id: Set(entry.noun_id),
        edge: Set(Edge::Python),
        actor_name: Set(entry.actor_name),
        actor_user_id: Set(entry.actor_user_id),
        old_value: Set(entry.old.map(|value| value.to_string())),
        new_value: Set(entry.new.map(|value| value.to_string())),
        created_at: Set(entry.created_at),
        ..Default::default()
    });
    audit::Entity::insert_many(rows).exec_without_returning(db).await?;
    Ok(())
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditQuery {
    /// By the recorded name, or by account.
    pub who: Option<(String, Option<UserId>)>,
    /// Empty for all.
    pub noun: String,
    pub noun_id: Option<i64>,
    /// Empty for all.
    pub action: String,
    /// Inclusive.
    pub from: Option<DateTime<Utc>>,
    pub before: Option<DateTime<Utc>>,
}

impl AuditQuery {
    fn condition(&self) -> Condition {
        let who = self.who.as_ref().map(|(name, account)| {
            Condition::any()
                .add(audit::Column::ActorName.eq(name))
                .add_option(account.map(|account| audit::Column::ActorUserId.eq(account)))
        });
        let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        Condition::all()
            .add_option(who)
            .add_option(text(&self.noun).map(|noun| audit::Column::Noun.eq(noun)))
            .add_option(self.noun_id.map(|id| audit::Column::NounId.eq(id)))
            .add_option(text(&self.action).map(|action| audit::Column::Action.eq(action)))
            .add_option(self.from.map(|from| audit::Column::CreatedAt.gte(from)))
            .add_option(self.before.map(|before| audit::Column::CreatedAt.lt(before)))
    }
}

/// Name of the actor who changed a record last; `None` if there is none.
pub async fn last_actor(
    db: &impl ConnectionTrait,
    noun: &str,
    noun_id: i64,
) -> Result<Option<String>, DbErr> {
    audit::Entity::find()
        .select_only()
        .column(audit::Column::ActorName)
        .filter(audit::Column::Noun.eq(noun))
        .filter(audit::Column::NounId.eq(noun_id))
        .order_by_desc(audit::Column::Id)
        .into_tuple()
        .one(db)
        .await
}

/// Entries, newest first: at most `limit`, with an id below `older_than`.
pub async fn page(
    db: &impl ConnectionTrait,
    wanted: &AuditQuery,
    older_than: Option<i64>,
    limit: u64,
) -> Result<Vec<AuditEntry>, DbErr> {
    audit::Entity::find()
        .filter(wanted.condition())
        .filter(Condition::all().add_option(older_than.map(|id| audit::Column::Id.lt(id))))
        .order_by_desc(audit::Column::Id)
        .limit(limit)
        .all(db)
        .await
}
