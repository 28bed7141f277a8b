//! Table `delivery_attempts`: attempts to deliver; append-only.

use sea_orm::entity::prelude::*;

use crate::domain::ids::DeliveryId;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "delivery_attempts")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub delivery_id: DeliveryId,
    /// `delivered`, or why not.
    pub outcome: String,
    pub duration_ms: i64,
    pub created_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
