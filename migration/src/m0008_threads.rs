//! What a card's thread needs: which of its replies became which note, and a way to find the card.

use crate::columns::{id, reference, string};
use crate::create::{create_index, create_table, foreign_key};
use sea_orm_migration::prelude::*;

/// The step.
#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

/// The tables, in the order in which they can be made; dropped backwards.
pub(crate) const TABLES: &[&str] = &["thread_replies"];

/// Table, columns, and whether they are unique together.
const INDEXES: [(&str, &[&str], bool); 2] =
    [("thread_replies", &["channel", "ts"], true), ("cards", &["channel", "ts"], false)];

#[async_trait::async_trait]
#[expect(elided_lifetimes_in_paths, reason = "the trait's own signature elides it")]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let replies = Table::create()
            .table("thread_replies")
            .col(id())
            .col(reference("repair_id").not_null())
            .col(string("channel", 32))
            .col(string("ts", 32))
            .col(string("seen", 32))
            .col(reference("note_id"))
            .foreign_key(&mut foreign_key("thread_replies", "repair_id", "repairs"))
            .take();
        create_table(manager, replies).await?;
        for index in INDEXES {
            create_index(manager, index).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let index = Index::drop().name("ix_cards_channel_ts").table("cards").to_owned();
        manager.drop_index(index).await?;
        manager.drop_table(Table::drop().table("thread_replies").take()).await
    }
}
