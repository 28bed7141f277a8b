//! Table `equipment_notes`: what technicians write down about a machine.

use sea_orm::entity::prelude::*;

use crate::domain::ids::{EquipmentId, NoteId, UserId};

/// One row.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "equipment_notes")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: NoteId,
    /// The machine.
    pub equipment_id: EquipmentId,
    #[sea_orm(column_type = "Text")]
    pub text: String,
    /// Name of who wrote it, as it was then.
    pub author_name: String,
    /// Account of who wrote it.
    pub author_user_id: Option<UserId>,
    /// When.
    pub created_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
