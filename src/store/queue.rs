//! The queue: pages of repairs. Selects ids first, so that only the texts of shown repairs are read.

use super::board::{severity_rank, to_area, to_assignee, to_equipment};
use super::entities::{area, equipment, repair, user};
use super::equipment::{escape_like, name_key};
use crate::domain::ids::{EquipmentId, RepairId};
use crate::domain::queue::{QueueFilter, QueueOrder, Whose};
use crate::domain::repair::{RepairStatus, Severity};
use crate::domain::text::fold;
use chrono::{DateTime, NaiveDate, Utc};
use sea_orm::sea_query::{Expr, ExprTrait, Func, LikeExpr, Order};
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, FromQueryResult, JoinType, QueryFilter,
    QueryOrder, QuerySelect, Select,
};

#[derive(Debug, Clone, PartialEq, Eq, FromQueryResult)]
pub struct QueueRow {
    pub id: RepairId,
    pub version: i64,
    pub equipment_id: EquipmentId,
    pub equipment: String,
    pub area: String,
    pub description: String,
    pub severity: Option<Severity>,
    pub status: RepairStatus,
    /// A person could be hurt.
    pub safety_risk: bool,
    pub assignee: Option<String>,
    pub eta: Option<NaiveDate>,
    pub created_at: DateTime<Utc>,
}

/// A page of the queue: `limit` repairs after the first `offset`. `found` are the machines that match the filter's
/// text.
pub async fn page(
    db: &impl ConnectionTrait,
    filter: &QueueFilter,
    found: &[EquipmentId],
    (offset, limit): (u64, u64),
) -> Result<Vec<QueueRow>, DbErr> {
    let ids: Vec<RepairId> =
        sorted(matching(filter, found), filter).offset(offset).limit(limit).into_tuple().all(db).await?;
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut rows: Vec<QueueRow> = repair::Entity::find()
        .select_only()
        .columns([
            repair::Column::Id,
            repair::Column::Version,
            repair::Column::EquipmentId,
            repair::Column::Description,
            repair::Column::Severity,
            repair::Column::Status,
            repair::Column::SafetyRisk,
            repair::Column::Eta,
            repair::Column::CreatedAt,
        ])
        .column_as(equipment::Column::Name, "equipment")
        .column_as(area::Column::Name, "area")
        .column_as(user::Column::Username, "assignee")
        .join(JoinType::InnerJoin, to_equipment())
        .join(JoinType::InnerJoin, to_area())
        .join(JoinType::LeftJoin, to_assignee())
        .filter(repair::Column::Id.is_in(ids.iter().copied()))
        .into_model()
        .all(db)
        .await?;
    rows.sort_by_key(|row| ids.iter().position(|id| *id == row.id));
    Ok(rows)
}

pub async fn total(
    db: &impl ConnectionTrait,
    filter: &QueueFilter,
    found: &[EquipmentId],
) -> Result<u64, DbErr> {
    let count = matching(filter, found).select_only().column_as(repair::Column::Id.count(), "n");
    let count: Option<i64> = count.into_tuple().one(db).await?;
    Ok(count.and_then(|count| u64::try_from(count).ok()).unwrap_or(0))
}

/// Ids of the matching repairs; joins other tables only if the filter needs them.
fn matching(filter: &QueueFilter, equipment: &[EquipmentId]) -> Select<repair::Entity> {
    let mut found = repair::Entity::find()
        .select_only()
        .column(repair::Column::Id)
        .filter(repair::Column::Open.eq(!filter.closed));
    let text = filter.text.trim();
    if filter.area.is_some() || !text.is_empty() || filter.order == QueueOrder::Equipment {
        found = found.join(JoinType::InnerJoin, to_equipment());
    }
    if filter.order == QueueOrder::Assignee {
        found = found.join(JoinType::LeftJoin, to_assignee());
    }
    if let Some(area) = filter.area {
        found = found.filter(equipment::Column::AreaId.eq(area));
    }
    if let Some(status) = filter.status {
        found = found.filter(repair::Column::Status.eq(status));
    }
    if let Some(severity) = filter.severity {
        found = found.filter(repair::Column::Severity.eq(severity));
    }
    found = match filter.whose {
        Whose::All => found,
        Whose::Of(user) => found.filter(repair::Column::AssigneeId.eq(user)),
        Whose::Nobody => found.filter(repair::Column::AssigneeId.is_null()),
    };
    if text.is_empty() { found } else { found.filter(holding(text, equipment)) }
}

/// The text is in the description or the machine's name (ignoring case as far as the database can), or is the
/// number, or the machine is one of these.
fn holding(text: &str, equipment: &[EquipmentId]) -> Condition {
    let like = |text: &str| LikeExpr::new(format!("%{}%", escape_like(text))).escape('!');
    let description = Expr::expr(Func::lower(Expr::col((repair::Entity, repair::Column::Description))));
    let by_equipment = || repair::Column::EquipmentId.is_in(equipment.iter().copied());
    let number = text.trim_start_matches('#').parse::<RepairId>().ok();
    Condition::any()
        .add(description.like(like(&text.to_lowercase())))
        .add(Expr::col(name_key()).like(like(&fold(text))))
        .add_option((!equipment.is_empty()).then(by_equipment))
        .add_option(number.map(|id| repair::Column::Id.eq(id)))
}

fn sorted(found: Select<repair::Entity>, filter: &QueueFilter) -> Select<repair::Entity> {
    let way = if filter.reversed { Order::Desc } else { Order::Asc };
    let found = match filter.order {
        QueueOrder::Urgency => found.order_by(severity_rank(), way.clone()),
        QueueOrder::Equipment => found.order_by(equipment::Column::NameKey, way.clone()),
        QueueOrder::Status => found.order_by(repair::Column::Status, way.clone()),
        QueueOrder::Assignee => {
            found.order_by_asc(user::Column::Username.is_null()).order_by(user::Column::Username, way.clone())
        }
        QueueOrder::Eta => {
            found.order_by_asc(repair::Column::Eta.is_null()).order_by(repair::Column::Eta, way.clone())
        }
        QueueOrder::Age => found,
    };
    let by_age = if filter.order == QueueOrder::Age { way } else { Order::Asc };
    found.order_by(repair::Column::CreatedAt, by_age.clone()).order_by(repair::Column::Id, by_age)
}
