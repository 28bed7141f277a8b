//! Settings: rows of key and value; a missing row means the default. One row has the version of them all.

use super::entities::setting;
use crate::domain::setting::NotificationSettings;
use chrono::{DateTime, Utc};
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, Set};
use std::collections::HashMap;

/// Key of the version row.
const VERSION: &str = "version";
/// Key of the row with the installation's name.
const INSTALLATION: &str = "installation";

/// The stored settings and their version.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stored {
    values: HashMap<String, String>,
}

impl Stored {
    pub fn get(&self, key: &str) -> Option<&str> {
        self.values.get(key).map(String::as_str)
    }

    /// Number of changes so far.
    pub fn version(&self) -> i64 {
        self.get(VERSION).and_then(|version| version.parse().ok()).unwrap_or_default()
    }
}

pub async fn stored(db: &impl ConnectionTrait) -> Result<Stored, DbErr> {
    let rows = setting::Entity::find().all(db).await?;
    Ok(Stored { values: rows.into_iter().map(|row| (row.key, row.value)).collect() })
}

pub async fn switches(db: &impl ConnectionTrait) -> Result<NotificationSettings, DbErr> {
    let stored = stored(db).await?;
    Ok(NotificationSettings::read(|key| stored.get(key)))
}

/// Increments the version if it is `version`; false when it is another, or another transaction is incrementing it.
pub async fn count_on(db: &impl ConnectionTrait, version: i64, now: DateTime<Utc>) -> Result<bool, DbErr> {
    let written = setting::Entity::update_many()
        .col_expr(setting::Column::Value, Expr::value((version + 1).to_string()))
        .col_expr(setting::Column::UpdatedAt, Expr::value(now))
        .filter(setting::Column::Key.eq(VERSION))
        .filter(setting::Column::Value.eq(version.to_string()))
        .exec(db)
        .await?;
    Ok(written.rows_affected == 1)
}

/// The random name of this installation: of its database, and of the directories that belong to it. Created at the
/// first call.
pub async fn installation(db: &impl ConnectionTrait, now: DateTime<Utc>) -> Result<String, DbErr> {
    let new = setting::ActiveModel {
        key: Set(INSTALLATION.to_owned()),
        value: Set(format!("{:032x}", rand::random::<u128>())),
        updated_at: Set(now),
    };
    let keep = OnConflict::column(setting::Column::Key).do_nothing_on([setting::Column::Key]).to_owned();
    setting::Entity::insert(new).on_conflict(keep).exec_without_returning(db).await?;
    let row = setting::Entity::find_by_id(INSTALLATION.to_owned()).one(db).await?;
    row.map(|row| row.value).ok_or_else(|| DbErr::RecordNotFound(INSTALLATION.into()))
}

pub async fn set(db: &impl ConnectionTrait, key: &str, value: &str, now: DateTime<Utc>) -> Result<(), DbErr> {
    let row =
        setting::ActiveModel { key: Set(key.to_owned()), value: Set(value.to_owned()), updated_at: Set(now) };
    let replace = OnConflict::column(setting::Column::Key)
        .update_columns([setting::Column::Value, setting::Column::UpdatedAt])
        .to_owned();
    setting::Entity::insert(row).on_conflict(replace).exec_without_returning(db).await?;
    Ok(())
}
