//! Cached names of the channels that are configured by id; a few dozen rows at most.

use super::entities::slack_channel;
use crate::domain::channel::ChannelRef;
use chrono::{DateTime, Utc};
use sea_orm::sea_query::OnConflict;
use sea_orm::{ConnectionTrait, DbErr, EntityTrait, Set};

pub use super::entities::slack_channel::Model as SlackChannelRow;

/// All cached channels.
pub async fn all(db: &impl ConnectionTrait) -> Result<Vec<SlackChannelRow>, DbErr> {
    slack_channel::Entity::find().all(db).await
}

/// The cached name of a channel.
pub async fn name(db: &impl ConnectionTrait, id: &ChannelRef) -> Result<Option<String>, DbErr> {
    Ok(slack_channel::Entity::find_by_id(id.as_str()).one(db).await?.and_then(|row| row.name))
}

/// Stores the name, or that Slack returned none.
pub async fn keep(
    db: &impl ConnectionTrait,
    id: &ChannelRef,
    name: Option<&ChannelRef>,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let row = slack_channel::ActiveModel {
        slack_channel_id: Set(id.to_string()),
        name: Set(name.map(ToString::to_string)),
        asked_at: Set(now),
    };
    let replace = OnConflict::column(slack_channel::Column::SlackChannelId)
        .update_columns([slack_channel::Column::Name, slack_channel::Column::AskedAt])
        .to_owned();
    slack_channel::Entity::insert(row).on_conflict(replace).exec_without_returning(db).await?;
    Ok(())
}
