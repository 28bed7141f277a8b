//! Machines: by id, by name, and writes.

use super::entities::{area, equipment};
use crate::domain::equipment::{Cost, EquipmentDetails, StoredDetails};
use crate::domain::ids::{AreaId, EquipmentId};
use crate::domain::text::fold;
use chrono::{DateTime, Utc};
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, FromQueryResult, JoinType,
    PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, Select, Set,
};

pub use super::entities::equipment::Model as Equipment;

/// A machine with the needed columns of its area.
#[derive(Debug, Clone, PartialEq, Eq, FromQueryResult)]
pub struct EquipmentWithArea {
    pub id: EquipmentId,
    pub name: String,
    pub manufacturer: String,
    pub model: String,
    pub description: String,
    /// Regardless of its area.
    pub archived: bool,
    pub area_id: AreaId,
    pub area_name: String,
    /// Channel of the area; empty when none is set.
    pub area_channel: String,
    pub area_archived: bool,
}

impl EquipmentWithArea {
    /// Archived itself or with its area: it appears on no board.
    pub const fn is_archived(&self) -> bool {
        self.archived || self.area_archived
    }
}

pub(super) fn with_area() -> Select<equipment::Entity> {
    let area = equipment::Entity::belongs_to(area::Entity)
        .from(equipment::Column::AreaId)
        .to(area::Column::Id)
        .into();
    equipment::Entity::find().join(JoinType::InnerJoin, area)
}

fn equipment() -> Select<equipment::Entity> {
    with_area()
        .column_as(area::Column::Name, "area_name")
        .column_as(area::Column::SlackChannel, "area_channel")
        .column_as(area::Column::Archived, "area_archived")
}

fn live() -> Select<equipment::Entity> {
    equipment().filter(equipment::Column::Archived.eq(false)).filter(area::Column::Archived.eq(false))
}

/// The machine with this id, archived ones too.
pub async fn find(db: &impl ConnectionTrait, id: EquipmentId) -> Result<Option<EquipmentWithArea>, DbErr> {
    equipment().filter(equipment::Column::Id.eq(id)).into_model().one(db).await
}

/// Locks the machine's repairs until the transaction ends: rules over several repairs (duplicates, the last open
/// one) must not run concurrently. SQLite has one writer anyway.
pub async fn lock(db: &impl ConnectionTrait, id: EquipmentId) -> Result<(), DbErr> {
    let row = equipment::Entity::find_by_id(id).select_only().column(equipment::Column::Id);
    row.lock_exclusive().into_tuple::<EquipmentId>().one(db).await?;
    Ok(())
}

/// A machine as searches use it.
#[derive(Debug, Clone, PartialEq, Eq, FromQueryResult)]
pub struct EquipmentName {
    pub id: EquipmentId,
    pub name: String,
    /// Regardless of its area.
    pub archived: bool,
    pub area_id: AreaId,
    pub area_name: String,
    pub area_archived: bool,
}

/// All machines, archived ones too, by name.
pub async fn names(db: &impl ConnectionTrait) -> Result<Vec<EquipmentName>, DbErr> {
    with_area()
        .select_only()
        .columns([
            equipment::Column::Id,
            equipment::Column::Name,
            equipment::Column::Archived,
            equipment::Column::AreaId,
        ])
        .column_as(area::Column::Name, "area_name")
        .column_as(area::Column::Archived, "area_archived")
        .order_by_asc(equipment::Column::NameKey)
        .order_by_asc(equipment::Column::Id)
        .into_model()
        .all(db)
        .await
}

pub async fn any_live(db: &impl ConnectionTrait) -> Result<bool, DbErr> {
    let row: Option<EquipmentWithArea> = live().limit(1).into_model().one(db).await?;
    Ok(row.is_some())
}

pub async fn count(db: &impl ConnectionTrait) -> Result<u64, DbErr> {
    equipment::Entity::find().count(db).await
}

pub(super) fn name_key() -> (equipment::Entity, equipment::Column) {
    (equipment::Entity, equipment::Column::NameKey)
}

/// Escapes the wildcards of a text with `!`, since backslash differs between databases.
pub(super) fn escape_like(text: &str) -> String {
    text.replace('!', "!!").replace('%', "!%").replace('_', "!_")
}

/// The whole row of a machine, archived ones too.
pub async fn row(db: &impl ConnectionTrait, id: EquipmentId) -> Result<Option<equipment::Model>, DbErr> {
    equipment::Entity::find_by_id(id).one(db).await
}

pub async fn add(
    db: &impl ConnectionTrait,
    details: &EquipmentDetails,
    now: DateTime<Utc>,
) -> Result<EquipmentId, DbErr> {
    Ok(new_row(details, now).insert(db).await?.id)
}

pub(super) fn new_row(details: &EquipmentDetails, now: DateTime<Utc>) -> equipment::ActiveModel {
    equipment::ActiveModel {
        archived: Set(false),
        created_at: Set(now),
        updated_at: Set(now),
        ..columns(details)
    }
}

pub fn stored_details(row: &equipment::Model) -> StoredDetails {
    StoredDetails {
        name: row.name.clone(),
        area: row.area_id,
        manufacturer: row.manufacturer.clone(),
        model: row.model.clone(),
        serial_number: row.serial_number.clone(),
        acquisition_date: row.acquisition_date,
        acquisition_source: row.acquisition_source.clone(),
        acquisition_cost: row.acquisition_cents.and_then(Cost::from_cents),
        warranty_expiration: row.warranty_expiration,
        description: row.description.clone(),
    }
}

fn columns(details: &EquipmentDetails) -> equipment::ActiveModel {
    equipment::ActiveModel {
        area_id: Set(details.area),
        name: Set(details.name.as_str().to_owned()),
        name_key: Set(fold(details.name.as_str())),
        manufacturer: Set(details.manufacturer.as_str().to_owned()),
        model: Set(details.model.as_str().to_owned()),
        serial_number: Set(details.serial_number.as_str().to_owned()),
        acquisition_date: Set(details.acquisition_date),
        acquisition_source: Set(details.acquisition_source.as_str().to_owned()),
        acquisition_cents: Set(details.acquisition_cost.map(Cost::cents)),
        warranty_expiration: Set(details.warranty_expiration),
        description: Set(details.description.as_str().to_owned()),
        ..Default::default()
    }
}

/// Replaces the details of a machine that is at `version`, and increments its version; false when it is at another.
pub async fn replace(
    db: &impl ConnectionTrait,
    (id, version): (EquipmentId, i64),
    details: &EquipmentDetails,
    now: DateTime<Utc>,
) -> Result<bool, DbErr> {
    write(db, (id, version), columns(details), now).await
}

/// Archives or restores a machine that is at `version`, and increments its version; false when it is at another.
pub async fn set_archived(
    db: &impl ConnectionTrait,
    (id, version): (EquipmentId, i64),
    archived: bool,
    now: DateTime<Utc>,
) -> Result<bool, DbErr> {
    let row = equipment::ActiveModel { archived: Set(archived), ..Default::default() };
    write(db, (id, version), row, now).await
}

async fn write(
    db: &impl ConnectionTrait,
    (id, version): (EquipmentId, i64),
    mut row: equipment::ActiveModel,
    now: DateTime<Utc>,
) -> Result<bool, DbErr> {
    row.updated_at = Set(now);
    let written = equipment::Entity::update_many()
        .set(row)
        .col_expr(equipment::Column::Version, Expr::col(equipment::Column::Version).add(1))
        .filter(equipment::Column::Id.eq(id))
        .filter(equipment::Column::Version.eq(version))
        .exec(db)
        .await?;
    Ok(written.rows_affected == 1)
}
