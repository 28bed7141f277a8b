//! API tokens. The table stores digests only, like `sessions`.

use super::entities::{api_token, user};
use super::users::User;
use crate::domain::ids::{ApiTokenId, UserId};
use crate::domain::text::TokenName;
use chrono::{DateTime, Utc};
use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, PaginatorTrait, QueryFilter,
    QueryOrder, QuerySelect, Select, Set,
};
use std::collections::HashMap;

pub use super::entities::api_token::Model as ApiToken;

/// The token with this digest and its maker, unless it was revoked.
pub async fn valid(db: &impl ConnectionTrait, token_hash: &str) -> Result<Option<(ApiToken, User)>, DbErr> {
    let token = valid_ones().filter(api_token::Column::TokenHash.eq(token_hash)).one(db).await?;
    let Some(token) = token else { return Ok(None) };
    let maker = user::Entity::find_by_id(token.created_by).one(db).await?;
    Ok(maker.map(|maker| (token, maker)))
}

pub async fn add(
    db: &impl ConnectionTrait,
    name: &TokenName,
    token_hash: String,
    maker: UserId,
    now: DateTime<Utc>,
) -> Result<ApiTokenId, DbErr> {
    let row = api_token::ActiveModel {
        name: Set(name.as_str().to_owned()),
        token_hash: Set(token_hash),
        created_by: Set(maker),
        created_at: Set(now),
        revoked_at: Set(None),
        ..Default::default()
    };
    Ok(row.insert(db).await?.id)
}

/// The newest tokens that are not revoked, each with its maker's name.
pub async fn newest(db: &impl ConnectionTrait, most: u64) -> Result<Vec<(ApiToken, String)>, DbErr> {
    let tokens = valid_ones().order_by_desc(api_token::Column::Id).limit(most).all(db).await?;
    let makers =
        user::Entity::find().filter(user::Column::Id.is_in(tokens.iter().map(|token| token.created_by)));
    let makers: HashMap<UserId, String> =
        makers.all(db).await?.into_iter().map(|user| (user.id, user.username)).collect();
    let with_maker = tokens.into_iter().map(|token| {
        let maker = makers.get(&token.created_by).cloned().unwrap_or_default();
        (token, maker)
    });
    Ok(with_maker.collect())
}

/// Number of tokens that are not revoked.
pub async fn count(db: &impl ConnectionTrait) -> Result<u64, DbErr> {
    valid_ones().count(db).await
}

/// Revokes a token; returns its name, or `None` when it is unknown or was revoked before.
pub async fn revoke(
    db: &impl ConnectionTrait,
    id: ApiTokenId,
    now: DateTime<Utc>,
) -> Result<Option<String>, DbErr> {
    let Some(token) = valid_ones().filter(api_token::Column::Id.eq(id)).one(db).await? else {
        return Ok(None);
    };
    let revoked = api_token::Entity::update_many()
        .col_expr(api_token::Column::RevokedAt, Expr::value(now))
        .filter(api_token::Column::Id.eq(id))
        .filter(api_token::Column::RevokedAt.is_null())
        .exec(db)
        .await?;
    Ok((revoked.rows_affected == 1).then_some(token.name))
}

fn valid_ones() -> Select<api_token::Entity> {
    api_token::Entity::find().filter(api_token::Column::RevokedAt.is_null())
}
