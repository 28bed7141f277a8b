//! Table `api_tokens`: programs that act on behalf of staff.

use sea_orm::entity::prelude::*;

use crate::domain::ids::{ApiTokenId, UserId};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "api_tokens")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: ApiTokenId,
    pub name: String,
    pub token_hash: String,
    pub created_by: UserId,
    pub created_at: DateTimeUtc,
    pub revoked_at: Option<DateTimeUtc>,
}

impl ActiveModelBehavior for ActiveModel {}
