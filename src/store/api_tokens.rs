//! API tokens. The table holds digests, as that of the sessions does.

use super::entities::{api_token, user};
use super::users::User;
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter};

pub use super::entities::api_token::Model as ApiToken;

/// The token with this digest and who made it, unless it was revoked.
///
/// # Errors
/// The database's.
pub async fn valid(db: &impl ConnectionTrait, token_hash: &str) -> Result<Option<(ApiToken, User)>, DbErr> {
    let token = api_token::Entity::find()
        .filter(api_token::Column::TokenHash.eq(token_hash))
        .filter(api_token::Column::RevokedAt.is_null())
        .one(db)
        .await?;
    let Some(token) = token else { return Ok(None) };
    let maker = user::Entity::find_by_id(token.created_by).one(db).await?;
    Ok(maker.map(|maker| (token, maker)))
}
