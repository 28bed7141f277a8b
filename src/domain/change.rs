//! `ChangeSet`: what one operation did to one repair. Timeline, audit, announcements and the log
//! line all derive from it, so that none can tell another story.

use crate::domain::ids::{EquipmentId, RepairId};
use crate::domain::repair::{RepairStatus, Severity};
use crate::domain::timeline::{TimelineEntry, TimelineKind};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// A repair as it was when something happened, with the names of that moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RepairSnapshot {
    /// Its number.
    pub id: RepairId,
    /// Its version after the change.
    pub version: i64,
    /// Number of the machine.
    pub equipment_id: EquipmentId,
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
    /// Who reported it.
    pub reporter: String,
    /// Who works on it.
    pub assignee: Option<String>,
    /// When it should be done.
    pub eta: Option<NaiveDate>,
    /// Somebody could be hurt.
    pub safety_risk: bool,
    /// Something that wears out is used up.
    pub consumable: bool,
}

/// One thing that happened to a repair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// It was created.
    Created,
}

/// What one operation did to one repair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeSet {
    /// The repair after it.
    pub repair: RepairSnapshot,
    /// What happened, in the order in which it is told.
    pub changes: Vec<Change>,
}

/// What the audit keeps of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRecord {
    /// `noun.verb`, also the event of the log line.
    pub action: &'static str,
    /// The noun that was changed.
    pub noun: &'static str,
    /// Its number.
    pub noun_id: i64,
    /// Values before; absent for a creation.
    pub old: Option<Value>,
    /// Values after.
    pub new: Option<Value>,
}

impl ChangeSet {
    /// A repair was created.
    pub fn created(repair: RepairSnapshot) -> Self {
        Self { repair, changes: vec![Change::Created] }
    }

    /// The entries to append to the repair's timeline.
    pub fn timeline(&self) -> Vec<TimelineEntry> {
        self.changes
            .iter()
            .map(|change| match change {
                Change::Created => TimelineEntry {
                    kind: TimelineKind::Created,
                    old: None,
                    new: Some(self.repair.status.word().to_owned()),
                },
            })
            .collect()
    }

    /// The entries to append to the audit.
    pub fn audit(&self) -> Vec<AuditRecord> {
        self.changes
            .iter()
            .map(|change| match change {
                Change::Created => AuditRecord {
                    action: "repair.created",
                    noun: "repair",
                    noun_id: self.repair.id.0,
                    old: None,
                    new: Some(json!(self.repair)),
                },
            })
            .collect()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn snapshot() -> RepairSnapshot {
        RepairSnapshot {
            id: RepairId(7),
            version: 1,
            equipment_id: EquipmentId(3),
            equipment: "Table saw".into(),
            area: "Wood shop".into(),
            description: "Blade wobbles".into(),
            severity: Some(Severity::Down),
            status: RepairStatus::New,
            reporter: "Ana".into(),
            assignee: None,
            eta: None,
            safety_risk: false,
            consumable: false,
        }
    }

    #[test]
    fn a_creation_is_one_entry_in_timeline_and_audit() {
        let change = ChangeSet::created(snapshot());
        let timeline = change.timeline();
        assert_eq!(timeline.len(), 1);
        assert_eq!((timeline[0].kind, timeline[0].new.as_deref()), (TimelineKind::Created, Some("New")));
        let audit = change.audit();
        assert_eq!((audit[0].action, audit[0].noun_id, &audit[0].old), ("repair.created", 7, &None));
        assert_eq!(audit[0].new.as_ref().unwrap()["equipment"], "Table saw");
    }
}
