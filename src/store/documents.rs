//! Documents of machines.

use super::entities::document;
use crate::domain::actor::Actor;
use crate::domain::file::{DocumentCategory, StoredFile};
use crate::domain::ids::{DocumentId, EquipmentId};
use crate::domain::text::DocumentTitle;
use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, PaginatorTrait, QueryFilter,
    QueryOrder, QuerySelect, Set,
};

pub use super::entities::document::Model as Document;

/// The documents of a machine, oldest first; at most `most`.
pub async fn of(
    db: &impl ConnectionTrait,
    equipment: EquipmentId,
    most: u64,
) -> Result<Vec<Document>, DbErr> {
    document::Entity::find()
        .filter(document::Column::EquipmentId.eq(equipment))
        .order_by_asc(document::Column::Id)
        .limit(most)
        .all(db)
        .await
}

pub async fn count(db: &impl ConnectionTrait, equipment: EquipmentId) -> Result<u64, DbErr> {
    document::Entity::find().filter(document::Column::EquipmentId.eq(equipment)).count(db).await
}

pub async fn find(db: &impl ConnectionTrait, id: DocumentId) -> Result<Option<Document>, DbErr> {
    document::Entity::find_by_id(id).one(db).await
}

pub async fn add(
    db: &impl ConnectionTrait,
    equipment: EquipmentId,
    (category, title): (DocumentCategory, &DocumentTitle),
    file: &StoredFile,
    actor: &Actor,
    now: DateTime<Utc>,
) -> Result<DocumentId, DbErr> {
    let row = document::ActiveModel {
        equipment_id: Set(equipment),
        category: Set(category),
        title: Set(title.as_str().to_owned()),
        stored_name: Set(file.stored.as_str().to_owned()),
        kind: Set(file.kind),
        original_name: Set(file.name.as_str().to_owned()),
        size: Set(i64::try_from(file.size).unwrap_or(i64::MAX)),
        has_thumbnail: Set(file.has_thumbnail),
        uploader_name: Set(actor.name.clone()),
        uploader_user_id: Set(actor.account.as_ref().map(|account| account.id)),
        uploader_slack_id: Set(actor.slack_id.as_ref().map(|id| id.0.clone())),
        source: Set(None),
        created_at: Set(now),
        ..Default::default()
    };
    Ok(row.insert(db).await?.id)
}

/// Removes a document; false when it did not exist.
pub async fn remove(db: &impl ConnectionTrait, id: DocumentId) -> Result<bool, DbErr> {
    Ok(document::Entity::delete_by_id(id).exec(db).await?.rows_affected == 1)
}
