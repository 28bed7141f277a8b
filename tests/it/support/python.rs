//! A database of the Python system, for the import: its tables in each SQL dialect, with rows of every kind.

use super::database::{Kind, TestDatabase};
use esb::ops::import::Legacy;
use sea_orm::{ConnectionTrait, Database, DatabaseConnection};

/// The password of every user.
pub const PASSWORD: &str = "changeme";
/// Its hash by Python's `hashlib.scrypt`, in that system's format.
pub const HASH: &str = "scrypt:32768:8:1$Qx7zR0aTgP2LmN4k$\
                        2433c77bffc1828c7bfc417199205e308d742b904edfb811f46527dd874ad3af2e19521dd27fa09de0ef411cf5b9bcfc6d4e9cd8091dd520f3e18fbe86084e11";

/// The version of the system that created the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// 0.14: machines have no notes.
    V14,
    /// 0.19: notes, reservations, machine access.
    V19,
    /// An unknown version with more columns and tables.
    Later,
}

/// The tables of all versions.
const TABLES: &[&str] = &[
    "alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)",
    "users (id INTEGER NOT NULL PRIMARY KEY, username VARCHAR(80) NOT NULL, email VARCHAR(255) NOT NULL, \
     password_hash VARCHAR(256) NOT NULL, role VARCHAR(20) NOT NULL, slack_handle VARCHAR(80), \
     is_active BOOLEAN NOT NULL, created_at DATETIME NOT NULL, updated_at DATETIME NOT NULL)",
    "areas (id INTEGER NOT NULL PRIMARY KEY, name VARCHAR(80) NOT NULL, slack_channel VARCHAR(80), \
     is_archived BOOLEAN NOT NULL, created_at DATETIME NOT NULL, updated_at DATETIME NOT NULL, \
     sort_order INTEGER DEFAULT 0 NOT NULL)",
    "equipment (id INTEGER NOT NULL PRIMARY KEY, name VARCHAR(200) NOT NULL, \
     manufacturer VARCHAR(200) NOT NULL, model VARCHAR(200) NOT NULL, area_id INTEGER NOT NULL, \
     serial_number VARCHAR(200), acquisition_date DATE, acquisition_source VARCHAR(200), \
     acquisition_cost NUMERIC(10, 2), warranty_expiration DATE, description TEXT, \
     is_archived BOOLEAN NOT NULL, created_at DATETIME NOT NULL, updated_at DATETIME NOT NULL)",
    "external_links (id INTEGER NOT NULL PRIMARY KEY, equipment_id INTEGER NOT NULL, \
     title VARCHAR(200) NOT NULL, url VARCHAR(2000) NOT NULL, created_by VARCHAR(150) NOT NULL, \
     created_at DATETIME NOT NULL)",
    "documents (id INTEGER NOT NULL PRIMARY KEY, original_filename VARCHAR(255) NOT NULL, \
     stored_filename VARCHAR(255) NOT NULL, content_type VARCHAR(100) NOT NULL, \
     size_bytes INTEGER NOT NULL, category VARCHAR(50), parent_type VARCHAR(50) NOT NULL, \
     parent_id INTEGER NOT NULL, uploaded_by VARCHAR(150) NOT NULL, created_at DATETIME NOT NULL)",
    "repair_records (id INTEGER NOT NULL PRIMARY KEY, equipment_id INTEGER NOT NULL, \
     status VARCHAR(50) NOT NULL, severity VARCHAR(20), description TEXT NOT NULL, \
     reporter_name VARCHAR(200), reporter_email VARCHAR(255), assignee_id INTEGER, eta DATE, \
     specialist_description TEXT, has_safety_risk BOOLEAN NOT NULL, is_consumable BOOLEAN NOT NULL, \
     created_at DATETIME NOT NULL, updated_at DATETIME NOT NULL, duplicated_repair_id INTEGER)",
    "repair_timeline_entries (id INTEGER NOT NULL PRIMARY KEY, repair_record_id INTEGER NOT NULL, \
     entry_type VARCHAR(30) NOT NULL, author_id INTEGER, author_name VARCHAR(200), content TEXT, \
     old_value VARCHAR(200), new_value VARCHAR(200), created_at DATETIME NOT NULL)",
    "app_config (id INTEGER NOT NULL PRIMARY KEY, \"key\" VARCHAR(100) NOT NULL, value TEXT NOT NULL, \
     updated_at DATETIME NOT NULL)",
    "audit_log (id INTEGER NOT NULL PRIMARY KEY, entity_type VARCHAR(50) NOT NULL, \
     entity_id INTEGER NOT NULL, action VARCHAR(50) NOT NULL, user_id INTEGER, changes JSON, \
     created_at DATETIME NOT NULL)",
    "pending_notifications (id INTEGER NOT NULL PRIMARY KEY, target VARCHAR(255) NOT NULL)",
];

/// A database of the Python system, removed with the value.
pub struct Python {
    database: TestDatabase,
    db: DatabaseConnection,
}

impl Python {
    /// Without rows.
    pub async fn of(version: Version) -> Self {
        let database = TestDatabase::empty().await;
        database.connect().await.close().await.unwrap();
        let db = Database::connect(database.url()).await.unwrap();
        let python = Self { database, db };
        for table in TABLES {
            python.run(&format!("CREATE TABLE {table}")).await;
        }
        python.run("INSERT INTO alembic_version VALUES ('whatever')").await;
        if version != Version::V14 {
            python.run("ALTER TABLE equipment ADD COLUMN mac_machine_name VARCHAR(200)").await;
            let notes = "CREATE TABLE equipment_notes (id INTEGER NOT NULL PRIMARY KEY, \
                         equipment_id INTEGER NOT NULL, author_id INTEGER, author_name VARCHAR(200), \
                         content TEXT NOT NULL, created_at DATETIME NOT NULL)";
            python.run(notes).await;
            python.run("CREATE TABLE reservations (id INTEGER NOT NULL PRIMARY KEY)").await;
        }
        if version == Version::Later {
            python.run("ALTER TABLE areas ADD COLUMN colour VARCHAR(20)").await;
            python.run("CREATE TABLE badges (id INTEGER NOT NULL PRIMARY KEY)").await;
        }
        python
    }

    /// Executes a statement for SQLite, translated to the dialect of the database.
    pub async fn run(&self, sql: &str) {
        let sql = match Kind::from_env() {
            Kind::Sqlite => sql.to_owned(),
            // The character set of the Python system's container on every server.
            Kind::MariaDb if sql.starts_with("CREATE TABLE") => {
                sql.replace("\"key\"", "`key`") + " CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci"
            }
            Kind::MariaDb => sql.replace("\"key\"", "`key`"),
            Kind::Postgres => sql.replace("DATETIME", "TIMESTAMP"),
        };
        self.db.execute_unprepared(&sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    /// Adds rows: a table with its columns, and the values of each row as SQL.
    pub async fn rows(&self, table: &str, rows: &[&str]) {
        for row in rows {
            self.run(&format!("INSERT INTO {table} VALUES ({row})")).await;
        }
    }

    /// Its address.
    pub fn url(&self) -> &str {
        self.database.url()
    }

    /// The database, after closing our connections.
    pub async fn into_database(self) -> TestDatabase {
        self.db.close().await.unwrap();
        self.database
    }

    /// Opens it as the import does.
    pub async fn open(&self) -> Legacy {
        Legacy::open(&self.url().into()).await.unwrap()
    }

    /// With rows of every kind that the import accepts.
    pub async fn with_rows(version: Version) -> Self {
        let python = Self::of(version).await;
        let at = "'2025-05-01 10:00:00', '2025-05-02 11:00:00'";
        for user in [
            format!("1, 'ada', 'ada@example.org', '{HASH}', 'staff', '@ada', true, {at}"),
            format!("2, 'tom', 'tom@example.org', '{HASH}', 'technician', NULL, true, {at}"),
            format!("5, 'gone', 'gone@example.org', '{HASH}', 'technician', NULL, false, {at}"),
        ] {
            let columns =
                "(id, username, email, password_hash, role, slack_handle, is_active, created_at, updated_at)";
            python.rows(&format!("users {columns}"), &[&user]).await;
        }
        let areas = "areas (id, name, slack_channel, is_archived, sort_order, created_at, updated_at)";
        python.rows(areas, &[&format!("3, 'Wood shop', '#woodshop', false, 2, {at}")]).await;
        python.rows(areas, &[&format!("4, 'Attic', 'attic', true, 1, {at}")]).await;
        let equipment = "equipment (id, name, manufacturer, model, area_id, serial_number, acquisition_date, \
                        acquisition_source, acquisition_cost, warranty_expiration, description, is_archived, \
                        created_at, updated_at)";
        python
            .rows(
                equipment,
                &[
                    &format!(
                        "17, 'Table saw', 'Jet', 'JTS-10', 3, 'S1', '2020-02-29', 'Bo', 1250.50, \
                         '2027-01-01', 'Cuts.', false, {at}"
                    ),
                    &format!("60, 'Old lathe', '', '', 4, NULL, NULL, NULL, NULL, NULL, NULL, true, {at}"),
                ],
            )
            .await;
        let link = "9, 17, 'Manual', 'https://example.org/saw', 'ada', '2025-05-03 10:00:00'";
        python.rows("external_links", &[link]).await;
        if version != Version::V14 {
            let note = "8, 17, 2, 'tom', 'Blade changed.', '2025-05-03 10:00:00'";
            python.rows("equipment_notes", &[note]).await;
        }
        python.repairs().await;
        let settings = "app_config (id, \"key\", value, updated_at)";
        for setting in [
            "1, 'notify_resolved', 'false', '2025-05-01 10:00:00'",
            "2, 'wifi_ssid', 'Space', '2025-05-01 10:00:00'",
            "3, 'worker_last_iteration_at', '2025-05-01', '2025-05-01 10:00:00'",
        ] {
            python.rows(settings, &[setting]).await;
        }
        python
    }

    async fn repairs(&self) {
        let repairs = "repair_records (id, equipment_id, status, severity, description, reporter_name, \
                       reporter_email, assignee_id, eta, specialist_description, has_safety_risk, \
                       is_consumable, created_at, updated_at, duplicated_repair_id)";
        self.rows(
            repairs,
            &[
                "40, 17, 'In Progress', 'Degraded', 'Fence is loose', 'Ana', 'ana@example.org', 2, \
                 '2026-04-01', 'A joiner', true, false, '2026-01-01 08:00:00', '2026-01-03 08:00:00', NULL",
                "41, 17, 'Closed - Duplicate', NULL, 'Fence again', NULL, NULL, NULL, NULL, NULL, false, \
                 true, '2026-01-02 08:00:00', '2026-01-09 08:00:00', 42",
                "42, 17, 'Closed - Duplicate', 'Down', 'Fence still', NULL, NULL, NULL, NULL, NULL, false, \
                 false, '2026-01-02 09:00:00', '2026-01-02 12:00:00', 40",
            ],
        )
        .await;
        let entries = "repair_timeline_entries (id, repair_record_id, entry_type, author_id, author_name, \
                       content, old_value, new_value, created_at)";
        self.rows(
            entries,
            &[
                "100, 40, 'creation', NULL, 'Ana', 'Fence is loose', NULL, NULL, '2026-01-01 08:00:00'",
                "101, 40, 'assignee_change', 1, 'ada', NULL, NULL, 'tom', '2026-01-01 09:00:00'",
                "102, 40, 'status_change', 1, 'ada', NULL, 'New', 'In Progress', '2026-01-01 09:00:00'",
                "103, 40, 'eta_update', 2, 'tom', NULL, NULL, '2026-04-01', '2026-01-03 08:00:00'",
                "104, 40, 'note', 2, 'tom', 'Ordered a bolt', NULL, NULL, '2026-01-03 08:00:00'",
                "105, 41, 'creation', 2, 'tom', 'Fence again', NULL, NULL, '2026-01-02 08:00:00'",
                "106, 41, 'status_change', 2, 'tom', NULL, 'New', 'Closed - Duplicate', '2026-01-05 08:00:00'",
                "107, 41, 'duplicated_repair_id_change', 2, 'tom', NULL, NULL, '42', '2026-01-05 08:00:00'",
            ],
        )
        .await;
        self.rows(
            "audit_log (id, entity_type, entity_id, action, user_id, changes, created_at)",
            &[
                "1, 'repair_record', 40, 'created', NULL, '{\"equipment_id\": 17}', '2026-01-01 08:00:00'",
                "2, 'repair_record', 40, 'updated', 1, '{\"status\": [\"New\", \"In Progress\"]}', \
                 '2026-01-01 09:00:00'",
            ],
        )
        .await;
    }
}
