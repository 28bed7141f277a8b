//! Areas.

use super::entities::area;
use crate::domain::channel::ChannelRef;
use crate::domain::ids::AreaId;
use crate::domain::text::{AreaName, fold};
use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, Set,
};

/// Live areas in their order on the board.
///
/// # Errors
/// The database's.
pub async fn live(db: &impl ConnectionTrait) -> Result<Vec<area::Model>, DbErr> {
    area::Entity::find()
        .filter(area::Column::Archived.eq(false))
        .order_by_asc(area::Column::SortOrder)
        .order_by_asc(area::Column::NameKey)
        .all(db)
        .await
}

/// Adds a live area.
///
/// # Errors
/// The database's; a live area of that name is a unique violation.
pub async fn add(
    db: &impl ConnectionTrait,
    name: &AreaName,
    channel: Option<&ChannelRef>,
    sort_order: i64,
    now: DateTime<Utc>,
) -> Result<AreaId, DbErr> {
    let key = fold(name.as_str());
    let row = area::ActiveModel {
        name: Set(name.as_str().to_owned()),
        name_key: Set(key.clone()),
        live_key: Set(Some(key)),
        slack_channel: Set(channel.map_or_else(String::new, ToString::to_string)),
        sort_order: Set(sort_order),
        archived: Set(false),
        created_at: Set(now),
        updated_at: Set(now),
        ..Default::default()
    };
    Ok(row.insert(db).await?.id)
}
