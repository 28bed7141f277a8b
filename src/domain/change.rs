//! `ChangeSet`: what one operation did to one repair. Timeline, audit, announcements and the log line all derive
//! from it, so that they agree.

use crate::domain::actor::SlackUserId;
use crate::domain::field::{Field, FieldValue};
use crate::domain::file::FileName;
use crate::domain::ids::{EquipmentId, PhotoId, RepairId, TimelineId};
use crate::domain::repair::{RepairStatus, Severity};
use crate::domain::text::Note;
use crate::domain::timeline::{TimelineEntry, TimelineKind};
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// A repair at the time of an event, with the names of that time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RepairSnapshot {
    pub id: RepairId,
    /// Its version after the change.
    pub version: i64,
    pub equipment_id: EquipmentId,
    pub equipment: String,
    pub area: String,
    pub description: String,
    pub severity: Option<Severity>,
    pub status: RepairStatus,
    pub reporter: String,
    pub assignee: Option<String>,
    /// If known.
    #[serde(default)]
    pub assignee_slack_id: Option<SlackUserId>,
    pub eta: Option<NaiveDate>,
    /// A person could be hurt.
    pub safety_risk: bool,
    /// A consumable is used up.
    pub consumable: bool,
}

/// One change of a repair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    Created,
    Field {
        from: FieldValue,
        to: FieldValue,
    },
    /// A person wrote a note, edited one or deleted it.
    Note {
        /// `None` for a deleted note.
        text: Option<Note>,
        /// The note that this one replaces.
        supersedes: Option<TimelineId>,
    },
    Photo {
        photo: PhotoId,
        name: FileName,
    },
}

/// Another open repair of the machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StillOpen {
    pub id: RepairId,
    pub severity: Option<Severity>,
    pub description: String,
}

/// Other open repairs of the machine.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OthersOpen {
    pub count: usize,
    /// The worst few of them.
    pub worst: Vec<StillOpen>,
}

/// What one operation did to one repair.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeSet {
    /// The repair after the change.
    pub repair: RepairSnapshot,
    /// In the order of the announcement.
    pub changes: Vec<Change>,
    pub by: String,
    /// Their id in Slack, if they acted there.
    pub by_slack_id: Option<SlackUserId>,
    /// The machine's other open repairs; read only if the repair was closed.
    pub others: OthersOpen,
}

/// The audit record of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditRecord {
    /// `noun.verb`, also the event of the log line.
    pub action: &'static str,
    pub noun: &'static str,
    pub noun_id: i64,
    /// Values before; absent for a creation.
    pub old: Option<Value>,
    pub new: Option<Value>,
}

impl ChangeSet {
    pub fn created(repair: RepairSnapshot, by: String) -> Self {
        let (changes, others) = (vec![Change::Created], OthersOpen::default());
        Self { repair, changes, by, by_slack_id: None, others }
    }

    /// The old and new value of a changed field.
    pub fn of(&self, field: Field) -> Option<(&FieldValue, &FieldValue)> {
        self.changes.iter().find_map(|change| match change {
            Change::Field { from, to } if from.field() == field => Some((from, to)),
            _ => None,
        })
    }

    /// True when the change affects the repair's card: fields, photos, and the note of a closing.
    pub fn changes_card(&self) -> bool {
        let is_closed = !self.repair.status.is_open();
        let shows = |change: &Change| match change {
            Change::Field { .. } | Change::Photo { .. } => true,
            Change::Note { supersedes, .. } => is_closed && supersedes.is_some(),
            Change::Created => false,
        };
        self.changes.iter().any(shows)
    }

    /// True when fields changed: then the repair has a new version.
    pub fn changes_fields(&self) -> bool {
        self.changes.iter().any(|change| matches!(change, Change::Field { .. }))
    }

    /// The entries to append to the repair's timeline.
    pub fn timeline(&self) -> Vec<TimelineEntry> {
        let entry = |kind, old, new| TimelineEntry {
            kind,
            old,
            new,
            old_user: None,
            new_user: None,
            supersedes: None,
        };
        self.changes
            .iter()
            .map(|change| match change {
                Change::Created => {
                    entry(TimelineKind::Created, None, Some(self.repair.status.word().to_owned()))
                }
                Change::Field { from, to } => TimelineEntry {
                    old_user: from.user(),
                    new_user: to.user(),
                    ..entry(from.field().kind(), from.text(), to.text())
                },
                Change::Note { text, supersedes } => TimelineEntry {
                    supersedes: *supersedes,
                    ..entry(TimelineKind::Note, None, text.as_ref().map(ToString::to_string))
                },
                Change::Photo { photo, .. } => entry(TimelineKind::Photo, None, Some(photo.to_string())),
            })
            .collect()
    }

    /// The entries to append to the audit: one for the fields together, one for each note and photo.
    pub fn audit(&self) -> Vec<AuditRecord> {
        let record =
            |action, old, new| AuditRecord { action, noun: "repair", noun_id: self.repair.id.0, old, new };
        let (mut old, mut new) = (Map::new(), Map::new());
        let mut records = Vec::new();
        for change in &self.changes {
            match change {
                Change::Created => records.push(record("repair.created", None, Some(json!(self.repair)))),
                Change::Field { from, to } => {
                    old.insert(from.field().name().to_owned(), from.json());
                    new.insert(to.field().name().to_owned(), to.json());
                }
                Change::Note { text, supersedes } => {
                    let action = match (text, supersedes) {
                        (Some(_), None) => "repair.note_added",
                        (Some(_), Some(_)) => "repair.note_edited",
                        (None, _) => "repair.note_deleted",
                    };
                    let note = supersedes.map(|note| json!({ "note": note }));
                    records.push(record(action, note, text.as_ref().map(|text| json!({ "text": text }))));
                }
                Change::Photo { photo, name } => {
                    let photo = json!({ "photo": photo, "name": name.as_str() });
                    records.push(record("repair.photo_added", None, Some(photo)));
                }
            }
        }
        if !new.is_empty() {
            records.insert(0, record("repair.updated", Some(old.into()), Some(new.into())));
        }
        records
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
            assignee_slack_id: None,
            eta: None,
            safety_risk: false,
            consumable: false,
        }
    }

    #[test]
    fn creation_is_one_timeline_and_audit_entry() {
        let change = ChangeSet::created(snapshot(), "Ana".into());
        let timeline = change.timeline();
        assert_eq!(timeline.len(), 1);
        assert_eq!((timeline[0].kind, timeline[0].new.as_deref()), (TimelineKind::Created, Some("New")));
        let audit = change.audit();
        assert_eq!((audit[0].action, audit[0].noun_id, &audit[0].old), ("repair.created", 7, &None));
        assert_eq!(audit[0].new.as_ref().unwrap()["equipment"], "Table saw");
    }

    #[test]
    fn card_changes_with_fields_photos_and_closing_note() {
        let note = |supersedes| Change::Note { text: Some(Note::parse("Ordered").unwrap()), supersedes };
        let photo = Change::Photo { photo: PhotoId(1), name: FileName::clean("a.jpg") };
        let resolved = RepairSnapshot { status: RepairStatus::Resolved, ..snapshot() };
        for (repair, change, is_shown) in [
            (snapshot(), photo, true),
            (snapshot(), note(None), false),
            (snapshot(), note(Some(TimelineId(4))), false),
            (resolved.clone(), note(None), false),
            (resolved, note(Some(TimelineId(4))), true),
        ] {
            let set = ChangeSet { changes: vec![change], ..ChangeSet::created(repair, "Ana".into()) };
            assert_eq!(set.changes_card(), is_shown, "{:?}", set.changes);
        }
        assert!(!ChangeSet::created(snapshot(), "Ana".into()).changes_card());
    }

    #[test]
    fn edit_is_one_timeline_entry_per_field() {
        let eta = FieldValue::Eta(NaiveDate::from_ymd_opt(2026, 3, 9));
        let sam = FieldValue::Assignee(Some(crate::domain::field::tests::person(2, "sam")));
        let change = ChangeSet {
            changes: vec![
                Change::Field { from: FieldValue::Assignee(None), to: sam },
                Change::Field { from: FieldValue::Eta(None), to: eta },
                Change::Note { text: Some(Note::parse("Ordered").unwrap()), supersedes: None },
                Change::Note { text: None, supersedes: Some(TimelineId(4)) },
            ],
            ..ChangeSet::created(snapshot(), "Ana".into())
        };
        let timeline = change.timeline();
        let kinds: Vec<TimelineKind> = timeline.iter().map(|entry| entry.kind).collect();
        assert_eq!(
            kinds,
            [TimelineKind::Assignee, TimelineKind::Eta, TimelineKind::Note, TimelineKind::Note]
        );
        assert_eq!((timeline[0].old_user, timeline[0].new_user.map(|id| id.0)), (None, Some(2)));
        assert_eq!((timeline[1].old.as_deref(), timeline[1].new.as_deref()), (None, Some("2026-03-09")));
        assert_eq!((timeline[3].supersedes, &timeline[3].new), (Some(TimelineId(4)), &None));
        let audit = change.audit();
        let actions: Vec<&str> = audit.iter().map(|record| record.action).collect();
        assert_eq!(actions, ["repair.updated", "repair.note_added", "repair.note_deleted"]);
        assert_eq!(audit[0].old, Some(json!({ "assignee": null, "eta": null })));
        assert_eq!(
            audit[0].new,
            Some(json!({ "assignee": { "id": 2, "name": "sam" }, "eta": "2026-03-09" }))
        );
        assert!(
            change.changes_fields() && change.of(Field::Eta).is_some() && change.of(Field::Status).is_none()
        );
    }
}
