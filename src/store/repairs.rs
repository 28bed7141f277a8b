//! Repairs.

use super::entities::repair;
use crate::domain::actor::SlackUserId;
use crate::domain::ids::{EquipmentId, RepairId};
use crate::domain::repair::{RepairStatus, Severity};
use crate::domain::text::{Description, EmailAddress, PersonName};
use chrono::{DateTime, Utc};
use sea_orm::{ActiveModelTrait, ConnectionTrait, DbErr, EntityTrait, Set};

/// The version that a repair begins with.
pub const FIRST_VERSION: i64 = 1;

/// A repair to add.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRepair<'a> {
    /// The machine.
    pub equipment: EquipmentId,
    /// What is wrong.
    pub description: &'a Description,
    /// How bad.
    pub severity: Severity,
    /// Where it stands.
    pub status: RepairStatus,
    /// Who reports.
    pub reporter: &'a PersonName,
    /// Their e-mail, where given.
    pub reporter_email: Option<&'a EmailAddress>,
    /// Their Slack id, where known.
    pub reporter_slack_id: Option<&'a SlackUserId>,
    /// Somebody could be hurt.
    pub safety_risk: bool,
    /// Something that wears out is used up.
    pub consumable: bool,
}

/// Adds a repair at its first version.
///
/// # Errors
/// The database's.
pub async fn add(
    db: &impl ConnectionTrait,
    new: &NewRepair<'_>,
    now: DateTime<Utc>,
) -> Result<RepairId, DbErr> {
    let row = repair::ActiveModel {
        equipment_id: Set(new.equipment),
        description: Set(new.description.as_str().to_owned()),
        severity: Set(Some(new.severity)),
        status: Set(new.status),
        open: Set(new.status.is_open()),
        reporter_name: Set(new.reporter.as_str().to_owned()),
        reporter_email: Set(new.reporter_email.map(|email| email.as_str().to_owned())),
        reporter_slack_id: Set(new.reporter_slack_id.map(|id| id.0.clone())),
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

/// The repair of that number.
///
/// # Errors
/// The database's.
pub async fn find(db: &impl ConnectionTrait, id: RepairId) -> Result<Option<repair::Model>, DbErr> {
    repair::Entity::find_by_id(id).one(db).await
}
