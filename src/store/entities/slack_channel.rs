//! Table `slack_channels`: what channels are called that are configured by Slack's id of them.

use sea_orm::entity::prelude::*;

/// One row.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "slack_channels")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub slack_channel_id: String,
    /// Its name with the `#`; none where Slack does not tell it.
    pub name: Option<String>,
    /// When Slack was last asked.
    pub asked_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
