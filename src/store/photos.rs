//! Photos and videos of machines and of repairs, and which stored files have a row.

use super::entities::{document, photo};
use crate::domain::actor::Actor;
use crate::domain::file::StoredFile;
use crate::domain::ids::{EquipmentId, PhotoId, RepairId};
use chrono::{DateTime, Utc};
use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DbBackend, DbErr, EntityTrait, PaginatorTrait,
    QueryFilter, QueryOrder, QuerySelect, Set,
};
use std::collections::HashSet;

pub use super::entities::photo::Model as Photo;

/// The owner of a photo.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    Equipment(EquipmentId),
    Repair(RepairId),
}

impl Subject {
    fn has(self) -> sea_orm::sea_query::SimpleExpr {
        match self {
            Self::Equipment(id) => photo::Column::EquipmentId.eq(id),
            Self::Repair(id) => photo::Column::RepairId.eq(id),
        }
    }
}

/// The photos of a machine or repair, oldest first; at most `most`.
pub async fn of(db: &impl ConnectionTrait, subject: Subject, most: u64) -> Result<Vec<Photo>, DbErr> {
    photo::Entity::find().filter(subject.has()).order_by_asc(photo::Column::Id).limit(most).all(db).await
}

pub async fn count(db: &impl ConnectionTrait, subject: Subject) -> Result<u64, DbErr> {
    photo::Entity::find().filter(subject.has()).count(db).await
}

pub async fn find(db: &impl ConnectionTrait, id: PhotoId) -> Result<Option<Photo>, DbErr> {
    photo::Entity::find_by_id(id).one(db).await
}

/// The photo with this source.
pub async fn of_source(db: &impl ConnectionTrait, source: &str) -> Result<Option<Photo>, DbErr> {
    photo::Entity::find().filter(photo::Column::Source.eq(source)).one(db).await
}

/// Bytes of the photos that people without account and Slack have added since then.
pub async fn visitor_bytes_since(db: &impl ConnectionTrait, since: DateTime<Utc>) -> Result<u64, DbErr> {
    // A sum of integers is a decimal number on MariaDB and PostgreSQL.
    let integer = match db.get_database_backend() {
        DbBackend::MySql => "SIGNED",
        _ => "BIGINT",
    };
    let bytes: Option<Option<i64>> = photo::Entity::find()
        .select_only()
        .column_as(Expr::col(photo::Column::Size).sum().cast_as(integer), "bytes")
        .filter(photo::Column::CreatedAt.gte(since))
        .filter(photo::Column::UploaderUserId.is_null())
        .filter(photo::Column::UploaderSlackId.is_null())
        .filter(photo::Column::Source.is_null())
        .into_tuple()
        .one(db)
        .await?;
    Ok(bytes.flatten().and_then(|bytes| u64::try_from(bytes).ok()).unwrap_or(0))
}

/// Adds a photo. `source` is its id at its origin; an existing source is a unique violation.
pub async fn add(
    db: &impl ConnectionTrait,
    subject: Subject,
    (file, source): (&StoredFile, Option<&str>),
    actor: &Actor,
    now: DateTime<Utc>,
) -> Result<PhotoId, DbErr> {
    let (equipment, repair) = match subject {
        Subject::Equipment(id) => (Some(id), None),
        Subject::Repair(id) => (None, Some(id)),
    };
    let row = photo::ActiveModel {
        equipment_id: Set(equipment),
        repair_id: Set(repair),
        stored_name: Set(file.stored.as_str().to_owned()),
        kind: Set(file.kind),
        original_name: Set(file.name.as_str().to_owned()),
        size: Set(i64::try_from(file.size).unwrap_or(i64::MAX)),
        has_thumbnail: Set(file.has_thumbnail),
        uploader_name: Set(actor.name.clone()),
        uploader_user_id: Set(actor.account.as_ref().map(|account| account.id)),
        uploader_slack_id: Set(actor.slack_id.as_ref().map(|id| id.0.clone())),
        source: Set(source.map(str::to_owned)),
        created_at: Set(now),
        ..Default::default()
    };
    Ok(row.insert(db).await?.id)
}

/// Removes a photo; false when it did not exist.
pub async fn remove(db: &impl ConnectionTrait, id: PhotoId) -> Result<bool, DbErr> {
    Ok(photo::Entity::delete_by_id(id).exec(db).await?.rows_affected == 1)
}

/// Which of these stored names a document or photo has; a few hundred names at most: each takes a parameter.
pub async fn named(db: &impl ConnectionTrait, names: &[String]) -> Result<HashSet<String>, DbErr> {
    if names.is_empty() {
        return Ok(HashSet::new());
    }
    let photos: Vec<String> = photo::Entity::find()
        .select_only()
        .column(photo::Column::StoredName)
        .filter(photo::Column::StoredName.is_in(names))
        .into_tuple()
        .all(db)
        .await?;
    let documents: Vec<String> = document::Entity::find()
        .select_only()
        .column(document::Column::StoredName)
        .filter(document::Column::StoredName.is_in(names))
        .into_tuple()
        .all(db)
        .await?;
    Ok(photos.into_iter().chain(documents).collect())
}
