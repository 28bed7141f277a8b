//! Equipment, areas and settings as technicians and staff see them.

use crate::domain::board::BoardStatus;
use crate::domain::equipment::StoredDetails;
use crate::domain::ids::{AreaId, EquipmentId, NoteId, RepairId, UserId};
use crate::domain::repair::{RepairStatus, Severity};
use crate::domain::setting::Setting;
use crate::views::attachments::{DocumentView, PhotoView};
use crate::views::equipment::LinkView;
use chrono::{DateTime, Utc};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EquipmentList {
    /// Live areas in order, to choose from.
    pub areas: Vec<AreaChoice>,
    /// Number of matches on all pages.
    pub total: u64,
    pub page: u64,
    pub pages: u64,
    /// By name; in a search the best matches first.
    pub equipment: Vec<EquipmentRow>,
    /// True if a search matched nothing; these have the nearest names.
    pub are_nearest: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AreaChoice {
    pub id: AreaId,
    pub name: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EquipmentRow {
    pub id: EquipmentId,
    pub name: String,
    /// Empty if unknown.
    pub manufacturer: String,
    /// Empty if unknown.
    pub model: String,
    pub area: String,
    /// `None` if archived.
    pub status: Option<BoardStatus>,
}

/// Everything stored about a piece of equipment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EquipmentRecord {
    pub id: EquipmentId,
    /// The version for optimistic locking.
    pub version: i64,
    pub details: StoredDetails,
    pub area: String,
    /// The equipment itself is archived.
    pub archived: bool,
    pub area_archived: bool,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// A piece of equipment with its notes, photos and history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EquipmentDetail {
    pub record: EquipmentRecord,
    pub status: BoardStatus,
    pub open_repairs: usize,
    pub links: Vec<LinkView>,
    pub documents: Vec<DocumentView>,
    pub photos: Vec<PhotoView>,
    /// The newest notes.
    pub notes: Vec<NoteView>,
    /// Number of all notes.
    pub notes_total: u64,
    /// The page of the history, from 1.
    pub page: u64,
    /// Number of pages of the history.
    pub pages: u64,
    /// Number of repairs, open and closed.
    pub repairs_total: u64,
    /// Newest first.
    pub repairs: Vec<HistoryRow>,
    /// True if the person may edit links, documents and photos.
    pub may_edit: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteView {
    pub id: NoteId,
    pub text: String,
    /// Name of the author, as of that time.
    pub author: String,
    pub author_id: Option<UserId>,
    pub created_at: DateTime<Utc>,
}

/// A repair of the equipment, open or closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryRow {
    pub id: RepairId,
    pub description: String,
    pub severity: Option<Severity>,
    pub status: RepairStatus,
    pub reporter: String,
    pub assignee: Option<String>,
    pub created_at: DateTime<Utc>,
    pub closed_at: Option<DateTime<Utc>>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PastRepairs {
    /// Newest first; limited to the newest ones.
    pub repairs: Vec<HistoryRow>,
    /// Number of closed repairs.
    pub total: u64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AreasView {
    /// In board order.
    pub live: Vec<AreaRow>,
    pub archived: Vec<AreaRow>,
}

/// An area as shown to staff.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AreaRow {
    pub id: AreaId,
    /// For optimistic locking.
    pub version: i64,
    pub name: String,
    /// The channel as configured; may be empty.
    pub slack_channel: String,
    /// The channel's name for people.
    pub channel_shown: String,
    pub sort_order: i64,
    pub archived: bool,
    /// Number of its equipment that is not itself archived.
    pub equipment: i64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingsView {
    /// For optimistic locking.
    pub version: i64,
    /// In the order of the page.
    pub values: Vec<SettingValue>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingValue {
    pub setting: &'static Setting,
    /// Empty for secret settings.
    pub value: String,
    pub is_set: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRow {
    pub id: i64,
    pub created_at: DateTime<Utc>,
    /// Name of the person, as of that time.
    pub actor: String,
    /// `slack`, `web` or `cli`.
    pub edge: &'static str,
    /// `noun.verb`.
    pub action: String,
    pub noun: String,
    pub noun_id: i64,
    /// Values before, as JSON.
    pub old: Option<String>,
    /// Values after, as JSON.
    pub new: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditView {
    /// Newest first.
    pub entries: Vec<AuditRow>,
    /// Id of the last entry, if there are older ones.
    pub older_than: Option<i64>,
}
