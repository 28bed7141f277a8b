//! Repairs as technicians see them.

use crate::domain::actor::Role;
use crate::domain::change::OthersOpen;
use crate::domain::field::RepairFields;
use crate::domain::ids::{AreaId, EquipmentId, RepairId, TimelineId, UserId};
use crate::domain::repair::{RepairStatus, Severity};
use crate::domain::timeline::TimelineKind;
use crate::views::attachments::PhotoView;
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueView {
    pub rows: Vec<QueueItem>,
    /// Number of matches on all pages.
    pub total: u64,
    /// Live areas, to choose from.
    pub areas: Vec<(AreaId, String)>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueItem {
    pub id: RepairId,
    pub version: i64,
    /// Name of the equipment.
    pub equipment: String,
    /// Name of the area.
    pub area: String,
    pub description: String,
    pub severity: Option<Severity>,
    pub status: RepairStatus,
    pub safety_risk: bool,
    pub assignee: Option<String>,
    pub eta: Option<NaiveDate>,
    pub created_at: DateTime<Utc>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepairView {
    pub id: RepairId,
    pub version: i64,
    pub equipment_id: EquipmentId,
    /// Name of the equipment.
    pub equipment: String,
    /// Name of the area.
    pub area: String,
    /// The editable fields.
    pub fields: RepairFields,
    pub reporter: String,
    pub reporter_email: Option<String>,
    pub me_too: u64,
    pub created_at: DateTime<Utc>,
    pub closed_at: Option<DateTime<Utc>>,
    /// The repair that this one duplicates.
    pub duplicate_of: Option<OtherRepair>,
    /// Repairs that duplicate this one.
    pub duplicates: Vec<OtherRepair>,
    /// Other repairs of the equipment that it could duplicate, newest first.
    pub others: Vec<OtherRepair>,
    /// In the order in which they were added.
    pub photos: Vec<PhotoView>,
    /// Newest first.
    pub timeline: Vec<TimelineEntryView>,
    /// The id to continue the timeline from, if there are older entries.
    pub older: Option<TimelineId>,
    /// Possible assignees.
    pub people: Vec<(UserId, String)>,
}

/// The part of a repair that forms need.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepairBrief {
    pub id: RepairId,
    pub version: i64,
    /// Name of the equipment.
    pub equipment: String,
    /// Name of the area.
    pub area: String,
    /// The editable fields.
    pub fields: RepairFields,
    pub reporter: String,
    pub created_at: DateTime<Utc>,
    /// The repair that this one duplicates.
    pub duplicate_of: Option<OtherRepair>,
    /// The latest entries, newest first.
    pub latest: Vec<TimelineEntryView>,
}

/// An open repair, as shown in lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenRepairLine {
    pub id: RepairId,
    pub equipment_id: EquipmentId,
    /// Name of the equipment.
    pub equipment: String,
    pub area_id: AreaId,
    /// Name of the area.
    pub area: String,
    /// The description, truncated.
    pub issue: String,
    pub severity: Option<Severity>,
    pub status: RepairStatus,
    pub assignee: Option<String>,
    pub eta: Option<NaiveDate>,
}

/// A possible assignee.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonMatch {
    pub id: UserId,
    pub name: String,
    pub role: Role,
}

/// Another repair of the same equipment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtherRepair {
    pub id: RepairId,
    pub status: RepairStatus,
    pub description: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimelineEntryView {
    pub id: TimelineId,
    pub kind: TimelineKind,
    pub by: String,
    pub by_id: Option<UserId>,
    pub at: DateTime<Utc>,
    /// The value before.
    pub old: Option<String>,
    /// The value after; for a note its current text, `None` if it was deleted.
    pub new: Option<String>,
    /// The last editor of the note.
    pub edited_by: Option<String>,
}

/// Data of a repair's card besides its fields.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CardDetails {
    pub me_too: u64,
    pub photos: u64,
    /// `None` while the repair is open.
    pub closing: Option<Closing>,
}

/// How a repair was closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closing {
    pub by: String,
    pub note: Option<String>,
    /// From the report to the closing.
    pub took: TimeDelta,
    pub duplicate_of: Option<RepairId>,
    /// Other open repairs of the equipment.
    pub others: OthersOpen,
}
