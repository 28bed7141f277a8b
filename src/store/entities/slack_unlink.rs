//! Table `slack_unlinks`: whom staff have unlinked from an account, and who is not linked to it again.

use sea_orm::entity::prelude::*;

use crate::domain::ids::UserId;

/// One row.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "slack_unlinks")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    /// The account; unique together with the person.
    pub user_id: UserId,
    /// Slack id of the person.
    pub slack_user_id: String,
    /// When they were unlinked.
    pub created_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
