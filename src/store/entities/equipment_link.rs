//! Table `equipment_links`: web links of machines.

use sea_orm::entity::prelude::*;

use crate::domain::ids::{EquipmentId, LinkId};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "equipment_links")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: LinkId,
    pub equipment_id: EquipmentId,
    pub title: String,
    #[sea_orm(column_type = "Text")]
    pub url: String,
    pub created_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
