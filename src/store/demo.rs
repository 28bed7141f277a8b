//! Bulk inserts for made-up data: thousands of rows in few statements.

use super::entities::{equipment, repair, timeline};
use super::equipment::new_row;
use crate::domain::equipment::EquipmentDetails;
use crate::domain::ids::{EquipmentId, RepairId, UserId};
use crate::domain::repair::{RepairStatus, Severity};
use crate::domain::timeline::TimelineKind;
use chrono::{DateTime, NaiveDate, Utc};
use sea_orm::{ConnectionTrait, DbErr, EntityTrait, QueryOrder, QuerySelect, Set};

/// Rows of one statement: times the widest table's columns it stays below every database's limit.
const CHUNK: usize = 500;

/// A repair with a past.
#[derive(Debug, Clone)]
pub struct RepairRow {
    /// The machine.
    pub equipment: EquipmentId,
    /// What is wrong.
    pub description: String,
    /// How bad.
    pub severity: Severity,
    pub status: RepairStatus,
    /// Who reported it.
    pub reporter: String,
    /// Who works on it.
    pub assignee: Option<UserId>,
    /// When it should be done.
    pub eta: Option<NaiveDate>,
    /// Somebody could be hurt.
    pub safety_risk: bool,
    /// Something that wears out is used up.
    pub consumable: bool,
    /// When it was reported.
    pub created_at: DateTime<Utc>,
    /// When it was closed.
    pub closed_at: Option<DateTime<Utc>>,
}

/// One entry of a past.
#[derive(Debug, Clone)]
pub struct TimelineRow {
    pub repair: RepairId,
    /// What happened.
    pub kind: TimelineKind,
    /// Who did it.
    pub actor_name: String,
    /// Version of the repair after it.
    pub version: i64,
    /// Value before.
    pub old: Option<String>,
    /// Value after.
    pub new: String,
    /// When.
    pub created_at: DateTime<Utc>,
}

/// Adds machines to a table without any; their numbers in order.
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

/// Adds repairs to a table without any; their numbers in order. Each has five versions behind it.
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

/// Appends entries.
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
