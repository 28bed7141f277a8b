//! Table `board`: one row with the board revision.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "board")]
pub struct Model {
    /// Always 1.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: i64,
    /// Incremented by each visible change.
    pub revision: i64,
}

impl ActiveModelBehavior for ActiveModel {}
