//! Kinds of entries of a repair's timeline.

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
    /// Another person works on it; values are names.
    #[sea_orm(string_value = "assignee")]
    Assignee,
    /// It should be done at another date.
    #[sea_orm(string_value = "eta")]
    Eta,
    /// Somebody wrote a note; the new value is its text.
    #[sea_orm(string_value = "note")]
    Note,
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
}
