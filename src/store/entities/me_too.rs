//! Table `me_toos`: who has the same problem; one row per repair and person.

use sea_orm::entity::prelude::*;

use crate::domain::ids::RepairId;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "me_toos")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub repair_id: RepairId,
    /// Identifies a person: a Slack id or a browser.
    pub person_key: String,
    pub created_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
