//! Table `timeline`: what happened to a repair; append-only.

use sea_orm::entity::prelude::*;

use crate::domain::ids::{RepairId, TimelineId, UserId};
use crate::domain::timeline::TimelineKind;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "timeline")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: TimelineId,
    pub repair_id: RepairId,
    pub kind: TimelineKind,
    /// At that time.
    pub actor_name: String,
    pub actor_user_id: Option<UserId>,
    /// Version of the repair after it.
    pub version: i64,
    #[sea_orm(column_type = "Text", nullable)]
    pub old_value: Option<String>,
    #[sea_orm(column_type = "Text", nullable)]
    pub new_value: Option<String>,
    /// Account that the old value names.
    pub old_user_id: Option<UserId>,
    /// Account that the new value names.
    pub new_user_id: Option<UserId>,
    /// The note that this one replaces: always the original, not an earlier edit.
    pub supersedes: Option<TimelineId>,
    pub created_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
