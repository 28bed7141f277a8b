//! Bulk inserts for made-up data: thousands of rows in few statements.

use super::entities::{equipment, repair, timeline};
use super::equipment::new_row;
use crate::domain::equipment::EquipmentDetails;
use crate::domain::ids::{EquipmentId, RepairId, UserId};
use crate::domain::repair::{RepairStatus, Severity};
use crate::domain::timeline::TimelineKind;
use chrono::{DateTime, NaiveDate, Utc};
use sea_orm::{ConnectionTrait, DbErr, EntityTrait, QueryOrder, QuerySelect, Set};

/// Rows per statement: times the columns of the widest table, it stays below every database's parameter limit.
const CHUNK: usize = 500;

/// A repair with a history.
#[derive(Debug, Clone)]
pub struct RepairRow {
    pub equipment: EquipmentId,
    pub description: String,
    pub severity: Severity,
    pub status: RepairStatus,
    /// Name of the reporter.
    pub reporter: String,
    pub assignee: Option<UserId>,
    pub eta: Option<NaiveDate>,
    /// A person could be hurt.
    pub safety_risk: bool,
    /// A consumable is used up.
    pub consumable: bool,
    pub created_at: DateTime<Utc>,
    pub closed_at: Option<DateTime<Utc>>,
}

#[derive(Debug, Clone)]
pub struct TimelineRow {
    pub repair: RepairId,
    pub kind: TimelineKind,
    pub actor_name: String,
    /// Version of the repair after it.
    pub version: i64,
    pub old: Option<String>,
    pub new: String,
    pub created_at: DateTime<Utc>,
}

/// Adds machines to an empty table; returns their ids in order.
pub async fn add_equipment(
    db: &impl ConnectionTrait,
    equipment: &[EquipmentDetails],
    now: DateTime<Utc>,
) -> Result<Vec<EquipmentId>, DbErr> {
    for chunk in equipment.chunks(CHUNK) {
        let rows = chunk.iter().map(|equipment| new_row(equipment, now));
        equipment::Entity::insert_many(rows).exec_without_returning(db).await?;
    }
    let ids = equipment::Entity::find().select_only().column(equipment::Column::Id);
    ids.order_by_asc(equipment::Column::Id).into_tuple().all(db).await
}

/// Adds repairs to an empty table; returns their ids in order. Each is at its fifth version.
pub async fn add_repairs(db: &impl ConnectionTrait, repairs: &[RepairRow]) -> Result<Vec<RepairId>, DbErr> {
    for chunk in repairs.chunks(CHUNK) {
        let rows = chunk.iter().map(|row| repair::ActiveModel {
            equipment_id: Set(row.equipment),
            description: Set(row.description.clone()),
            severity: Set(Some(row.severity)),
            status: Set(row.status),
            open: Set(row.status.is_open()),
            reporter_name: Set(row.reporter.clone()),
            assignee_id: Set(row.assignee),
            eta: Set(row.eta),
            specialist_description: Set(String::new()),
            safety_risk: Set(row.safety_risk),
            consumable: Set(row.consumable),
            version: Set(5),
            created_at: Set(row.created_at),
            closed_at: Set(row.closed_at),
            ..Default::default()
        });
        repair::Entity::insert_many(rows).exec_without_returning(db).await?;
    }
    let ids = repair::Entity::find().select_only().column(repair::Column::Id);
    ids.order_by_asc(repair::Column::Id).into_tuple().all(db).await
}

pub async fn add_timeline(db: &impl ConnectionTrait, entries: &[TimelineRow]) -> Result<(), DbErr> {
    for chunk in entries.chunks(CHUNK) {
        let rows = chunk.iter().map(|row| timeline::ActiveModel {
            repair_id: Set(row.repair),
            kind: Set(row.kind),
            actor_name: Set(row.actor_name.clone()),
            version: Set(row.version),
            old_value: Set(row.old.clone()),
            new_value: Set(Some(row.new.clone())),
            created_at: Set(row.created_at),
            ..Default::default()
        });
        timeline::Entity::insert_many(rows).exec_without_returning(db).await?;
    }
    Ok(())
}
