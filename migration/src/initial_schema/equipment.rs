//! Areas, equipment with its links and notes, and attached files. The files are in the uploads directory under
//! their `stored_name`.

use crate::columns::{
    UNIQUE_TEXT, count, flag, id, key, optional_string, reference, string, text, time, version,
};
use crate::create::foreign_key;
use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DatabaseBackend;

pub(super) fn tables(backend: DatabaseBackend) -> [TableCreateStatement; 4] {
    let areas = Table::create()
        .table("areas")
        .col(id())
        .col(string("name", 80))
        .col(key(backend, "name_key").not_null())
        // The folded name; NULL once archived, so that only live areas need unique names.
        .col(key(backend, "live_key").unique_key())
        .col(string("slack_channel", 80))
        .col(count("sort_order"))
        .col(flag("archived"))
        .col(version())
        .col(time(backend, "created_at").not_null())
        .col(time(backend, "updated_at").not_null())
        .take();
    let equipment = Table::create()
        .table("equipment")
        .col(id())
        .col(reference("area_id").not_null())
        .col(string("name", 200))
        .col(key(backend, "name_key").not_null())
        .col(string("manufacturer", 200))
        .col(string("model", 200))
        .col(string("serial_number", 200))
        .col(ColumnDef::new("acquisition_date").date())
        .col(string("acquisition_source", 200))
        // Whole cents: SQLite has no decimal type.
        .col(ColumnDef::new("acquisition_cents").big_integer())
        .col(ColumnDef::new("warranty_expiration").date())
        .col(text(backend, "description").not_null())
        .col(flag("archived"))
        .col(version())
        .col(time(backend, "created_at").not_null())
        .col(time(backend, "updated_at").not_null())
        .foreign_key(&mut foreign_key("equipment", "area_id", "areas"))
        .take();
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
    [areas, equipment, links, notes]
}

/// Documents and photos. They refer to `repairs` as well, so they come after it.
pub(super) fn file_tables(backend: DatabaseBackend) -> [TableCreateStatement; 2] {
    let mut documents = Table::create();
    documents.table("documents").col(id()).col(reference("equipment_id").not_null());
    documents.col(string("category", 40)).col(string("title", 200));
    file_columns(&mut documents, backend).foreign_key(&mut foreign_key(
        "documents",
        "equipment_id",
        "equipment",
    ));
    // A photo or video belongs to either equipment or a repair.
    let mut photos = Table::create();
    photos.table("photos").col(id()).col(reference("equipment_id")).col(reference("repair_id"));
    file_columns(&mut photos, backend)
        .foreign_key(&mut foreign_key("photos", "equipment_id", "equipment"))
        .foreign_key(&mut foreign_key("photos", "repair_id", "repairs"));
    [documents, photos]
}

fn file_columns(table: &mut TableCreateStatement, backend: DatabaseBackend) -> &mut TableCreateStatement {
    table
        .col(string("stored_name", UNIQUE_TEXT))
        .col(string("kind", 8))
        .col(string("original_name", 200))
        .col(count("size"))
        .col(flag("has_thumbnail"))
        .col(string("uploader_name", 200))
        .col(reference("uploader_user_id"))
        .col(optional_string("uploader_slack_id", UNIQUE_TEXT))
        // The file's id where it was fetched from, so that it is added once.
        .col(optional_string("source", UNIQUE_TEXT))
        .col(time(backend, "created_at").not_null())
}
