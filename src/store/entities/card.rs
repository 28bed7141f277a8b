//! Table `cards`: the live message of a repair in a channel.

use sea_orm::entity::prelude::*;

use crate::domain::ids::{CardId, RepairId};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "cards")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: CardId,
    pub repair_id: RepairId,
    /// Channel as configured when the first message was enqueued; unique together with the repair.
    pub target: String,
    /// Slack's id of the channel; `None` while the card is not posted.
    pub channel: Option<String>,
    /// Slack's timestamp of the message; `None` while the card is not posted.
    pub ts: Option<String>,
    /// The version that the card should show.
    pub desired_version: i64,
    /// The version that it shows.
    pub rendered_version: i64,
}

impl ActiveModelBehavior for ActiveModel {}
