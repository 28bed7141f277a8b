//! Table `equipment`: the machines.

use sea_orm::entity::prelude::*;

use crate::domain::ids::{AreaId, EquipmentId};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "equipment")]
pub struct Model {
    /// Printed on the label.
    #[sea_orm(primary_key)]
    pub id: EquipmentId,
    pub area_id: AreaId,
    pub name: String,
    /// Folded name, for searching.
    pub name_key: String,
    pub manufacturer: String,
    pub model: String,
    pub serial_number: String,
    pub acquisition_date: Option<Date>,
    pub acquisition_source: String,
    pub acquisition_cents: Option<i64>,
    /// Last day of the warranty.
    pub warranty_expiration: Option<Date>,
    #[sea_orm(column_type = "Text")]
    pub description: String,
    pub archived: bool,
    /// Incremented by each change.
    pub version: i64,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
}

impl Model {
    /// A machine with only these values; the import sets others.
    pub fn bare(id: EquipmentId, area_id: AreaId, name: String, name_key: String) -> Self {
        Self {
            id,
            area_id,
            name,
            name_key,
            manufacturer: String::new(),
            model: String::new(),
            serial_number: String::new(),
            acquisition_date: None,
            acquisition_source: String::new(),
            acquisition_cents: None,
            warranty_expiration: None,
            description: String::new(),
            archived: false,
            version: 1,
            created_at: DateTimeUtc::default(),
            updated_at: DateTimeUtc::default(),
        }
    }
}

impl ActiveModelBehavior for ActiveModel {}
