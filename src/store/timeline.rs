//! The timeline of repairs: entries are appended, never changed.

use super::entities::timeline;
use super::import;
use crate::domain::actor::Actor;
use crate::domain::change::ChangeSet;
use crate::domain::edit::InterveningChange;
use crate::domain::field::{Field, FieldValue};
use crate::domain::ids::{RepairId, TimelineId};
use crate::domain::timeline::TimelineKind;
use chrono::{DateTime, Utc};
use sea_orm::{ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Set};

pub use super::entities::timeline::Model as Entry;

/// Appends the entries of a change.
pub async fn append(
    db: &impl ConnectionTrait,
    change: &ChangeSet,
    actor: &Actor,
    now: DateTime<Utc>,
) -> Result<(), DbErr> {
    let rows = change.timeline().into_iter().map(|entry| timeline::ActiveModel {
        repair_id: Set(change.repair.id),
        kind: Set(entry.kind),
        actor_name: Set(actor.name.clone()),
        actor_user_id: Set(actor.account.as_ref().map(|account| account.id)),
        version: Set(change.repair.version),
        old_value: Set(entry.old),
        new_value: Set(entry.new),
        old_user_id: Set(entry.old_user),
        new_user_id: Set(entry.new_user),
        supersedes: Set(entry.supersedes),
        created_at: Set(now),
        ..Default::default()
    });
    timeline::Entity::insert_many(rows).exec_without_returning(db).await?;
    Ok(())
}

/// Appends entries from another installation, under their own ids.
pub async fn copy(db: &impl ConnectionTrait, entries: Vec<Entry>) -> Result<(), DbErr> {
    import::add(db, entries).await
}

/// The entries after a version, in order.
pub async fn later(
    db: &impl ConnectionTrait,
    repair: RepairId,
    version: i64,
) -> Result<Vec<InterveningChange>, DbErr> {
    let entries = timeline::Entity::find()
        .filter(timeline::Column::RepairId.eq(repair))
        .filter(timeline::Column::Version.gt(version))
        .filter(timeline::Column::Kind.is_in(Field::ALL.map(Field::kind)))
        .order_by_asc(timeline::Column::Id)
        .all(db)
        .await?;
    let later = |entry: Entry| {
        let field = Field::of(entry.kind)?;
        let old = FieldValue::read(field, entry.old_value.as_deref(), entry.old_user_id)?;
        let new = FieldValue::read(field, entry.new_value.as_deref(), entry.new_user_id)?;
        Some(InterveningChange { old, new, by: entry.actor_name })
    };
    Ok(entries.into_iter().filter_map(later).collect())
}

/// True when a repair has an entry of a kind that is newer than `since`.
pub async fn has_since(
    db: &impl ConnectionTrait,
    repair: RepairId,
    kind: TimelineKind,
    since: DateTime<Utc>,
) -> Result<bool, DbErr> {
    let newer = timeline::Entity::find()
        .select_only()
        .column(timeline::Column::Id)
        .filter(timeline::Column::RepairId.eq(repair))
        .filter(timeline::Column::Kind.eq(kind))
        .filter(timeline::Column::CreatedAt.gt(since));
    Ok(newer.limit(1).into_tuple::<TimelineId>().one(db).await?.is_some())
}

/// Entries of a repair older than `before`, newest first, at most `most`, without edits of notes, which [`edits`]
/// returns.
pub async fn newest(
    db: &impl ConnectionTrait,
    repair: RepairId,
    before: Option<TimelineId>,
    most: u64,
) -> Result<Vec<Entry>, DbErr> {
    let entries = timeline::Entity::find()
        .filter(timeline::Column::RepairId.eq(repair))
        .filter(timeline::Column::Supersedes.is_null());
    let entries = match before {
        Some(before) => entries.filter(timeline::Column::Id.lt(before)),
        None => entries,
    };
    entries.order_by_desc(timeline::Column::Id).limit(most).all(db).await
}

/// Edits of these notes, in order; a few hundred notes at most: each takes a parameter.
pub async fn edits(db: &impl ConnectionTrait, notes: &[TimelineId]) -> Result<Vec<Entry>, DbErr> {
    if notes.is_empty() {
        return Ok(Vec::new());
    }
    let edits = timeline::Entity::find().filter(timeline::Column::Supersedes.is_in(notes.iter().copied()));
    edits.order_by_asc(timeline::Column::Id).all(db).await
}

/// The latest note, without its edits; or only the one with exactly this text.
pub async fn last_note(
    db: &impl ConnectionTrait,
    repair: RepairId,
    saying: Option<&str>,
) -> Result<Option<Entry>, DbErr> {
    let notes = timeline::Entity::find()
        .filter(timeline::Column::RepairId.eq(repair))
        .filter(timeline::Column::Kind.eq(TimelineKind::Note))
        .filter(timeline::Column::Supersedes.is_null());
    let notes = match saying {
        Some(text) => notes.filter(timeline::Column::NewValue.eq(text)),
        None => notes,
    };
    notes.order_by_desc(timeline::Column::Id).one(db).await
}

/// The latest change of the status, with the current text of the note that was written with it.
pub async fn latest_status(
    db: &impl ConnectionTrait,
    repair: RepairId,
) -> Result<Option<(Entry, Option<String>)>, DbErr> {
    let status = timeline::Entity::find()
        .filter(timeline::Column::RepairId.eq(repair))
        .filter(timeline::Column::Kind.eq(TimelineKind::Status))
        .order_by_desc(timeline::Column::Id);
    let Some(status) = status.one(db).await? else { return Ok(None) };
    let note = timeline::Entity::find()
        .filter(timeline::Column::RepairId.eq(repair))
        .filter(timeline::Column::Kind.eq(TimelineKind::Note))
        .filter(timeline::Column::Version.eq(status.version))
        .filter(timeline::Column::ActorName.eq(&status.actor_name))
        .filter(timeline::Column::CreatedAt.eq(status.created_at))
        .filter(timeline::Column::Supersedes.is_null());
    let Some(note) = note.one(db).await? else { return Ok(Some((status, None))) };
    let latest = edits(db, &[note.id]).await?.pop().unwrap_or(note);
    Ok(Some((status, latest.new_value)))
}

/// A note of a repair as it was first written.
pub async fn note(
    db: &impl ConnectionTrait,
    repair: RepairId,
    note: TimelineId,
) -> Result<Option<Entry>, DbErr> {
    timeline::Entity::find_by_id(note)
        .filter(timeline::Column::RepairId.eq(repair))
        .filter(timeline::Column::Kind.eq(TimelineKind::Note))
        .filter(timeline::Column::Supersedes.is_null())
        .one(db)
        .await
}
