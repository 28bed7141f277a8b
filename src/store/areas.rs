//! Areas.

use super::entities::area;
use crate::domain::area::AreaDetails;
use crate::domain::ids::AreaId;
use crate::domain::text::fold;
use chrono::{DateTime, Utc};
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, Set,
};

pub use super::entities::area::Model as Area;

/// Live areas in board order.
pub async fn live(db: &impl ConnectionTrait) -> Result<Vec<Area>, DbErr> {
    area::Entity::find()
        .filter(area::Column::Archived.eq(false))
        .order_by_asc(area::Column::SortOrder)
        .order_by_asc(area::Column::NameKey)
        .all(db)
        .await
}

/// All areas in board order, archived ones last.
pub async fn all(db: &impl ConnectionTrait) -> Result<Vec<Area>, DbErr> {
    area::Entity::find()
        .order_by_asc(area::Column::Archived)
        .order_by_asc(area::Column::SortOrder)
        .order_by_asc(area::Column::NameKey)
        .order_by_asc(area::Column::Id)
        .all(db)
        .await
}

/// The area with this id, archived ones too.
pub async fn find(db: &impl ConnectionTrait, id: AreaId) -> Result<Option<Area>, DbErr> {
    area::Entity::find_by_id(id).one(db).await
}

/// Adds a live area. A live area of that name is a unique violation.
pub async fn add(
    db: &impl ConnectionTrait,
    details: &AreaDetails,
    now: DateTime<Utc>,
) -> Result<AreaId, DbErr> {
    let key = fold(details.name.as_str());
    let row = area::ActiveModel {
        name: Set(details.name.as_str().to_owned()),
        name_key: Set(key.clone()),
        live_key: Set(Some(key)),
        slack_channel: Set(channel(details)),
        sort_order: Set(details.sort_order),
        archived: Set(false),
        created_at: Set(now),
        updated_at: Set(now),
        ..Default::default()
    };
    Ok(row.insert(db).await?.id)
}

fn channel(details: &AreaDetails) -> String {
    details.slack_channel.as_ref().map_or_else(String::new, ToString::to_string)
}

/// Replaces the details of an area that is at `version`, and increments its version; false when it is at another. A
/// live area of that name is a unique violation.
pub async fn replace(
    db: &impl ConnectionTrait,
    area: &Area,
    version: i64,
    details: &AreaDetails,
    now: DateTime<Utc>,
) -> Result<bool, DbErr> {
    let key = fold(details.name.as_str());
    let row = area::ActiveModel {
        name: Set(details.name.as_str().to_owned()),
        name_key: Set(key.clone()),
        live_key: Set((!area.archived).then_some(key)),
        slack_channel: Set(channel(details)),
        sort_order: Set(details.sort_order),
        ..Default::default()
    };
    write(db, area.id, version, row, now).await
}

/// Archives or restores an area that is at `version`, and increments its version; false when it is at another.
/// Restoring while a live area has that name is a unique violation.
pub async fn set_archived(
    db: &impl ConnectionTrait,
    area: &Area,
    version: i64,
    archived: bool,
    now: DateTime<Utc>,
) -> Result<bool, DbErr> {
    let live_key = (!archived).then(|| area.name_key.clone());
    let row = area::ActiveModel { archived: Set(archived), live_key: Set(live_key), ..Default::default() };
    write(db, area.id, version, row, now).await
}

async fn write(
    db: &impl ConnectionTrait,
    id: AreaId,
    version: i64,
    mut row: area::ActiveModel,
    now: DateTime<Utc>,
) -> Result<bool, DbErr> {
    row.updated_at = Set(now);
    let written = area::Entity::update_many()
        .set(row)
        .col_expr(area::Column::Version, Expr::col(area::Column::Version).add(1))
        .filter(area::Column::Id.eq(id))
        .filter(area::Column::Version.eq(version))
        .exec(db)
        .await?;
    Ok(written.rows_affected == 1)
}
