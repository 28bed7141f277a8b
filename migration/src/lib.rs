//! The database schema, step by step. One file a step, never changed once released; `esb` runs them
//! at start. Everything here must work on SQLite, MariaDB and PostgreSQL alike.

pub use sea_orm_migration::{IntoSchemaManagerConnection, MigrationTrait, MigratorTrait, SchemaManager};

mod columns;
mod create;
mod m0001_first_walk;
mod m0002_accounts;
mod m0003_registry;
mod m0004_repairs;
mod m0005_files;
mod m0006_jobs;
mod m0007_cards;
mod m0008_threads;
mod m0009_indexes;
mod m0010_job_messages;
mod m0011_channel_names;
mod m0012_delivery_causes;
mod m0013_slack_links;
mod m0014_visitor_photos;

/// The tables of each step.
pub const TABLES: &[&[&str]] = &[
    m0001_first_walk::TABLES,
    m0002_accounts::TABLES,
    m0003_registry::TABLES,
    m0005_files::TABLES,
    m0006_jobs::TABLES,
    m0007_cards::TABLES,
    m0008_threads::TABLES,
    m0011_channel_names::TABLES,
    m0012_delivery_causes::TABLES,
    m0013_slack_links::TABLES,
];

/// All steps in their order.
#[derive(Debug)]
pub struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m0001_first_walk::Migration),
            Box::new(m0002_accounts::Migration),
            Box::new(m0003_registry::Migration),
            Box::new(m0004_repairs::Migration),
            Box::new(m0005_files::Migration),
            Box::new(m0006_jobs::Migration),
            Box::new(m0007_cards::Migration),
            Box::new(m0008_threads::Migration),
            Box::new(m0009_indexes::Migration),
            Box::new(m0010_job_messages::Migration),
            Box::new(m0011_channel_names::Migration),
            Box::new(m0012_delivery_causes::Migration),
            Box::new(m0013_slack_links::Migration),
            Box::new(m0014_visitor_photos::Migration),
        ]
    }
}
