//! "Me too": who else has a known problem.

use super::entities::me_too;
use crate::domain::ids::RepairId;
use chrono::{DateTime, Utc};
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, FromQueryResult, QueryFilter, QuerySelect, Set,
};
use std::collections::HashMap;

/// Adds a person to a repair; `false` when they are already counted.
pub async fn add(
    db: &impl ConnectionTrait,
    repair: RepairId,
    person_key: &str,
    now: DateTime<Utc>,
) -> Result<bool, DbErr> {
    let row = me_too::ActiveModel {
        repair_id: Set(repair),
        person_key: Set(person_key.to_owned()),
        created_at: Set(now),
        ..Default::default()
    };
    let known = me_too::Entity::find()
        .filter(me_too::Column::RepairId.eq(repair))
        .filter(me_too::Column::PersonKey.eq(person_key))
        .one(db)
        .await?;
    if known.is_some() {
        return Ok(false);
    }
    // Two inserts at once: not "do nothing", which MariaDB lacks; rewriting the key changes nothing.
    let again = OnConflict::columns([me_too::Column::RepairId, me_too::Column::PersonKey])
        .update_column(me_too::Column::PersonKey)
        .to_owned();
    me_too::Entity::insert(row).on_conflict(again).exec_without_returning(db).await?;
    Ok(true)
}

#[derive(FromQueryResult)]
struct Count {
    repair_id: RepairId,
    people: i64,
}

/// Number of people by repair, for a few hundred repairs at most: each takes a parameter. Repairs without any are
/// absent.
pub async fn counts(
    db: &impl ConnectionTrait,
    repairs: &[RepairId],
) -> Result<HashMap<RepairId, u64>, DbErr> {
    if repairs.is_empty() {
        return Ok(HashMap::new());
    }
    let rows: Vec<Count> = me_too::Entity::find()
        .select_only()
        .column(me_too::Column::RepairId)
        .column_as(me_too::Column::Id.count(), "people")
        .filter(me_too::Column::RepairId.is_in(repairs.iter().copied()))
        .group_by(me_too::Column::RepairId)
        .into_model()
        .all(db)
        .await?;
    Ok(rows.into_iter().map(|row| (row.repair_id, u64::try_from(row.people).unwrap_or(0))).collect())
}
