//! Sessions of the web. The table stores digests only, so reading it does not let anyone sign in.

use super::entities::{session, user};
use super::users::User;
use crate::domain::ids::UserId;
use chrono::{DateTime, Utc};
use sea_orm::sea_query::Query;
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, Set};

#[derive(Debug, Clone)]
pub struct NewSession {
    pub token_hash: String,
    pub user: UserId,
    pub expires_at: DateTime<Utc>,
}

pub async fn add(db: &impl ConnectionTrait, new: NewSession, now: DateTime<Utc>) -> Result<(), DbErr> {
    let row = session::ActiveModel {
        token_hash: Set(new.token_hash),
        user_id: Set(new.user),
        created_at: Set(now),
        expires_at: Set(new.expires_at),
    };
    session::Entity::insert(row).exec_without_returning(db).await?;
    Ok(())
}

/// The active user of a session, unless it has expired.
pub async fn user(
    db: &impl ConnectionTrait,
    token_hash: &str,
    now: DateTime<Utc>,
) -> Result<Option<User>, DbErr> {
    let running = Query::select()
        .column(session::Column::UserId)
        .from(session::Entity)
        .and_where(session::Column::TokenHash.eq(token_hash))
        .and_where(session::Column::ExpiresAt.gt(now))
        .take();
    let found = user::Entity::find().filter(user::Column::Id.in_subquery(running));
    found.filter(user::Column::Active.eq(true)).one(db).await
}

pub async fn end(db: &impl ConnectionTrait, token_hash: &str) -> Result<(), DbErr> {
    session::Entity::delete_by_id(token_hash.to_owned()).exec(db).await?;
    Ok(())
}

/// Ends all sessions of a user, except one.
pub async fn end_others(db: &impl ConnectionTrait, user: UserId, but: Option<&str>) -> Result<(), DbErr> {
    let mut theirs = session::Entity::delete_many().filter(session::Column::UserId.eq(user));
    if let Some(kept) = but {
        theirs = theirs.filter(session::Column::TokenHash.ne(kept));
    }
    theirs.exec(db).await?;
    Ok(())
}
