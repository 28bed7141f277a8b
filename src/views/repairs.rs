//! Repairs as technicians see them.

use crate::domain::actor::Role;
use crate::domain::change::OthersOpen;
use crate::domain::field::RepairFields;
use crate::domain::ids::{AreaId, EquipmentId, RepairId, TimelineId, UserId};
use crate::domain::repair::{RepairStatus, Severity};
use crate::domain::timeline::TimelineKind;
use crate::views::attachments::PhotoView;
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

/// A page of the queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueView {
    /// The repairs of this page.
    pub rows: Vec<QueueItem>,
    /// How many there are on all pages.
    pub total: u64,
    /// Live areas, to choose from.
    pub areas: Vec<(AreaId, String)>,
}

/// A repair in the queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueItem {
    pub id: RepairId,
    pub version: i64,
    /// Name of the machine.
    pub equipment: String,
    /// Name of the area.
    pub area: String,
    /// What is wrong.
    pub description: String,
    /// How bad.
    pub severity: Option<Severity>,
    /// Where it stands.
    pub status: RepairStatus,
    /// Somebody could be hurt.
    pub safety_risk: bool,
    /// Who works on it.
    pub assignee: Option<String>,
    /// When it should be done.
    pub eta: Option<NaiveDate>,
    /// When it was reported.
    pub created_at: DateTime<Utc>,
}

/// One repair with everything about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepairView {
    pub id: RepairId,
    pub version: i64,
    /// Number of the machine.
    pub equipment_id: EquipmentId,
    /// Name of the machine.
    pub equipment: String,
    /// Name of the area.
    pub area: String,
    /// What people edit.
    pub fields: RepairFields,
    /// Who reported it.
    pub reporter: String,
    /// Their e-mail, where given.
    pub reporter_email: Option<String>,
    /// How many others have the problem as well.
    pub me_too: u64,
    /// When it was reported.
    pub created_at: DateTime<Utc>,
    /// When it was closed.
    pub closed_at: Option<DateTime<Utc>>,
    /// The repair that this one repeats.
    pub duplicate_of: Option<OtherRepair>,
    /// Those that repeat this one.
    pub duplicates: Vec<OtherRepair>,
    /// Other repairs of the machine that it could repeat, newest first.
    pub others: Vec<OtherRepair>,
    /// Its photos and videos, in the order in which they were added.
    pub photos: Vec<PhotoView>,
    /// Newest first.
    pub timeline: Vec<TimelineEntryView>,
    /// The timeline goes on before this entry.
    pub older: Option<TimelineId>,
    /// Whom it can be given to.
    pub people: Vec<(UserId, String)>,
}

/// One repair, as far as a form needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepairBrief {
    pub id: RepairId,
    pub version: i64,
    /// Name of the machine.
    pub equipment: String,
    /// Name of the area.
    pub area: String,
    /// What people edit.
    pub fields: RepairFields,
    /// Who reported it.
    pub reporter: String,
    /// When it was reported.
    pub created_at: DateTime<Utc>,
    /// The repair that this one repeats.
    pub duplicate_of: Option<OtherRepair>,
    /// What happened last, newest first.
    pub latest: Vec<TimelineEntryView>,
}

/// An open repair, as lists of them show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenRepairLine {
    pub id: RepairId,
    /// Number of the machine.
    pub equipment_id: EquipmentId,
    /// Name of the machine.
    pub equipment: String,
    pub area_id: AreaId,
    /// Name of the area.
    pub area: String,
    /// What is wrong, cut.
    pub issue: String,
    /// How bad.
    pub severity: Option<Severity>,
    /// Where it stands.
    pub status: RepairStatus,
    /// Who works on it.
    pub assignee: Option<String>,
    /// When it should be done.
    pub eta: Option<NaiveDate>,
}

/// Somebody to whom a repair can be given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PersonMatch {
    /// Number of the account.
    pub id: UserId,
    pub name: String,
    /// What they may do.
    pub role: Role,
}

/// Another repair of the same machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtherRepair {
    pub id: RepairId,
    /// Where it stands.
    pub status: RepairStatus,
    /// What is wrong.
    pub description: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimelineEntryView {
    pub id: TimelineId,
    /// What happened.
    pub kind: TimelineKind,
    /// Who did it.
    pub by: String,
    /// The account of who did it.
    pub by_id: Option<UserId>,
    /// When.
    pub at: DateTime<Utc>,
    /// The value before.
    pub old: Option<String>,
    /// The value after; of a note the text as it is now, nothing when it was deleted.
    pub new: Option<String>,
    /// Who edited the note last.
    pub edited_by: Option<String>,
}

/// What a repair's card shows besides its fields.
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
    /// What is still wrong with the machine.
    pub others: OthersOpen,
}
