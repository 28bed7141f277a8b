//! Table `equipment_links`: addresses of the web that belong to a machine.

use sea_orm::entity::prelude::*;

use crate::domain::ids::{EquipmentId, LinkId};

/// One row.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "equipment_links")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: LinkId,
    /// The machine.
    pub equipment_id: EquipmentId,
    /// What it is called.
    pub title: String,
    /// Where it leads.
    #[sea_orm(column_type = "Text")]
    pub url: String,
    /// When it was added.
    pub created_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
