//! What a job's private message needs: where it stands, what it has to show, and what a delivery does to it.

use crate::columns::{count, reference};
use crate::create::{add_column, create_index};
use sea_orm_migration::prelude::*;

/// The step.
#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

/// New columns of `jobs`.
const COLUMNS: [&str; 4] = ["message_channel", "message_ts", "message_desired_version", "message_rendered_version"];

#[async_trait::async_trait]
#[expect(elided_lifetimes_in_paths, reason = "the trait's own signature elides it")]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let [channel, ts, wanted, shown] = COLUMNS;
        for name in [channel, ts] {
            add_column(manager, "jobs", ColumnDef::new(name).string_len(32).take()).await?;
        }
        // NULL: nobody is told of the job.
        add_column(manager, "jobs", ColumnDef::new(wanted).big_integer().take()).await?;
        add_column(manager, "jobs", count(shown)).await?;
        add_column(manager, "deliveries", reference("job_id")).await?;
        create_index(manager, ("deliveries", &["job_id", "state"], false)).await
    }

    /// What is owed to a person goes, too: a program of before could not read it, and would send nothing at all.
    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let to_people = || {
            let password = Expr::col("kind").eq("password");
            Condition::any().add(Expr::col("job_id").is_not_null()).add(password)
        };
        let deliveries = Query::select().column("id").from("deliveries").cond_where(to_people()).take();
        let attempts = Expr::col("delivery_id").in_subquery(deliveries);
        manager.execute(Query::delete().from_table("delivery_attempts").and_where(attempts).take()).await?;
        manager.execute(Query::delete().from_table("deliveries").cond_where(to_people()).take()).await?;
        let index = Index::drop().name("ix_deliveries_job_id_state").table("deliveries").to_owned();
        manager.drop_index(index).await?;
        manager.alter_table(Table::alter().table("deliveries").drop_column("job_id").take()).await?;
        for column in COLUMNS {
            manager.alter_table(Table::alter().table("jobs").drop_column(column).take()).await?;
        }
        Ok(())
    }
}
