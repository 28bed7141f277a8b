//! Settings: rows of key and value; a missing row means the default.

use super::entities::setting;
use crate::domain::setting::Switches;
use chrono::{DateTime, Utc};
use sea_orm::sea_query::OnConflict;
use sea_orm::{ConnectionTrait, DbErr, EntityTrait, Set};

/// The switches of the announcements.
///
/// # Errors
/// The database's.
pub async fn switches(db: &impl ConnectionTrait) -> Result<Switches, DbErr> {
    let rows = setting::Entity::find().all(db).await?;
    Ok(Switches::read(|key| rows.iter().find(|row| row.key == key).map(|row| row.value.as_str())))
}

/// Sets a value.
///
/// # Errors
/// The database's.
pub async fn set(db: &impl ConnectionTrait, key: &str, value: &str, now: DateTime<Utc>) -> Result<(), DbErr> {
    let row =
        setting::ActiveModel { key: Set(key.to_owned()), value: Set(value.to_owned()), updated_at: Set(now) };
    let replace = OnConflict::column(setting::Column::Key)
        .update_columns([setting::Column::Value, setting::Column::UpdatedAt])
        .to_owned();
    setting::Entity::insert(row).on_conflict(replace).exec_without_returning(db).await?;
    Ok(())
}
