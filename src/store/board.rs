//! The data of boards: the revision, live machines, open repairs.

use super::entities::{area, board, equipment, repair, user};
use crate::domain::board::rank;
use crate::domain::ids::{AreaId, EquipmentId, RepairId};
use crate::domain::repair::{RepairStatus, Severity};
use chrono::{DateTime, NaiveDate, Utc};
use futures_util::TryStreamExt;
use sea_orm::sea_query::{CaseStatement, Expr, ExprTrait};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, FromQueryResult, JoinType, QueryFilter, QueryOrder,
    QuerySelect, RelationDef, Select, StreamTrait,
};

/// The board's only row.
const ROW: i64 = 1;

/// The revision of the board. A missing row is `RecordNotFound`.
pub async fn revision(db: &impl ConnectionTrait) -> Result<i64, DbErr> {
    let row = board::Entity::find_by_id(ROW).one(db).await?;
    row.map(|row| row.revision).ok_or_else(|| DbErr::RecordNotFound("board".into()))
}

/// Increments the board revision. Must be the last statement of the transaction of a visible change.
pub async fn bump_revision(db: &impl ConnectionTrait) -> Result<(), DbErr> {
    board::Entity::update_many()
        .col_expr(board::Column::Revision, Expr::col(board::Column::Revision).add(1))
        .filter(board::Column::Id.eq(ROW))
        .exec(db)
        .await?;
    Ok(())
}

/// A live machine of a live area.
#[derive(Debug, Clone, PartialEq, Eq, FromQueryResult)]
pub struct ActiveEquipment {
    pub id: EquipmentId,
    pub area_id: AreaId,
    pub name: String,
}

/// All live machines of live areas, by name.
pub async fn active_equipment(db: &impl ConnectionTrait) -> Result<Vec<ActiveEquipment>, DbErr> {
    equipment::Entity::find()
        .select_only()
        .column(equipment::Column::Id)
        .column(equipment::Column::AreaId)
        .column(equipment::Column::Name)
        .join(JoinType::InnerJoin, to_area())
        .filter(equipment::Column::Archived.eq(false))
        .filter(area::Column::Archived.eq(false))
        .order_by_asc(equipment::Column::NameKey)
        .order_by_asc(equipment::Column::Id)
        .into_model()
        .all(db)
        .await
}

/// An open repair with its assignee's name.
#[derive(Debug, Clone, PartialEq, Eq, FromQueryResult)]
pub struct OpenRow {
    pub id: RepairId,
    pub equipment_id: EquipmentId,
    pub description: String,
    pub severity: Option<Severity>,
    pub status: RepairStatus,
    /// A person could be hurt.
    pub safety_risk: bool,
    pub eta: Option<NaiveDate>,
    pub created_at: DateTime<Utc>,
    pub assignee: Option<String>,
}

/// Reads the open repairs of all machines, oldest first, one row at a time: their texts may be megabytes in total.
pub async fn for_each_open_repair(
    db: &(impl ConnectionTrait + StreamTrait),
    mut take: impl FnMut(OpenRow),
) -> Result<(), DbErr> {
    let mut rows = oldest_first(open()).into_model::<OpenRow>().stream(db).await?;
    while let Some(row) = rows.try_next().await? {
        take(row);
    }
    Ok(())
}

/// An open repair with its status and assignee.
#[derive(Debug, Clone, PartialEq, Eq, FromQueryResult)]
pub struct OpenPlace {
    pub id: RepairId,
    pub equipment_id: EquipmentId,
    pub equipment: String,
    pub area_id: AreaId,
    pub area: String,
    pub description: String,
    pub severity: Option<Severity>,
    pub status: RepairStatus,
    pub eta: Option<NaiveDate>,
    pub assignee: Option<String>,
}

/// Reads the open repairs of all machines with machine and area, one row at a time, archived machines included:
/// worst severity first, then oldest.
pub async fn for_each_open_place(
    db: &(impl ConnectionTrait + StreamTrait),
    mut take: impl FnMut(OpenPlace),
) -> Result<(), DbErr> {
    let placed = open()
        .column_as(equipment::Column::Name, "equipment")
        .column(equipment::Column::AreaId)
        .column_as(area::Column::Name, "area")
        .join(JoinType::InnerJoin, to_equipment())
        .join(JoinType::InnerJoin, to_area());
    let mut rows =
        oldest_first(placed.order_by_asc(severity_rank())).into_model::<OpenPlace>().stream(db).await?;
    while let Some(row) = rows.try_next().await? {
        take(row);
    }
    Ok(())
}

/// Open repairs of one machine, worst severity first, then oldest: the first `most` of them.
pub async fn worst_repairs_of(
    db: &impl ConnectionTrait,
    equipment: EquipmentId,
    most: u64,
) -> Result<Vec<OpenRow>, DbErr> {
    let of_equipment = open().filter(repair::Column::EquipmentId.eq(equipment));
    oldest_first(of_equipment.order_by_asc(severity_rank())).limit(most).into_model().all(db).await
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OpenTotal {
    pub repairs: usize,
    /// True if any of them is a safety risk.
    pub safety_risk: bool,
}

pub async fn open_total_of(db: &impl ConnectionTrait, equipment: EquipmentId) -> Result<OpenTotal, DbErr> {
    let groups: Vec<(bool, i64)> = repair::Entity::find()
        .select_only()
        .column(repair::Column::SafetyRisk)
        .column_as(repair::Column::Id.count(), "repairs")
        .filter(repair::Column::Open.eq(true))
        .filter(repair::Column::EquipmentId.eq(equipment))
        .group_by(repair::Column::SafetyRisk)
        .into_tuple()
        .all(db)
        .await?;
    Ok(OpenTotal {
        repairs: groups.iter().map(|(_, repairs)| usize::try_from(*repairs).unwrap_or(0)).sum(),
        safety_risk: groups.iter().any(|(safety_risk, _)| *safety_risk),
    })
}

fn open() -> Select<repair::Entity> {
    repair::Entity::find()
        .select_only()
        .columns([
            repair::Column::Id,
            repair::Column::EquipmentId,
            repair::Column::Description,
            repair::Column::Severity,
            repair::Column::Status,
            repair::Column::SafetyRisk,
            repair::Column::Eta,
            repair::Column::CreatedAt,
        ])
        .column_as(user::Column::Username, "assignee")
        .join(JoinType::LeftJoin, to_assignee())
        .filter(repair::Column::Open.eq(true))
}

fn oldest_first(repairs: Select<repair::Entity>) -> Select<repair::Entity> {
    repairs.order_by_asc(repair::Column::CreatedAt).order_by_asc(repair::Column::Id)
}

/// The domain's rank of a severity, for the database to sort by.
pub(super) fn severity_rank() -> Expr {
    let ranks = Severity::ALL.iter().fold(CaseStatement::new(), |ranks, &severity| {
        ranks.case(repair::Column::Severity.eq(severity), i32::from(rank(Some(severity))))
    });
    ranks.finally(i32::from(rank(None))).into()
}

pub(super) fn to_area() -> RelationDef {
    equipment::Entity::belongs_to(area::Entity).from(equipment::Column::AreaId).to(area::Column::Id).into()
}

pub(super) fn to_equipment() -> RelationDef {
    repair::Entity::belongs_to(equipment::Entity)
        .from(repair::Column::EquipmentId)
        .to(equipment::Column::Id)
        .into()
}

pub(super) fn to_assignee() -> RelationDef {
    repair::Entity::belongs_to(user::Entity).from(repair::Column::AssigneeId).to(user::Column::Id).into()
}
