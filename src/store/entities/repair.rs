//! Table `repairs`: open and closed repairs.

use sea_orm::entity::prelude::*;

use crate::domain::ids::{EquipmentId, RepairId, UserId};
use crate::domain::repair::{RepairStatus, Severity};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "repairs")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: RepairId,
    pub equipment_id: EquipmentId,
    #[sea_orm(column_type = "Text")]
    pub description: String,
    /// `None` only for imported repairs.
    pub severity: Option<Severity>,
    pub status: RepairStatus,
    /// Derived from the status; indexed.
    pub open: bool,
    pub reporter_name: String,
    pub reporter_email: Option<String>,
    pub reporter_slack_id: Option<String>,
    pub assignee_id: Option<UserId>,
    pub eta: Option<Date>,
    #[sea_orm(column_type = "Text")]
    pub specialist_description: String,
    /// The repair that this one duplicates.
    pub duplicate_of: Option<RepairId>,
    /// A person could be hurt.
    pub safety_risk: bool,
    /// A consumable is used up.
    pub consumable: bool,
    /// Incremented by each change.
    pub version: i64,
    pub created_at: DateTimeUtc,
    pub closed_at: Option<DateTimeUtc>,
}

impl ActiveModelBehavior for ActiveModel {}
