//! What technicians and staff see of the registry: machines, areas, settings.

use crate::domain::board::BoardStatus;
use crate::domain::equipment::StoredDetails;
use crate::domain::ids::{AreaId, EquipmentId, NoteId, RepairId, UserId};
use crate::domain::repair::{RepairStatus, Severity};
use crate::domain::setting::Setting;
use crate::views::attachments::{DocumentView, PhotoView};
use crate::views::equipment::LinkView;
use chrono::{DateTime, Utc};

/// One page of the list of machines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EquipmentList {
    /// Live areas in their order, to choose from.
    pub areas: Vec<AreaChoice>,
    /// How many machines match.
    pub total: u64,
    pub page: u64,
    /// How many there are.
    pub pages: u64,
    /// The machines of this page, by name; of a search the best matches first.
    pub equipment: Vec<EquipmentRow>,
    /// True when nothing fits a search: these have the nearest names.
    pub are_nearest: bool,
}

/// An area to choose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AreaChoice {
    pub id: AreaId,
    pub name: String,
}

/// A machine in the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EquipmentRow {
    pub id: EquipmentId,
    pub name: String,
    /// Who made it; empty when unknown.
    pub manufacturer: String,
    /// Its model; empty when unknown.
    pub model: String,
    /// Name of its area.
    pub area: String,
    /// Its colour; archived ones have none.
    pub status: Option<BoardStatus>,
}

/// Everything stored about a piece of equipment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EquipmentRecord {
    pub id: EquipmentId,
    /// The version that an edit has to name.
    pub version: i64,
    pub details: StoredDetails,
    /// Name of its area.
    pub area: String,
    /// The equipment itself is archived.
    pub archived: bool,
    pub area_archived: bool,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

/// A machine with what belongs to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EquipmentDetail {
    /// Itself.
    pub record: EquipmentRecord,
    /// Its colour.
    pub status: BoardStatus,
    /// How many repairs are open.
    pub open_repairs: usize,
    pub links: Vec<LinkView>,
    pub documents: Vec<DocumentView>,
    /// Its photos and videos.
    pub photos: Vec<PhotoView>,
    /// The newest notes on it.
    pub notes: Vec<NoteView>,
    /// How many notes there are.
    pub notes_total: u64,
    /// Which part of its history is shown, from 1.
    pub page: u64,
    /// How many parts there are.
    pub pages: u64,
    /// How many repairs it has had.
    pub repairs_total: u64,
    /// Repairs of this part, newest first.
    pub repairs: Vec<HistoryRow>,
    /// True when the person may edit links, documents and photos.
    pub may_edit: bool,
}

/// A note on a machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteView {
    pub id: NoteId,
    /// What it says.
    pub text: String,
    /// Who wrote it, by the name of that time.
    pub author: String,
    /// The account of who wrote it.
    pub author_id: Option<UserId>,
    /// When.
    pub created_at: DateTime<Utc>,
}

/// A repair of a machine, open or closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryRow {
    pub id: RepairId,
    /// What is or was wrong.
    pub description: String,
    /// How bad.
    pub severity: Option<Severity>,
    /// Where it stands.
    pub status: RepairStatus,
    /// Who reported it.
    pub reporter: String,
    /// Who works or worked on it.
    pub assignee: Option<String>,
    /// When it was reported.
    pub created_at: DateTime<Utc>,
    /// When it was closed.
    pub closed_at: Option<DateTime<Utc>>,
}

/// The closed repairs of a machine.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PastRepairs {
    /// Newest first; the newest ones of very many.
    pub repairs: Vec<HistoryRow>,
    /// How many there are.
    pub total: u64,
}

/// All areas.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AreasView {
    /// Live ones, in their order.
    pub live: Vec<AreaRow>,
    /// Archived ones.
    pub archived: Vec<AreaRow>,
}

/// An area as staff see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AreaRow {
    pub id: AreaId,
    /// For edits.
    pub version: i64,
    pub name: String,
    /// Its channel as configured; empty when none is set.
    pub slack_channel: String,
    /// The same as people know it.
    pub channel_shown: String,
    /// Its place on the board.
    pub sort_order: i64,
    /// True when it is shown nowhere.
    pub archived: bool,
    /// How many machines are in it that are not archived themselves.
    pub equipment: i64,
}

/// All settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingsView {
    /// For edits.
    pub version: i64,
    /// Each, in the order of the page.
    pub values: Vec<SettingValue>,
}

/// A setting as it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingValue {
    pub setting: &'static Setting,
    /// Its value; nothing for secret ones.
    pub value: String,
    /// True when it is not empty.
    pub is_set: bool,
}

/// An entry of the audit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRow {
    pub id: i64,
    /// When.
    pub created_at: DateTime<Utc>,
    /// Who, by the name of that time.
    pub actor: String,
    /// By which way: `slack`, `web` or `cli`.
    pub edge: &'static str,
    /// `noun.verb`.
    pub action: String,
    /// What was changed.
    pub noun: String,
    pub noun_id: i64,
    /// Values before, as JSON.
    pub old: Option<String>,
    /// Values after, as JSON.
    pub new: Option<String>,
}

/// A part of the audit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditView {
    /// Entries, newest first.
    pub entries: Vec<AuditRow>,
    /// Number of the last one, where there are older ones.
    pub older_than: Option<i64>,
}
