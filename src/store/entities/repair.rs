//! Table `repairs`: what is or was wrong with a machine.

use sea_orm::entity::prelude::*;

use crate::domain::ids::{EquipmentId, RepairId, UserId};
use crate::domain::repair::{RepairStatus, Severity};

/// One row.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "repairs")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: RepairId,
    /// The machine.
    pub equipment_id: EquipmentId,
    /// What is wrong.
    #[sea_orm(column_type = "Text")]
    pub description: String,
    /// How bad; imported ones may have none.
    pub severity: Option<Severity>,
    pub status: RepairStatus,
    /// Follows from the status; indexed.
    pub open: bool,
    pub reporter_name: String,
    /// E-mail of the reporter, where given.
    pub reporter_email: Option<String>,
    /// Slack id of the reporter, where known.
    pub reporter_slack_id: Option<String>,
    /// Who works on it.
    pub assignee_id: Option<UserId>,
    /// When it should be done.
    pub eta: Option<Date>,
    /// What a specialist is needed for.
    #[sea_orm(column_type = "Text")]
    pub specialist_description: String,
    /// The repair that this one repeats.
    pub duplicate_of: Option<RepairId>,
    /// Somebody could be hurt.
    pub safety_risk: bool,
    /// Something that wears out is used up.
    pub consumable: bool,
    /// Counts the changes.
    pub version: i64,
    /// When it was reported.
    pub created_at: DateTimeUtc,
    /// When it was closed.
    pub closed_at: Option<DateTimeUtc>,
}

impl ActiveModelBehavior for ActiveModel {}
