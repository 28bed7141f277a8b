//! One machine with its open repairs, and what a search over machines finds.

use crate::domain::board::BoardStatus;
use crate::domain::ids::{AreaId, EquipmentId, LinkId, RepairId};
use crate::domain::repair::{RepairStatus, Severity};
use crate::views::attachments::{DocumentView, PhotoView};
use chrono::{DateTime, NaiveDate, Utc};

/// A machine as its own page and modal show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicEquipment {
    pub id: EquipmentId,
    pub name: String,
    pub area_id: AreaId,
    /// Name of its area.
    pub area: String,
    /// The channel in which its area is talked about, where one is set.
    pub area_channel: Option<String>,
    /// Who made it; empty when unknown.
    pub manufacturer: String,
    /// Its model; empty when unknown.
    pub model: String,
    /// What it is for; empty when nobody wrote it down.
    pub description: String,
    pub links: Vec<LinkView>,
    /// Its documents, in the order in which they were added.
    pub documents: Vec<DocumentView>,
    /// Its photos and videos, in the order in which they were added.
    pub photos: Vec<PhotoView>,
    /// True when the machine or its area is archived.
    pub archived: bool,
    /// Its colour.
    pub status: BoardStatus,
    /// True when somebody could be hurt, by any of its open repairs.
    pub safety_risk: bool,
    /// Open repairs, worst severity first, then oldest; the worst ones of very many.
    pub open_repairs: Vec<OpenRepair>,
    /// How many repairs are open, those not in `open_repairs` included.
    pub open_count: usize,
}

/// A link of a machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkView {
    pub id: LinkId,
    /// What it is called.
    pub title: String,
    /// Where it leads: http or https.
    pub url: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenRepair {
    pub id: RepairId,
    /// What is wrong, whole.
    pub description: String,
    /// How bad.
    pub severity: Option<Severity>,
    /// Where it stands.
    pub status: RepairStatus,
    /// True when somebody could be hurt.
    pub safety_risk: bool,
    /// When it should be done.
    pub eta: Option<NaiveDate>,
    /// Who works on it.
    pub assignee: Option<String>,
    /// When it was reported.
    pub created_at: DateTime<Utc>,
    /// How many others said "me too".
    pub me_too: u64,
}

/// One machine found by a search.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EquipmentMatch {
    pub id: EquipmentId,
    pub name: String,
    /// Name of its area.
    pub area: String,
}

/// What a search for machines found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EquipmentSearch {
    /// The best matches, the best first; where nothing fits, the nearest names.
    pub found: Vec<EquipmentMatch>,
    /// True when nothing fits.
    pub are_nearest: bool,
    /// The one that was named: by its number, or by the name that it alone has.
    pub exact: Option<EquipmentMatch>,
    /// The one that needs no choice.
    pub certain: Option<EquipmentMatch>,
}
