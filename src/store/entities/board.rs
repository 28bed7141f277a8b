//! Table `board`: one row: the revision of all that boards show.

use sea_orm::entity::prelude::*;

/// One row.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "board")]
pub struct Model {
    /// Always 1.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: i64,
    /// Counts the visible changes.
    pub revision: i64,
}

impl ActiveModelBehavior for ActiveModel {}
