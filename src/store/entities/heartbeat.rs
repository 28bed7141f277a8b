//! Table `heartbeats`: one row per kind of loop.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "heartbeats")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub name: String,
    /// The latest of all processes.
    pub beat_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
