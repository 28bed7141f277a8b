//! Table `photos`: photos and videos of machines and of repairs.

use sea_orm::entity::prelude::*;

use crate::domain::file::FileKind;
use crate::domain::ids::{EquipmentId, PhotoId, RepairId, UserId};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "photos")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: PhotoId,
    /// Set for a photo of a machine.
    pub equipment_id: Option<EquipmentId>,
    /// Set for a photo of a repair.
    pub repair_id: Option<RepairId>,
    /// Its name in the upload directory.
    #[sea_orm(unique)]
    pub stored_name: String,
    /// Determined by its content.
    pub kind: FileKind,
    /// As uploaded, sanitized.
    pub original_name: String,
    /// In bytes.
    pub size: i64,
    pub has_thumbnail: bool,
    /// At that time.
    pub uploader_name: String,
    pub uploader_user_id: Option<UserId>,
    pub uploader_slack_id: Option<String>,
    /// Its id at its origin, such as Slack's file id.
    #[sea_orm(unique)]
    pub source: Option<String>,
    pub created_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
