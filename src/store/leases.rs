//! Leases of work that one process does at a time. Times are the database's.

use super::entities::lease;
use super::time::expired;
use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait, DbErr, EntityTrait, QueryFilter, Set};

/// Takes or renews a lease for `term`; `false` while another process holds it.
///
/// # Errors
/// The database's.
pub async fn acquire(
    db: &impl ConnectionTrait,
    name: &str,
    holder: &str,
    now: DateTime<Utc>,
    term: TimeDelta,
) -> Result<bool, DbErr> {
    let free = Condition::any().add(lease::Column::Holder.eq(holder)).add(expired(
        lease::Column::LeasedUntil,
        now,
        term,
    ));
    let taken = lease::Entity::update_many()
        .col_expr(lease::Column::Holder, Expr::value(holder))
        .col_expr(lease::Column::LeasedUntil, Expr::value(now + term))
        .filter(lease::Column::Name.eq(name))
        .filter(free)
        .exec(db)
        .await?;
    if taken.rows_affected > 0 {
        return Ok(true);
    }
    // Nobody has ever held it, or somebody else does: then this leaves the row as it is.
    let row = lease::ActiveModel {
        name: Set(name.to_owned()),
        holder: Set(holder.to_owned()),
        leased_until: Set(now + term),
    };
    let keep = OnConflict::column(lease::Column::Name).update_column(lease::Column::Name).to_owned();
    lease::Entity::insert(row).on_conflict(keep).exec_without_returning(db).await?;
    let held = lease::Entity::find_by_id(name).one(db).await?;
    Ok(held.is_some_and(|held| held.holder == holder))
}

/// Gives a lease back, if it is still ours.
///
/// # Errors
/// The database's.
pub async fn release(db: &impl ConnectionTrait, name: &str, holder: &str) -> Result<(), DbErr> {
    lease::Entity::delete_many()
        .filter(lease::Column::Name.eq(name))
        .filter(lease::Column::Holder.eq(holder))
        .exec(db)
        .await?;
    Ok(())
}
