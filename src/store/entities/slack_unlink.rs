//! Table `slack_unlinks`: Slack users whom staff have unlinked from an account, and who must not be linked to it
//! again.

use sea_orm::entity::prelude::*;

use crate::domain::ids::UserId;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "slack_unlinks")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    /// The account; unique together with the person.
    pub user_id: UserId,
    pub slack_user_id: String,
    pub created_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
