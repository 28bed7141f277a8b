//! Table `equipment_notes`: technicians' notes on machines.

use sea_orm::entity::prelude::*;

use crate::domain::ids::{EquipmentId, NoteId, UserId};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "equipment_notes")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: NoteId,
    pub equipment_id: EquipmentId,
    #[sea_orm(column_type = "Text")]
    pub text: String,
    /// At that time.
    pub author_name: String,
    pub author_user_id: Option<UserId>,
    pub created_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
