//! The database schema as migrations, one file each. A released migration is never changed; `esb` applies the missing
//! ones at start. Everything here works on SQLite, MariaDB and PostgreSQL.

pub use sea_orm_migration::{IntoSchemaManagerConnection, MigrationTrait, MigratorTrait, SchemaManager};

mod columns;
mod create;
mod initial_schema;

/// The tables of all migrations.
pub const TABLES: &[&[&str]] = &[initial_schema::TABLES];

/// All migrations in their order.
#[derive(Debug)]
pub struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![Box::new(initial_schema::Migration)]
    }
}
