//! The Python system's database, opened read-only. Returns its tables a page at a time with every value as text,
//! for all three databases and versions 0.14 to 0.19. Must not write. Called by `ops::import`.

use super::connect::open_python_system;
use super::connect_error::ConnectError;
use sea_orm::sea_query::{Asterisk, Expr, ExprTrait, Func, Order, Query, SelectStatement};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, DbErr, QueryResult};
use secrecy::SecretString;
use std::collections::HashMap;

mod row;
pub mod tables;

pub use row::{Row, Unreadable};
use tables::{BOOKKEEPING, TABLES, TIMELINE, Table};

/// Rows per page. An insert of so few rows stays below every database's limit on parameters.
pub const PAGE: u64 = 500;

/// The Python system's database.
#[derive(Debug)]
pub struct Legacy {
    db: DatabaseConnection,
    /// The columns of each table; empty for a table without rows.
    columns: HashMap<&'static str, Vec<String>>,
    /// Tables that are not read.
    others: Vec<String>,
}

impl Legacy {
    /// Opens the database, without waiting for a server that does not answer.
    ///
    /// # Errors
    /// It cannot be opened, or is not the Python system's.
    pub async fn open(url: &SecretString) -> Result<Self, ConnectError> {
        let db = open_python_system(url).await?;
        let mut legacy = Self { db, columns: HashMap::new(), others: Vec::new() };
        legacy.read_tables().await.map_err(ConnectError::Open)?;
        Ok(legacy)
    }

    async fn read_tables(&mut self) -> Result<(), DbErr> {
        for name in self.all_tables().await? {
            match TABLES.iter().find(|table| table.name == name) {
                Some(table) => {
                    let any = Query::select().column(Asterisk).from(table.name).limit(1).take();
                    let columns = self.db.query_one(&any).await?.map(|row| row.column_names());
                    self.columns.insert(table.name, columns.unwrap_or_default());
                }
                None if BOOKKEEPING.contains(&name.as_str()) => {}
                None => self.others.push(name),
            }
        }
        Ok(())
    }

    async fn all_tables(&self) -> Result<Vec<String>, DbErr> {
        let mut all = Query::select();
        match self.db.get_database_backend() {
            DbBackend::Sqlite => {
                all.expr_as(Expr::col("name"), "name").from("sqlite_master");
                all.and_where(Expr::col("type").eq("table"));
            }
            backend => {
                let schema = if backend == DbBackend::MySql { "DATABASE()" } else { "current_schema()" };
                all.expr_as(Expr::col("table_name").cast_as(text_type(backend)), "name");
                all.from(("information_schema", "tables"));
                all.and_where(Expr::col("table_schema").eq(Expr::cust(schema)));
            }
        }
        all.order_by_expr(Expr::cust("1"), Order::Asc);
        let rows = self.db.query_all(&all).await?;
        rows.iter().map(|row| row.try_get("", "name")).collect()
    }

    /// The unknown columns and tables, with the number of rows that have data in them.
    pub async fn unread(&self) -> Result<Vec<(String, u64)>, DbErr> {
        let mut unread = Vec::new();
        for table in TABLES {
            let known = |column: &&String| *column == "id" || table.columns.contains(&column.as_str());
            let columns = self.columns.get(table.name).into_iter().flatten();
            for column in columns.filter(|column| !known(column)) {
                let filled = Expr::col(column.clone()).is_not_null();
                unread.push((
                    format!("{}.{column}", table.name),
                    self.counted(table.name, Some(filled)).await?,
                ));
            }
        }
        for table in &self.others {
            unread.push((table.clone(), self.counted(table, None).await?));
        }
        unread.retain(|(_, rows)| *rows > 0);
        Ok(unread)
    }

    async fn counted(&self, table: &str, only: Option<Expr>) -> Result<u64, DbErr> {
        let mut count = Query::select();
        count.expr_as(Func::count(Expr::col(Asterisk)), "n").from(table.to_owned());
        count.and_where_option(only);
        let row = self.db.query_one(&count).await?;
        let n: i64 = row.map_or(Ok(0), |row| row.try_get("", "n"))?;
        Ok(u64::try_from(n).unwrap_or_default())
    }

    /// Number of rows; 0 if this version has no such table.
    pub async fn count(&self, table: Table) -> Result<u64, DbErr> {
        if self.columns.contains_key(table.name) { self.counted(table.name, None).await } else { Ok(0) }
    }

    /// The highest id of a table; 0 if it is empty.
    pub async fn highest(&self, table: Table) -> Result<i64, DbErr> {
        let mut last = self.select(table);
        last.order_by((table.name, "id"), Order::Desc).limit(1);
        let rows = self.rows(table, &last).await?;
        Ok(rows.first().map_or(0, |row| row.id))
    }

    /// The next [`PAGE`] rows after that id, by id.
    pub async fn page(&self, table: Table, after: i64) -> Result<Vec<Row>, DbErr> {
        let mut page = self.select(table);
        page.and_where(Expr::col((table.name, "id")).gt(after));
        page.order_by((table.name, "id"), Order::Asc).limit(PAGE);
        self.rows(table, &page).await
    }

    /// The timeline entries of these repairs about creation and status, in order.
    pub async fn status_history(&self, repairs: &[i64]) -> Result<Vec<Row>, DbErr> {
        let of = |column| Expr::col((TIMELINE.name, column));
        let mut entries = self.select(TIMELINE);
        entries.and_where(of("repair_record_id").is_in(repairs.iter().copied()));
        entries.and_where(of("entry_type").is_in(["creation", "status_change"]));
        entries.order_by((TIMELINE.name, "id"), Order::Asc);
        self.rows(TIMELINE, &entries).await
    }

    /// Selects the columns that this version has, as text.
    fn select(&self, table: Table) -> SelectStatement {
        let kind = text_type(self.db.get_database_backend());
        let mut select = Query::select();
        select.from(table.name);
        for column in std::iter::once("id").chain(self.there(table)) {
            select.expr_as(Expr::col((table.name, column)).cast_as(kind), column);
        }
        select
    }

    fn there(&self, table: Table) -> impl Iterator<Item = &'static str> {
        let columns = self.columns.get(table.name);
        table
            .columns
            .iter()
            .copied()
            .filter(move |column| columns.is_some_and(|columns| columns.iter().any(|there| there == column)))
    }

    async fn rows(&self, table: Table, select: &SelectStatement) -> Result<Vec<Row>, DbErr> {
        if self.columns.get(table.name).is_none_or(Vec::is_empty) {
            return Ok(Vec::new());
        }
        let rows = self.db.query_all(select).await?;
        rows.iter().map(|row| self.row(table, row)).collect()
    }

    fn row(&self, table: Table, row: &QueryResult) -> Result<Row, DbErr> {
        let id: String = row.try_get("", "id")?;
        let id = id.parse().map_err(|_| DbErr::Type(format!("{}: “{id}” is no number", table.name)))?;
        let mut values = HashMap::new();
        for column in self.there(table) {
            if let Some(value) = row.try_get::<Option<String>>("", column)? {
                values.insert(column, value);
            }
        }
        Ok(Row { id, values })
    }
}

/// The SQL type to which values are cast, so that all databases return text.
const fn text_type(backend: DbBackend) -> &'static str {
    match backend {
        DbBackend::MySql => "CHAR",
        _ => "TEXT",
    }
}
