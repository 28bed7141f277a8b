//! Table `slack_channels`: cached names of channels that are configured by Slack's id.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "slack_channels")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub slack_channel_id: String,
    /// With the `#`; `None` if Slack returned none.
    pub name: Option<String>,
    /// Time of the latest lookup.
    pub asked_at: DateTimeUtc,
}

impl ActiveModelBehavior for ActiveModel {}
