//! What lets people and programs in: sessions of the web, and API tokens.

use crate::columns::{id, reference, string, time};
use crate::create::{create_index, create_table, foreign_key};
use sea_orm_migration::prelude::*;

/// The step.
#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

/// The tables, in the order in which they can be made; dropped backwards.
pub(crate) const TABLES: &[&str] = &["sessions", "api_tokens"];

/// Digits of a hash in hexadecimal.
const DIGEST: u32 = 64;

#[async_trait::async_trait]
#[expect(elided_lifetimes_in_paths, reason = "the trait's own signature elides it")]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let backend = manager.get_database_backend();
        let sessions = Table::create()
            .table("sessions")
            .col(string("token_hash", DIGEST).primary_key())
            .col(reference("user_id").not_null())
            .col(time(backend, "created_at").not_null())
            .col(time(backend, "expires_at").not_null())
            .foreign_key(&mut foreign_key("sessions", "user_id", "users"))
            .take();
        let api_tokens = Table::create()
            .table("api_tokens")
            .col(id())
            .col(string("name", 80))
            .col(string("token_hash", DIGEST).unique_key())
            .col(reference("created_by").not_null())
            .col(time(backend, "created_at").not_null())
            .col(time(backend, "revoked_at"))
            .foreign_key(&mut foreign_key("api_tokens", "created_by", "users"))
            .take();
        create_table(manager, sessions).await?;
        create_table(manager, api_tokens).await?;
        create_index(manager, ("sessions", &["expires_at"], false)).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in TABLES.iter().rev() {
            manager.drop_table(Table::drop().table(*table).take()).await?;
        }
        Ok(())
    }
}
