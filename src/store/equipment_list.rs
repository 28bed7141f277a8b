//! The equipment list: machines in pages and batches, and a machine's repairs.

use super::entities::{area, equipment, repair, user};
use super::equipment::with_area;
use crate::domain::ids::{AreaId, EquipmentId, RepairId};
use crate::domain::repair::{RepairStatus, Severity};
use chrono::{DateTime, NaiveDate, Utc};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, FromQueryResult, JoinType, PaginatorTrait,
    QueryFilter, QueryOrder, QuerySelect, RelationDef, Select,
};
use std::collections::HashMap;

/// Filter of the list.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct EquipmentQuery {
    /// Only machines of this area.
    pub area: Option<AreaId>,
    /// Machines that are archived, themselves or with their area, instead of the others.
    pub archived: bool,
    /// Only machines that match this search.
    pub text: String,
}

impl EquipmentQuery {
    fn condition(&self) -> Condition {
        let archived =
            [equipment::Column::Archived.eq(self.archived), area::Column::Archived.eq(self.archived)];
        let archived = if self.archived { Condition::any() } else { Condition::all() }
            .add_option(archived.first().cloned())
            .add_option(archived.last().cloned());
        Condition::all().add(archived).add_option(self.area.map(|area| equipment::Column::AreaId.eq(area)))
    }
}

#[derive(Debug, Clone, PartialEq, Eq, FromQueryResult)]
pub struct Listed {
    pub id: EquipmentId,
    pub name: String,
    pub manufacturer: String,
    pub model: String,
    /// Regardless of its area.
    pub archived: bool,
    pub area_name: String,
    pub area_archived: bool,
}

fn listed(condition: Condition) -> Select<equipment::Entity> {
    with_area()
        .select_only()
        .columns([
            equipment::Column::Id,
            equipment::Column::Name,
            equipment::Column::Manufacturer,
            equipment::Column::Model,
            equipment::Column::Archived,
        ])
        .column_as(area::Column::Name, "area_name")
        .column_as(area::Column::Archived, "area_archived")
        .filter(condition)
}

/// Machines of that area and state by name, regardless of the text: `limit` of them after the first `skipped`.
pub async fn page(
    db: &impl ConnectionTrait,
    wanted: &EquipmentQuery,
    (limit, skipped): (u64, u64),
) -> Result<Vec<Listed>, DbErr> {
    listed(wanted.condition())
        .order_by_asc(equipment::Column::NameKey)
        .order_by_asc(equipment::Column::Id)
        .limit(limit)
        .offset(skipped)
        .into_model()
        .all(db)
        .await
}

/// The machines with these ids, in this order.
pub async fn of_numbers(db: &impl ConnectionTrait, ids: &[EquipmentId]) -> Result<Vec<Listed>, DbErr> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let condition = Condition::all().add(equipment::Column::Id.is_in(ids.iter().copied()));
    let mut rows: Vec<Listed> = listed(condition).into_model().all(db).await?;
    rows.sort_by_key(|row| ids.iter().position(|id| *id == row.id));
    Ok(rows)
}

/// Number of machines of that area and state, regardless of the text.
pub async fn count(db: &impl ConnectionTrait, wanted: &EquipmentQuery) -> Result<u64, DbErr> {
    with_area().filter(wanted.condition()).count(db).await
}

/// Number of live machines by area; areas without any are absent.
pub async fn equipment_by_area(db: &impl ConnectionTrait) -> Result<HashMap<AreaId, i64>, DbErr> {
    let rows: Vec<(AreaId, i64)> = equipment::Entity::find()
        .select_only()
        .column(equipment::Column::AreaId)
        .column_as(equipment::Column::Id.count(), "machines")
        .filter(equipment::Column::Archived.eq(false))
        .group_by(equipment::Column::AreaId)
        .into_tuple()
        .all(db)
        .await?;
    Ok(rows.into_iter().collect())
}

/// Whole rows of machines with the names of their areas, by id: `limit` of them after `after`. Includes archived
/// ones if `archived` is true.
pub async fn batch(
    db: &impl ConnectionTrait,
    (area, archived): (Option<AreaId>, bool),
    after: EquipmentId,
    limit: u64,
) -> Result<Vec<(equipment::Model, Option<area::Model>)>, DbErr> {
    let live = [equipment::Column::Archived.eq(false), area::Column::Archived.eq(false)];
    let live = live.into_iter().fold(Condition::all(), Condition::add);
    with_area()
        .select_also(area::Entity)
        .filter(
            Condition::all()
                .add(equipment::Column::Id.gt(after))
                .add_option(area.map(|area| equipment::Column::AreaId.eq(area)))
                .add_option((!archived).then_some(live)),
        )
        .order_by_asc(equipment::Column::Id)
        .limit(limit)
        .all(db)
        .await
}

/// A repair of a machine, open or closed.
#[derive(Debug, Clone, PartialEq, Eq, FromQueryResult)]
pub struct PastRepair {
    pub id: RepairId,
    /// What is or was wrong.
    pub description: String,
    pub severity: Option<Severity>,
    pub status: RepairStatus,
    pub reporter_name: String,
    /// Who works or worked on it.
    pub assignee: Option<String>,
    pub eta: Option<NaiveDate>,
    pub created_at: DateTime<Utc>,
    pub closed_at: Option<DateTime<Utc>>,
}

fn repairs_of(equipment: EquipmentId) -> Select<repair::Entity> {
    repair::Entity::find().filter(repair::Column::EquipmentId.eq(equipment))
}

/// All repairs of a machine, newest first: `limit` of them after the first `skipped`.
pub async fn repairs(
    db: &impl ConnectionTrait,
    equipment: EquipmentId,
    (limit, skipped): (u64, u64),
) -> Result<Vec<PastRepair>, DbErr> {
    past(repairs_of(equipment)).limit(limit).offset(skipped).into_model().all(db).await
}

/// Closed repairs of a machine, newest first, at most `limit`.
pub async fn closed_repairs(
    db: &impl ConnectionTrait,
    equipment: EquipmentId,
    limit: u64,
) -> Result<Vec<PastRepair>, DbErr> {
    past(closed_of(equipment)).limit(limit).into_model().all(db).await
}

pub async fn closed_count(db: &impl ConnectionTrait, equipment: EquipmentId) -> Result<u64, DbErr> {
    closed_of(equipment).count(db).await
}

fn closed_of(equipment: EquipmentId) -> Select<repair::Entity> {
    repairs_of(equipment).filter(repair::Column::Open.eq(false))
}

fn past(repairs: Select<repair::Entity>) -> Select<repair::Entity> {
    repairs
        .select_only()
        .columns([
            repair::Column::Id,
            repair::Column::Description,
            repair::Column::Severity,
            repair::Column::Status,
            repair::Column::ReporterName,
            repair::Column::Eta,
            repair::Column::CreatedAt,
            repair::Column::ClosedAt,
        ])
        .column_as(user::Column::Username, "assignee")
        .join(JoinType::LeftJoin, to_assignee())
        .order_by_desc(repair::Column::CreatedAt)
        .order_by_desc(repair::Column::Id)
}

pub async fn repair_count(db: &impl ConnectionTrait, equipment: EquipmentId) -> Result<u64, DbErr> {
    repairs_of(equipment).count(db).await
}

fn to_assignee() -> RelationDef {
    repair::Entity::belongs_to(user::Entity).from(repair::Column::AssigneeId).to(user::Column::Id).into()
}
