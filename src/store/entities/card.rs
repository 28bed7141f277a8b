//! Table `cards`: the living message of a repair in a channel.

use sea_orm::entity::prelude::*;

use crate::domain::ids::{CardId, RepairId};

/// One row.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "cards")]
pub struct Model {
    /// Number.
    #[sea_orm(primary_key)]
    pub id: CardId,
    /// The repair.
    pub repair_id: RepairId,
    /// Channel as configured when the first message was owed; unique together with the repair.
    pub target: String,
    /// Slack's id of the channel, while the card stands there.
    pub channel: Option<String>,
    /// Slack's name of the message, while the card stands there.
    pub ts: Option<String>,
    /// Counts the changes that the card has to show.
    pub wanted: i64,
    /// The last of these that it shows.
    pub shown: i64,
}

impl ActiveModelBehavior for ActiveModel {}
