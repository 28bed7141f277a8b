//! The tables of the Python system, versions 0.14 to 0.19, and their columns. Used by `store::legacy` and
//! `ops::import`.

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Table {
    pub name: &'static str,
    /// Columns that are read in addition to `id`; older versions do not have all of them.
    pub columns: &'static [&'static str],
}

/// People with an account.
pub const USERS: Table = Table {
    name: "users",
    columns: &[
        "username",
        "email",
        "password_hash",
        "role",
        "slack_handle",
        "is_active",
        "created_at",
        "updated_at",
    ],
};

pub const AREAS: Table = Table {
    name: "areas",
    columns: &["name", "slack_channel", "is_archived", "sort_order", "created_at", "updated_at"],
};

pub const EQUIPMENT: Table = Table {
    name: "equipment",
    columns: &[
        "name",
        "manufacturer",
        "model",
        "area_id",
        "serial_number",
        "mac_machine_name",
        "acquisition_date",
        "acquisition_source",
        "acquisition_cost",
        "warranty_expiration",
        "description",
        "is_archived",
        "created_at",
        "updated_at",
    ],
};

/// Web links of machines.
pub const LINKS: Table =
    Table { name: "external_links", columns: &["equipment_id", "title", "url", "created_by", "created_at"] };

/// Notes on machines; since 0.15.
pub const NOTES: Table = Table {
    name: "equipment_notes",
    columns: &["equipment_id", "author_id", "author_name", "content", "created_at"],
};

pub const REPAIRS: Table = Table {
    name: "repair_records",
    columns: &[
        "equipment_id",
        "status",
        "severity",
        "description",
        "reporter_name",
        "reporter_email",
        "assignee_id",
        "eta",
        "specialist_description",
        "duplicated_repair_id",
        "has_safety_risk",
        "is_consumable",
        "created_at",
        "updated_at",
    ],
};

/// What happened to repairs.
pub const TIMELINE: Table = Table {
    name: "repair_timeline_entries",
    columns: &[
        "repair_record_id",
        "entry_type",
        "author_id",
        "author_name",
        "content",
        "old_value",
        "new_value",
        "created_at",
    ],
};

pub const DOCUMENTS: Table = Table {
    name: "documents",
    columns: &[
        "original_filename",
        "stored_filename",
        "content_type",
        "size_bytes",
        "category",
        "parent_type",
        "parent_id",
        "uploaded_by",
        "created_at",
    ],
};

pub const SETTINGS: Table = Table { name: "app_config", columns: &["key", "value", "updated_at"] };

/// Who changed what.
pub const AUDIT: Table = Table {
    name: "audit_log",
    columns: &["entity_type", "entity_id", "action", "user_id", "changes", "created_at"],
};

/// Everything that is read.
pub const TABLES: [Table; 10] =
    [USERS, AREAS, EQUIPMENT, LINKS, NOTES, REPAIRS, TIMELINE, DOCUMENTS, SETTINGS, AUDIT];

/// Tables that are ignored without a report.
pub(super) const BOOKKEEPING: [&str; 2] = ["alembic_version", "sqlite_sequence"];
