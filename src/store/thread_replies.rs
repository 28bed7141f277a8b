//! Replies in the threads of cards. The repair is locked while a row is written.

use super::entities::thread_reply;
use crate::domain::ids::{RepairId, TimelineId};
use sea_orm::{ActiveModelTrait, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, Set};

pub use super::entities::thread_reply::Model as ThreadReply;

pub async fn find(db: &impl ConnectionTrait, channel: &str, ts: &str) -> Result<Option<ThreadReply>, DbErr> {
    thread_reply::Entity::find()
        .filter(thread_reply::Column::Channel.eq(channel))
        .filter(thread_reply::Column::Ts.eq(ts))
        .one(db)
        .await
}

/// Stores a new reply.
pub async fn add(
    db: &impl ConnectionTrait,
    repair: RepairId,
    (channel, ts): (&str, &str),
    (seen, note): (&str, Option<TimelineId>),
) -> Result<(), DbErr> {
    let row = thread_reply::ActiveModel {
        repair_id: Set(repair),
        channel: Set(channel.to_owned()),
        ts: Set(ts.to_owned()),
        seen: Set(seen.to_owned()),
        note_id: Set(note),
        ..Default::default()
    };
    row.insert(db).await?;
    Ok(())
}

/// Updates a stored reply.
pub async fn saw(
    db: &impl ConnectionTrait,
    known: ThreadReply,
    seen: &str,
    note: Option<TimelineId>,
) -> Result<(), DbErr> {
    let mut row: thread_reply::ActiveModel = known.into();
    row.seen = Set(seen.to_owned());
    row.note_id = Set(note);
    row.update(db).await?;
    Ok(())
}
