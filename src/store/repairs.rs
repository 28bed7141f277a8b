//! Repairs.

use super::entities::{repair, user};
use super::users;
use crate::domain::actor::SlackUserId;
use crate::domain::field::RepairFields;
use crate::domain::ids::{EquipmentId, RepairId, UserId};
use crate::domain::repair::{RepairStatus, Severity};
use crate::domain::text::{Description, EmailAddress, PersonName};
use chrono::{DateTime, Utc};
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
    QueryTrait, Set,
};
use std::collections::HashMap;

pub use super::entities::repair::Model as Repair;

pub const FIRST_VERSION: i64 = 1;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRepair<'a> {
    pub equipment: EquipmentId,
    pub description: &'a Description,
    pub severity: Option<Severity>,
    pub status: RepairStatus,
    pub assignee: Option<UserId>,
    pub reporter: &'a PersonName,
    pub reporter_email: Option<&'a EmailAddress>,
    /// If known.
    pub reporter_slack_id: Option<&'a SlackUserId>,
    /// A person could be hurt.
    pub safety_risk: bool,
    /// A consumable is used up.
    pub consumable: bool,
}

/// Adds a repair at its first version.
pub async fn add(
    db: &impl ConnectionTrait,
    new: &NewRepair<'_>,
    now: DateTime<Utc>,
) -> Result<RepairId, DbErr> {
    let row = repair::ActiveModel {
        equipment_id: Set(new.equipment),
        description: Set(new.description.as_str().to_owned()),
        severity: Set(new.severity),
        status: Set(new.status),
        open: Set(new.status.is_open()),
        reporter_name: Set(new.reporter.as_str().to_owned()),
        reporter_email: Set(new.reporter_email.map(|email| email.as_str().to_owned())),
        reporter_slack_id: Set(new.reporter_slack_id.map(|id| id.0.clone())),
        assignee_id: Set(new.assignee),
        specialist_description: Set(String::new()),
        safety_risk: Set(new.safety_risk),
        consumable: Set(new.consumable),
        version: Set(FIRST_VERSION),
        created_at: Set(now),
        closed_at: Set((!new.status.is_open()).then_some(now)),
        ..Default::default()
    };
    Ok(row.insert(db).await?.id)
}

pub async fn find(db: &impl ConnectionTrait, id: RepairId) -> Result<Option<Repair>, DbErr> {
    repair::Entity::find_by_id(id).one(db).await
}

/// The editable fields, with the assignee's name.
pub async fn fields(db: &impl ConnectionTrait, repair: &Repair) -> Result<RepairFields, DbErr> {
    let assignee = match repair.assignee_id {
        Some(id) => user::Entity::find_by_id(id).one(db).await?,
        None => None,
    };
    Ok(RepairFields {
        status: repair.status,
        duplicate_of: repair.duplicate_of,
        assignee: assignee.map(users::person),
        severity: repair.severity,
        eta: repair.eta,
        specialist_description: repair.specialist_description.clone(),
        safety_risk: repair.safety_risk,
        consumable: repair.consumable,
        description: repair.description.clone(),
    })
}

/// Writes a repair's next version, if it is still at `before.version`; `false` when another transaction was faster.
pub async fn update(
    db: &impl ConnectionTrait,
    before: &Repair,
    after: &RepairFields,
    now: DateTime<Utc>,
) -> Result<bool, DbErr> {
    let closed_at = match (before.open, after.status.is_open()) {
        (_, true) => None,
        (true, false) => Some(now),
        (false, false) => before.closed_at,
    };
    let done = repair::Entity::update_many()
        .col_expr(repair::Column::Status, Expr::value(after.status))
        .col_expr(repair::Column::Open, Expr::value(after.status.is_open()))
        .col_expr(repair::Column::DuplicateOf, Expr::value(after.duplicate_of))
        .col_expr(repair::Column::AssigneeId, Expr::value(after.assignee.as_ref().map(|person| person.id)))
        .col_expr(repair::Column::Severity, Expr::value(after.severity))
        .col_expr(repair::Column::Eta, Expr::value(after.eta))
        .col_expr(repair::Column::SpecialistDescription, Expr::value(after.specialist_description.as_str()))
        .col_expr(repair::Column::SafetyRisk, Expr::value(after.safety_risk))
        .col_expr(repair::Column::Consumable, Expr::value(after.consumable))
        .col_expr(repair::Column::Description, Expr::value(after.description.as_str()))
        .col_expr(repair::Column::ClosedAt, Expr::value(closed_at))
        .col_expr(repair::Column::Version, Expr::col(repair::Column::Version).add(1))
        .filter(repair::Column::Id.eq(before.id))
        .filter(repair::Column::Version.eq(before.version))
        .exec(db)
        .await?;
    Ok(done.rows_affected == 1)
}

/// The duplicates of a machine, and which repair each of them duplicates.
pub async fn duplicate_links(
    db: &impl ConnectionTrait,
    equipment: EquipmentId,
) -> Result<HashMap<RepairId, RepairId>, DbErr> {
    let links: Vec<(RepairId, RepairId)> = repair::Entity::find()
        .select_only()
        .columns([repair::Column::Id, repair::Column::DuplicateOf])
        .filter(repair::Column::EquipmentId.eq(equipment))
        .filter(repair::Column::DuplicateOf.is_not_null())
        .into_tuple()
        .all(db)
        .await?;
    Ok(links.into_iter().collect())
}

/// Ids of a machine's open repairs, in order.
pub async fn open_of(db: &impl ConnectionTrait, equipment: EquipmentId) -> Result<Vec<RepairId>, DbErr> {
    repair::Entity::find()
        .select_only()
        .column(repair::Column::Id)
        .filter(repair::Column::EquipmentId.eq(equipment))
        .filter(repair::Column::Open.eq(true))
        .order_by_asc(repair::Column::Id)
        .into_tuple()
        .all(db)
        .await
}

/// Other repairs of a machine, newest first, at most `most`; if given, only those older than `before`.
pub async fn others_of(
    db: &impl ConnectionTrait,
    equipment: EquipmentId,
    but: RepairId,
    before: Option<RepairId>,
    most: u64,
) -> Result<Vec<Repair>, DbErr> {
    repair::Entity::find()
        .filter(repair::Column::EquipmentId.eq(equipment))
        .filter(repair::Column::Id.ne(but))
        .apply_if(before, |query, before| query.filter(repair::Column::Id.lt(before)))
        .order_by_desc(repair::Column::Id)
        .limit(most)
        .all(db)
        .await
}

/// The duplicates of a repair, newest first, at most `most`.
pub async fn duplicates_of(
    db: &impl ConnectionTrait,
    repair: RepairId,
    most: u64,
) -> Result<Vec<Repair>, DbErr> {
    repair::Entity::find()
        .filter(repair::Column::DuplicateOf.eq(repair))
        .order_by_desc(repair::Column::Id)
        .limit(most)
        .all(db)
        .await
}
