//! Notes on machines.

use super::entities::equipment_note;
use crate::domain::ids::{EquipmentId, NoteId, UserId};
use crate::domain::text::EquipmentNote;
use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, PaginatorTrait, QueryFilter,
    QueryOrder, QuerySelect, Set,
};

pub use super::entities::equipment_note::Model as Note;

/// The newest notes on a machine, at most `limit`.
pub async fn of(db: &impl ConnectionTrait, equipment: EquipmentId, limit: u64) -> Result<Vec<Note>, DbErr> {
    equipment_note::Entity::find()
        .filter(equipment_note::Column::EquipmentId.eq(equipment))
        .order_by_desc(equipment_note::Column::Id)
        .limit(limit)
        .all(db)
        .await
}

pub async fn count(db: &impl ConnectionTrait, equipment: EquipmentId) -> Result<u64, DbErr> {
    equipment_note::Entity::find().filter(equipment_note::Column::EquipmentId.eq(equipment)).count(db).await
}

pub async fn find(db: &impl ConnectionTrait, id: NoteId) -> Result<Option<Note>, DbErr> {
    equipment_note::Entity::find_by_id(id).one(db).await
}

pub async fn add(
    db: &impl ConnectionTrait,
    equipment: EquipmentId,
    (author, author_name): (UserId, &str),
    text: &EquipmentNote,
    now: DateTime<Utc>,
) -> Result<NoteId, DbErr> {
    let row = equipment_note::ActiveModel {
        equipment_id: Set(equipment),
        text: Set(text.as_str().to_owned()),
        author_name: Set(author_name.to_owned()),
        author_user_id: Set(Some(author)),
        created_at: Set(now),
        ..Default::default()
    };
    Ok(row.insert(db).await?.id)
}

/// Removes a note; false when it did not exist.
pub async fn remove(db: &impl ConnectionTrait, id: NoteId) -> Result<bool, DbErr> {
    Ok(equipment_note::Entity::delete_by_id(id).exec(db).await?.rows_affected == 1)
}
