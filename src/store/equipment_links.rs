//! Links of machines.

use super::entities::equipment_link;
use crate::domain::ids::{EquipmentId, LinkId};
use crate::domain::text::{LinkTitle, LinkUrl};
use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, PaginatorTrait, QueryFilter,
    QueryOrder, Set,
};

pub use super::entities::equipment_link::Model as Link;

/// The links of a machine, oldest first.
pub async fn of(db: &impl ConnectionTrait, equipment: EquipmentId) -> Result<Vec<Link>, DbErr> {
    equipment_link::Entity::find()
        .filter(equipment_link::Column::EquipmentId.eq(equipment))
        .order_by_asc(equipment_link::Column::Id)
        .all(db)
        .await
}

pub async fn count(db: &impl ConnectionTrait, equipment: EquipmentId) -> Result<u64, DbErr> {
    equipment_link::Entity::find().filter(equipment_link::Column::EquipmentId.eq(equipment)).count(db).await
}

pub async fn find(db: &impl ConnectionTrait, id: LinkId) -> Result<Option<Link>, DbErr> {
    equipment_link::Entity::find_by_id(id).one(db).await
}

pub async fn add(
    db: &impl ConnectionTrait,
    equipment: EquipmentId,
    (title, url): (&LinkTitle, &LinkUrl),
    now: DateTime<Utc>,
) -> Result<LinkId, DbErr> {
    let row = equipment_link::ActiveModel {
        equipment_id: Set(equipment),
        title: Set(title.as_str().to_owned()),
        url: Set(url.as_str().to_owned()),
        created_at: Set(now),
        ..Default::default()
    };
    Ok(row.insert(db).await?.id)
}

/// Removes a link; false when it did not exist.
pub async fn remove(db: &impl ConnectionTrait, id: LinkId) -> Result<bool, DbErr> {
    Ok(equipment_link::Entity::delete_by_id(id).exec(db).await?.rows_affected == 1)
}
