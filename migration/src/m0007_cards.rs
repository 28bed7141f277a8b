//! What live_message cards need: the card of each repair and channel, what a delivery does to it, and since when a
//! message may have arrived without our knowing.

use crate::columns::{count, id, reference, string, time};
use crate::create::{add_column, create_index, create_table, foreign_key};
use sea_orm_migration::prelude::*;

/// The step.
#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

/// The tables, in the order in which they can be made; dropped backwards.
pub(crate) const TABLES: &[&str] = &["cards"];

/// New columns of `deliveries`.
const COLUMNS: [&str; 3] = ["kind", "card_id", "in_doubt_since"];

/// Table, columns, and whether they are unique together.
const INDEXES: [(&str, &[&str], bool); 2] =
    [("cards", &["repair_id", "target"], true), ("deliveries", &["card_id", "state"], false)];

#[async_trait::async_trait]
#[expect(elided_lifetimes_in_paths, reason = "the trait's own signature elides it")]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let backend = manager.get_database_backend();
        let cards = Table::create()
            .table("cards")
            .col(id())
            .col(reference("repair_id").not_null())
            .col(string("target", 80))
            .col(ColumnDef::new("channel").string_len(32))
            .col(ColumnDef::new("ts").string_len(32))
            .col(count("desired_version"))
            .col(count("rendered_version"))
            .foreign_key(&mut foreign_key("cards", "repair_id", "repairs"))
            .take();
        create_table(manager, cards).await?;
        add_column(manager, "deliveries", string("kind", 16).default("message").take()).await?;
        add_column(manager, "deliveries", reference("card_id")).await?;
        add_column(manager, "deliveries", time(backend, "in_doubt_since")).await?;
        for index in INDEXES {
            create_index(manager, index).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let index = Index::drop().name("ix_deliveries_card_id_state").table("deliveries").to_owned();
        manager.drop_index(index).await?;
        for column in COLUMNS {
            manager.alter_table(Table::alter().table("deliveries").drop_column(column).take()).await?;
        }
        manager.drop_table(Table::drop().table("cards").take()).await
    }
}
