//! Leases of work that only one process may do at a time. Times are the database's.

use super::entities::lease;
use super::time::is_expired;
use chrono::{DateTime, TimeDelta, Utc};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, Set, SqlErr};

/// Takes or renews a lease for `term`; `false` while another process has it.
pub async fn acquire(
    db: &impl ConnectionTrait,
    name: &str,
    holder: &str,
    now: DateTime<Utc>,
    term: TimeDelta,
) -> Result<bool, DbErr> {
    let Some(seen) = lease::Entity::find_by_id(name).one(db).await? else {
        return begin(db, name, holder, now + term).await;
    };
    // Most attempts without success need no write.
    if seen.holder != holder && !is_expired(seen.leased_until, now, term) {
        return Ok(false);
    }
    let taken = lease::Entity::update_many()
        .col_expr(lease::Column::Holder, Expr::value(holder))
        .col_expr(lease::Column::LeasedUntil, Expr::value(now + term))
        .filter(lease::Column::Name.eq(name))
        .filter(lease::Column::Holder.eq(seen.holder))
        .filter(lease::Column::LeasedUntil.eq(seen.leased_until))
        .exec(db)
        .await?;
    Ok(taken.rows_affected > 0)
}

/// Inserts a new lease; `false` when another process was faster.
async fn begin(
    db: &impl ConnectionTrait,
    name: &str,
    holder: &str,
    until: DateTime<Utc>,
) -> Result<bool, DbErr> {
    let row = lease::ActiveModel {
        name: Set(name.to_owned()),
        holder: Set(holder.to_owned()),
        leased_until: Set(until),
    };
    match lease::Entity::insert(row).exec_without_returning(db).await {
        Ok(_) => Ok(true),
        Err(error) if matches!(error.sql_err(), Some(SqlErr::UniqueConstraintViolation(_))) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Releases a lease, if this process still holds it.
pub async fn release(db: &impl ConnectionTrait, name: &str, holder: &str) -> Result<(), DbErr> {
    lease::Entity::delete_many()
        .filter(lease::Column::Name.eq(name))
        .filter(lease::Column::Holder.eq(holder))
        .exec(db)
        .await?;
    Ok(())
}
