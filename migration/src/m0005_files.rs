//! Documents of machines, and photos and videos of machines and of repairs. The files themselves stand in
//! the directory of uploads, under the names that `stored_name` holds.

use crate::columns::{UNIQUE_TEXT, count, flag, id, reference, string, time};
use crate::create::{create_index, create_table, foreign_key};
use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DatabaseBackend;

/// The step.
#[derive(Debug, DeriveMigrationName)]
pub(crate) struct Migration;

/// The tables, in the order in which they can be made; dropped backwards.
pub(crate) const TABLES: &[&str] = &["documents", "photos"];

#[async_trait::async_trait]
#[expect(elided_lifetimes_in_paths, reason = "the trait's own signature elides it")]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in tables(manager.get_database_backend()) {
            create_table(manager, table).await?;
        }
        for index in INDEXES {
            create_index(manager, index).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in TABLES.iter().rev() {
            manager.drop_table(Table::drop().table(*table).if_exists().take()).await?;
        }
        Ok(())
    }
}

fn tables(backend: DatabaseBackend) -> [TableCreateStatement; 2] {
    let mut documents = Table::create();
    documents.table("documents").col(id()).col(reference("equipment_id").not_null());
    documents.col(string("category", 40)).col(string("title", 200));
    file(&mut documents, backend).foreign_key(&mut foreign_key("documents", "equipment_id", "equipment"));
    // Of a machine or of a repair: one of the two.
    let mut photos = Table::create();
    photos.table("photos").col(id()).col(reference("equipment_id")).col(reference("repair_id"));
    file(&mut photos, backend)
        .foreign_key(&mut foreign_key("photos", "equipment_id", "equipment"))
        .foreign_key(&mut foreign_key("photos", "repair_id", "repairs"));
    [documents, photos]
}

/// What is known of a file, and who added it.
fn file(table: &mut TableCreateStatement, backend: DatabaseBackend) -> &mut TableCreateStatement {
    table
        .col(string("stored_name", UNIQUE_TEXT))
        .col(string("kind", 8))
        .col(string("original_name", 200))
        .col(count("size"))
        .col(flag("has_thumbnail"))
        .col(string("uploader_name", 200))
        .col(reference("uploader_user_id"))
        .col(ColumnDef::new("uploader_slack_id").string_len(UNIQUE_TEXT))
        // Names the file where it comes from, so that it is added once.
        .col(ColumnDef::new("source").string_len(UNIQUE_TEXT))
        .col(time(backend, "created_at").not_null())
}

/// Table, columns, and whether they are unique together.
const INDEXES: [(&str, &[&str], bool); 7] = [
    ("documents", &["equipment_id"], false),
    ("documents", &["stored_name"], true),
    ("documents", &["source"], true),
    ("photos", &["equipment_id"], false),
    ("photos", &["repair_id"], false),
    ("photos", &["stored_name"], true),
    ("photos", &["source"], true),
];
