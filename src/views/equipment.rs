//! One piece of equipment with its open repairs, and search results.

use crate::domain::board::BoardStatus;
use crate::domain::ids::{AreaId, EquipmentId, LinkId, RepairId};
use crate::domain::repair::{RepairStatus, Severity};
use crate::views::attachments::{DocumentView, PhotoView};
use chrono::{DateTime, NaiveDate, Utc};

/// Equipment as its public page and modal show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicEquipment {
    pub id: EquipmentId,
    pub name: String,
    pub area_id: AreaId,
    pub area: String,
    /// The Slack channel of its area, if configured.
    pub area_channel: Option<String>,
    /// Empty if unknown.
    pub manufacturer: String,
    /// Empty if unknown.
    pub model: String,
    /// May be empty.
    pub description: String,
    pub links: Vec<LinkView>,
    /// In the order in which they were added.
    pub documents: Vec<DocumentView>,
    /// In the order in which they were added.
    pub photos: Vec<PhotoView>,
    /// True if the equipment or its area is archived.
    pub archived: bool,
    pub status: BoardStatus,
    /// True if any of its open repairs has a safety risk.
    pub safety_risk: bool,
    /// Worst severity first, then oldest; limited to the worst ones.
    pub open_repairs: Vec<OpenRepair>,
    /// Number of open repairs, including those not in `open_repairs`.
    pub open_count: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkView {
    pub id: LinkId,
    pub title: String,
    /// http or https.
    pub url: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenRepair {
    pub id: RepairId,
    /// The full description.
    pub description: String,
    pub severity: Option<Severity>,
    pub status: RepairStatus,
    pub safety_risk: bool,
    pub eta: Option<NaiveDate>,
    pub assignee: Option<String>,
    pub created_at: DateTime<Utc>,
    pub me_too: u64,
}

/// One search result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EquipmentMatch {
    pub id: EquipmentId,
    pub name: String,
    pub area: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EquipmentSearch {
    /// Best matches first; if nothing matched, the nearest names.
    pub found: Vec<EquipmentMatch>,
    /// True if nothing matched.
    pub are_nearest: bool,
    /// The equipment with exactly this id or this unique name.
    pub exact: Option<EquipmentMatch>,
    /// The match that is certain enough to skip the choice.
    pub certain: Option<EquipmentMatch>,
}
