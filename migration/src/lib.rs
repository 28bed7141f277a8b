//! The database schema, step by step. One file a step, never changed once released; `esb` runs them
//! at start. Everything here must work on SQLite, MariaDB and PostgreSQL alike.

pub use sea_orm_migration::{IntoSchemaManagerConnection, MigrationTrait, MigratorTrait, SchemaManager};

mod columns;
mod create;
mod m0001_first_walk;
mod m0003_registry;

/// The tables of all steps.
pub fn tables() -> impl Iterator<Item = &'static str> {
    [m0001_first_walk::TABLES, m0003_registry::TABLES].into_iter().flatten().copied()
}

/// All steps in their order.
#[derive(Debug)]
pub struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![Box::new(m0001_first_walk::Migration), Box::new(m0003_registry::Migration)]
    }
}
