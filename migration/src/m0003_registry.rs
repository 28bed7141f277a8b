//! What the registry needs beyond its first columns: versions against lost updates, money to the cent,
//! links and notes of machines, and the ways in which the audit is searched.

use crate::columns::{id, reference, string, text, time};
use crate::create::{create_index, create_table, foreign_key};
use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DatabaseBackend;

/// The step.
#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

/// The tables, in the order in which they can be made; dropped backwards.
pub(crate) const TABLES: &[&str] = &["equipment_links", "equipment_notes"];

#[async_trait::async_trait]
#[expect(elided_lifetimes_in_paths, reason = "the trait's own signature elides it")]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let backend = manager.get_database_backend();
        for table in VERSIONED {
            add_column(manager, table, version()).await?;
        }
        add_column(manager, "equipment", cents()).await?;
        drop_column(manager, "equipment", "acquisition_cost").await?;
        for table in tables(backend) {
            create_table(manager, table).await?;
        }
        for index in INDEXES {
            create_index(manager, index).await?;
        }
        manager.execute(settings_version(backend)).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let version = Query::delete().from_table("settings").and_where(Expr::col("key").eq(VERSION)).take();
        manager.execute(version).await?;
        for table in TABLES.iter().rev() {
            manager.drop_table(Table::drop().table(*table).if_exists().take()).await?;
        }
        for (table, columns, _) in INDEXES.iter().filter(|(table, _, _)| !TABLES.contains(table)) {
            let name = format!("ix_{table}_{}", columns.join("_"));
            let mut index = Index::drop();
            index.name(name).table(*table);
            manager.drop_index(index).await?;
        }
        let cost = ColumnDef::new("acquisition_cost").decimal_len(10, 2).take();
        add_column(manager, "equipment", cost).await?;
        drop_column(manager, "equipment", "acquisition_cents").await?;
        for table in VERSIONED {
            drop_column(manager, table, "version").await?;
        }
        Ok(())
    }
}

/// Key of the row that counts the changes of all settings.
const VERSION: &str = "version";

fn settings_version(backend: DatabaseBackend) -> InsertStatement {
    let now = match backend {
        DatabaseBackend::MySql => "UTC_TIMESTAMP(6)",
        _ => "CURRENT_TIMESTAMP",
    };
    let mut insert = Query::insert();
    insert
        .into_table("settings")
        .columns(["key", "value", "updated_at"])
        .values_panic([VERSION.into(), "1".into(), Expr::cust(now)])
        .on_conflict(OnConflict::column("key").do_nothing_on(["key"]).to_owned());
    insert
}

/// Tables whose rows several people edit.
const VERSIONED: [&str; 2] = ["areas", "equipment"];

/// Counts the changes; every row begins with its first version.
fn version() -> ColumnDef {
    ColumnDef::new("version").big_integer().not_null().default(1).take()
}

/// Money as a whole number: SQLite knows no decimals.
fn cents() -> ColumnDef {
    ColumnDef::new("acquisition_cents").big_integer().take()
}

async fn add_column(
    manager: &SchemaManager<'_>,
    table: &'static str,
    mut column: ColumnDef,
) -> Result<(), DbErr> {
    if manager.has_column(table, column.get_column_name()).await? {
        return Ok(());
    }
    manager.alter_table(Table::alter().table(table).add_column(&mut column).take()).await
}

async fn drop_column(
    manager: &SchemaManager<'_>,
    table: &'static str,
    column: &'static str,
) -> Result<(), DbErr> {
    if !manager.has_column(table, column).await? {
        return Ok(());
    }
    manager.alter_table(Table::alter().table(table).drop_column(column).take()).await
}

fn tables(backend: DatabaseBackend) -> [TableCreateStatement; 2] {
    let links = Table::create()
        .table("equipment_links")
        .col(id())
        .col(reference("equipment_id").not_null())
        .col(string("title", 200))
        .col(text(backend, "url").not_null())
        .col(time(backend, "created_at").not_null())
        .foreign_key(&mut foreign_key("equipment_links", "equipment_id", "equipment"))
        .take();
    let notes = Table::create()
        .table("equipment_notes")
        .col(id())
        .col(reference("equipment_id").not_null())
        .col(text(backend, "text").not_null())
        .col(string("author_name", 200))
        .col(reference("author_user_id"))
        .col(time(backend, "created_at").not_null())
        .foreign_key(&mut foreign_key("equipment_notes", "equipment_id", "equipment"))
        .take();
    [links, notes]
}

/// Table, columns, and whether they are unique together.
const INDEXES: [(&str, &[&str], bool); 6] = [
    ("equipment_links", &["equipment_id"], false),
    ("equipment_notes", &["equipment_id"], false),
    ("equipment", &["archived", "name_key", "id"], false),
    ("equipment", &["area_id", "archived", "name_key"], false),
    ("repairs", &["equipment_id", "created_at"], false),
    ("audit", &["created_at"], false),
];
