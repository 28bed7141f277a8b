//! Table `thread_replies`: people's replies in the threads of cards, and the notes made from them.

use sea_orm::entity::prelude::*;

use crate::domain::ids::{RepairId, TimelineId};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "thread_replies")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub repair_id: RepairId,
    /// Slack's id of the channel.
    pub channel: String,
    /// Slack's name of the message; unique together with the channel.
    pub ts: String,
    /// `since` of the reply's version that was applied last: of two versions the later one has the greater text.
    pub seen: String,
    /// The note as it was first written.
    pub note_id: Option<TimelineId>,
}

impl ActiveModelBehavior for ActiveModel {}
