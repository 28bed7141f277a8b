//! Table `timeline`: what happened to a repair; append-only.

use sea_orm::entity::prelude::*;

use crate::domain::ids::{RepairId, TimelineId, UserId};
use crate::domain::timeline::TimelineKind;

/// One row.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "timeline")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: TimelineId,
    pub repair_id: RepairId,
    /// What happened.
    pub kind: TimelineKind,
    /// Name of who did it, as it was then.
    pub actor_name: String,
    /// Account of who did it.
    pub actor_user_id: Option<UserId>,
    /// Version of the repair after it.
    pub version: i64,
    /// Value before.
    #[sea_orm(column_type = "Text", nullable)]
    pub old_value: Option<String>,
    /// Value after.
    #[sea_orm(column_type = "Text", nullable)]
    pub new_value: Option<String>,
    /// Account that the value before names.
    pub old_user_id: Option<UserId>,
    /// Account that the value after names.
    pub new_user_id: Option<UserId>,
    /// The note that this one takes the place of: always the first of its edits.
    pub supersedes: Option<TimelineId>,
    /// When.
    pub created_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
