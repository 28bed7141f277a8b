//! What channels are called that are configured by Slack's id of them.

use crate::columns::{string, time};
use crate::create::create_table;
use sea_orm_migration::prelude::*;

/// The step.
#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

/// The tables, in the order in which they can be made; dropped backwards.
pub(crate) const TABLES: &[&str] = &["slack_channels"];

#[async_trait::async_trait]
#[expect(elided_lifetimes_in_paths, reason = "the trait's own signature elides it")]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let channels = Table::create()
            .table("slack_channels")
            .col(string("slack_channel_id", 80).primary_key())
            .col(ColumnDef::new("name").string_len(80))
            .col(time(manager.get_database_backend(), "asked_at").not_null())
            .take();
        create_table(manager, channels).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("slack_channels").take()).await
    }
}
