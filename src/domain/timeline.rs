//! Kinds of entries of a repair's timeline.

use crate::domain::ids::{TimelineId, UserId};
use sea_orm::prelude::StringLen;
use sea_orm::{DeriveActiveEnum, EnumIter};

/// What a timeline entry tells. Append-only: entries are never changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::N(32))")]
pub enum TimelineKind {
    /// The repair began; the new value is its first status.
    #[sea_orm(string_value = "created")]
    Created,
    /// The status changed.
    #[sea_orm(string_value = "status")]
    Status,
    /// Another repair is repeated; values are its number.
    #[sea_orm(string_value = "duplicate_of")]
    DuplicateOf,
    /// Another person works on it; values are names.
    #[sea_orm(string_value = "assignee")]
    Assignee,
    /// It is worse or better than thought.
    #[sea_orm(string_value = "severity")]
    Severity,
    /// It should be done at another date.
    #[sea_orm(string_value = "eta")]
    Eta,
    /// What a specialist is needed for.
    #[sea_orm(string_value = "specialist_description")]
    SpecialistDescription,
    /// Somebody could be hurt, or no longer.
    #[sea_orm(string_value = "safety_risk")]
    SafetyRisk,
    /// Something that wears out is used up, or it is not that.
    #[sea_orm(string_value = "consumable")]
    Consumable,
    /// What is wrong was put into other words.
    #[sea_orm(string_value = "description")]
    Description,
    /// Somebody wrote a note; the new value is its text. One that supersedes another edits it, or deletes
    /// it when it has no text.
    #[sea_orm(string_value = "note")]
    Note,
    /// Somebody added a photo or video; the new value is its number.
    #[sea_orm(string_value = "photo")]
    Photo,
}

/// One entry to append.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimelineEntry {
    /// What it tells.
    pub kind: TimelineKind,
    /// The value before, where the kind has one.
    pub old: Option<String>,
    /// The value after, where the kind has one.
    pub new: Option<String>,
    /// The account that the value before names.
    pub old_user: Option<UserId>,
    /// The account that the value after names.
    pub new_user: Option<UserId>,
    /// The note that this one takes the place of.
    pub supersedes: Option<TimelineId>,
}
