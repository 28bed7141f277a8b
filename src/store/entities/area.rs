//! Table `areas`: the rooms and corners of the space.

use sea_orm::entity::prelude::*;

use crate::domain::ids::AreaId;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "areas")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: AreaId,
    /// Name, unique among live areas.
    pub name: String,
    /// Folded name, for searching.
    pub name_key: String,
    /// Folded name while live, `None` once archived: carries the unique index.
    pub live_key: Option<String>,
    /// Channel; empty when none is set.
    pub slack_channel: String,
    /// Order on the board, then by name.
    pub sort_order: i64,
    pub archived: bool,
    /// Incremented by each change.
    pub version: i64,
    pub created_at: DateTimeUtc,
    pub updated_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
