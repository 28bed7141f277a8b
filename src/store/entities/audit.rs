//! Table `audit`: who changed what; append-only.

use sea_orm::entity::prelude::*;

use crate::domain::actor::Edge;
use crate::domain::ids::UserId;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "audit")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    /// `noun.verb`.
    pub action: String,
    pub noun: String,
    pub noun_id: i64,
    /// The edge of the request.
    pub edge: Edge,
    /// At that time.
    pub actor_name: String,
    pub actor_user_id: Option<UserId>,
    /// Values before, as JSON.
    #[sea_orm(column_type = "Text", nullable)]
    pub old_value: Option<String>,
    /// Values after, as JSON.
    #[sea_orm(column_type = "Text", nullable)]
    pub new_value: Option<String>,
    pub created_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
