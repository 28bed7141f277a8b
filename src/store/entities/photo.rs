//! Table `photos`: photos and videos of machines and of repairs.

use sea_orm::entity::prelude::*;

use crate::domain::file::FileKind;
use crate::domain::ids::{EquipmentId, PhotoId, RepairId, UserId};

/// One row.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "photos")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: PhotoId,
    /// The machine, where it is of one.
    pub equipment_id: Option<EquipmentId>,
    /// The repair, where it is of one.
    pub repair_id: Option<RepairId>,
    /// Its name in the directory of uploads.
    #[sea_orm(unique)]
    pub stored_name: String,
    /// What it is, by its content.
    pub kind: FileKind,
    /// The file name as uploaded.
    pub original_name: String,
    /// Bytes.
    pub size: i64,
    /// True when there is a small picture of it.
    pub has_thumbnail: bool,
    /// Name of who added it, as it was then.
    pub uploader_name: String,
    /// Account of who added it.
    pub uploader_user_id: Option<UserId>,
    /// Slack's id of who added it.
    pub uploader_slack_id: Option<String>,
    /// Names it where it comes from, such as Slack's id of it.
    #[sea_orm(unique)]
    pub source: Option<String>,
    /// When.
    pub created_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
