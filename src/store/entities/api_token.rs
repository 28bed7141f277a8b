//! Table `api_tokens`: programs that may ask on behalf of staff.

use sea_orm::entity::prelude::*;

use crate::domain::ids::{ApiTokenId, UserId};

/// One row.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "api_tokens")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: ApiTokenId,
    /// What staff call it.
    pub name: String,
    /// Digest of the token.
    pub token_hash: String,
    /// Who made it.
    pub created_by: UserId,
    /// When it was made.
    pub created_at: DateTimeUtc,
    /// When it was revoked.
    pub revoked_at: Option<DateTimeUtc>,
}

impl ActiveModelBehavior for ActiveModel {}
