//! Table `thread_replies`: what people wrote in the threads of cards, and what became of it.

use sea_orm::entity::prelude::*;

use crate::domain::ids::{RepairId, TimelineId};

/// One row.
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
    /// The note that it became, as it was first written.
    pub note_id: Option<TimelineId>,
}

impl ActiveModelBehavior for ActiveModel {}
