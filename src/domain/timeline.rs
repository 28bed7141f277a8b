//! Kinds of entries of a repair's timeline.

use crate::domain::ids::{TimelineId, UserId};
use sea_orm::prelude::StringLen;
use sea_orm::{DeriveActiveEnum, EnumIter};

/// Kind of a timeline entry. Append-only: entries are never changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::N(32))")]
pub enum TimelineKind {
    /// The repair was created; the new value is its first status.
    #[sea_orm(string_value = "created")]
    Created,
    #[sea_orm(string_value = "status")]
    Status,
    /// The original changed; values are its number.
    #[sea_orm(string_value = "duplicate_of")]
    DuplicateOf,
    /// The assignee changed; values are names.
    #[sea_orm(string_value = "assignee")]
    Assignee,
    #[sea_orm(string_value = "severity")]
    Severity,
    #[sea_orm(string_value = "eta")]
    Eta,
    #[sea_orm(string_value = "specialist_description")]
    SpecialistDescription,
    /// A person could be hurt, or no longer.
    #[sea_orm(string_value = "safety_risk")]
    SafetyRisk,
    /// A consumable is used up, or not after all.
    #[sea_orm(string_value = "consumable")]
    Consumable,
    #[sea_orm(string_value = "description")]
    Description,
    /// A person wrote a note; the new value is its text. A note that supersedes another edits it, or deletes it
    /// when it has no text.
    #[sea_orm(string_value = "note")]
    Note,
    /// A person added a photo or video; the new value is its number.
    #[sea_orm(string_value = "photo")]
    Photo,
}

/// One entry to append.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimelineEntry {
    pub kind: TimelineKind,
    /// The value before, if the kind has one.
    pub old: Option<String>,
    /// The value after, if the kind has one.
    pub new: Option<String>,
    /// The account that the old value names.
    pub old_user: Option<UserId>,
    /// The account that the new value names.
    pub new_user: Option<UserId>,
    /// The note that this one replaces.
    pub supersedes: Option<TimelineId>,
}
