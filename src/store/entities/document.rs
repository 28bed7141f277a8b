//! Table `documents`: documents of machines.

use sea_orm::entity::prelude::*;

use crate::domain::file::{DocumentCategory, FileKind};
use crate::domain::ids::{DocumentId, EquipmentId, UserId};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "documents")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: DocumentId,
    pub equipment_id: EquipmentId,
    pub category: DocumentCategory,
    pub title: String,
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
    /// Its id at its origin.
    #[sea_orm(unique)]
    pub source: Option<String>,
    pub created_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
