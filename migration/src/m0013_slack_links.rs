//! Whether somebody in Slack may be linked to an account, and whom staff have unlinked from one.

use crate::columns::{id, reference, string, time};
use crate::create::{add_column, create_index, create_table, foreign_key};
use sea_orm_migration::prelude::*;

/// The step.
#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

/// The tables, in the order in which they can be made; dropped backwards.
pub(crate) const TABLES: &[&str] = &["slack_unlinks"];

#[async_trait::async_trait]
#[expect(elided_lifetimes_in_paths, reason = "the trait's own signature elides it")]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let unlinks = Table::create()
            .table("slack_unlinks")
            .col(id())
            .col(reference("user_id").not_null())
            .col(string("slack_user_id", 32))
            .col(time(manager.get_database_backend(), "created_at").not_null())
            .foreign_key(&mut foreign_key("slack_unlinks", "user_id", "users"))
            .take();
        create_table(manager, unlinks).await?;
        create_index(manager, ("slack_unlinks", &["user_id", "slack_user_id"], true)).await?;
        // Nothing is known of those whom Slack has told us of before: it is asked when they come next.
        add_column(manager, "slack_people", ColumnDef::new("is_member").boolean().take()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.alter_table(Table::alter().table("slack_people").drop_column("is_member").take()).await?;
        manager.drop_table(Table::drop().table("slack_unlinks").take()).await
    }
}
