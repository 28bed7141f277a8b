//! Table `documents`: files of machines that people read.

use sea_orm::entity::prelude::*;

use crate::domain::file::{DocumentCategory, FileKind};
use crate::domain::ids::{DocumentId, EquipmentId, UserId};

/// One row.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "documents")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: DocumentId,
    /// The machine.
    pub equipment_id: EquipmentId,
    pub category: DocumentCategory,
    /// What it is called.
    pub title: String,
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
    /// Names it where it comes from.
    #[sea_orm(unique)]
    pub source: Option<String>,
    /// When.
    pub created_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
