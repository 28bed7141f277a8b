//! What a failed delivery waits for together with others, and which process sends deliveries.

use crate::columns::{string, time};
use crate::create::{add_column, create_table};
use sea_orm_migration::prelude::*;

/// The step.
#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

/// The tables, in the order in which they can be made; dropped backwards.
pub(crate) const TABLES: &[&str] = &["leases"];

#[async_trait::async_trait]
#[expect(elided_lifetimes_in_paths, reason = "the trait's own signature elides it")]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let leases = Table::create()
            .table("leases")
            .col(string("name", 32).primary_key())
            .col(string("holder", 40))
            .col(time(manager.get_database_backend(), "leased_until").not_null())
            .take();
        create_table(manager, leases).await?;
        add_column(manager, "deliveries", ColumnDef::new("cause").string_len(16).take()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.alter_table(Table::alter().table("deliveries").drop_column("cause").take()).await?;
        manager.drop_table(Table::drop().table("leases").take()).await
    }
}
