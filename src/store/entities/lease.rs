//! Table `leases`: which process does work that only one may do at a time.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "leases")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub name: String,
    pub holder: String,
    /// In database time.
    pub leased_until: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
