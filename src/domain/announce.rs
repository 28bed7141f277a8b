//! Which channels get which announcement of a [`ChangeSet`], given switches and targets. Pure.

use crate::domain::actor::SlackUserId;
use crate::domain::change::{Change, ChangeSet, OthersOpen, RepairSnapshot};
use crate::domain::channel::ChannelRef;
use crate::domain::field::{Field, FieldValue};
use crate::domain::ids::RepairId;
use crate::domain::repair::{RepairStatus, Severity};
use crate::domain::setting::NotificationSettings;
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

/// What a delivery tells: the event with its own snapshot, so that it reads as it was then. Events outlive
/// the program that wrote them: what is added later has a default.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// A repair was created.
    NewReport(RepairSnapshot),
    /// A repair changed.
    Updated(RepairUpdate),
}

/// What changed of a repair, as far as the switches announce it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RepairUpdate {
    /// The repair after it.
    pub repair: RepairSnapshot,
    /// Who did it.
    pub by: String,
    /// Their id in Slack, if they did it there.
    #[serde(default)]
    pub by_slack_id: Option<SlackUserId>,
    /// One line each; the first gives the message its prefix.
    pub lines: Vec<UpdateLine>,
    /// What they had to say.
    pub note: Option<String>,
}

/// One line of an update; what is new stands in the repair's snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "news", rename_all = "snake_case")]
pub enum UpdateLine {
    /// The status became a closed one.
    Closed {
        /// The status before.
        from: RepairStatus,
        /// What is still wrong with the machine.
        others: OthersOpen,
    },
    /// The status became an open one.
    Status {
        /// The status before.
        from: RepairStatus,
    },
    /// Another person works on it.
    Assignee {
        /// Who did before.
        from: Option<String>,
    },
    /// It is worse or better than thought.
    Severity {
        /// The severity before.
        from: Option<Severity>,
    },
    /// Somebody could be hurt, as is known now.
    SafetyRisk,
    /// It should be done at another date.
    Eta {
        /// The date before.
        from: Option<NaiveDate>,
    },
}

impl RepairUpdate {
    /// True when the person assigned the repair to themselves.
    pub fn is_claim(&self) -> bool {
        let is_same_id = self.by_slack_id.is_some() && self.by_slack_id == self.repair.assignee_slack_id;
        is_same_id || self.repair.assignee.as_ref() == Some(&self.by)
    }

    /// True when the machine's last open repair was resolved: only then is it back in service.
    pub fn is_back_in_service(&self) -> bool {
        let resolved = self.repair.status == RepairStatus::Resolved;
        let last = |lines: &UpdateLine| matches!(lines, UpdateLine::Closed { from, others } if from.is_open() && others.count == 0);
        resolved && self.lines.iter().any(last)
    }
}

impl Event {
    /// The repair that it is about.
    pub const fn repair(&self) -> &RepairSnapshot {
        match self {
            Self::NewReport(repair) => repair,
            Self::Updated(update) => &update.repair,
        }
    }

    /// True for what a reply in a thread shows to the whole channel: that somebody could be hurt, that the
    /// machine is down (also once more, by a repair that is opened again), that it is over.
    pub fn is_broadcast(&self) -> bool {
        let is_down = |repair: &RepairSnapshot| repair.severity == Some(Severity::Down);
        let is_severe = |repair: &RepairSnapshot| repair.safety_risk || is_down(repair);
        match self {
            Self::NewReport(repair) => is_severe(repair),
            Self::Updated(update) => update.lines.iter().any(|news| match news {
                // The original tells what becomes of the machine.
                UpdateLine::Closed { .. } => update.repair.status != RepairStatus::Duplicate,
                UpdateLine::SafetyRisk => true,
                UpdateLine::Severity { .. } => is_down(&update.repair),
                UpdateLine::Status { from } => !from.is_open() && is_severe(&update.repair),
                UpdateLine::Assignee { .. } | UpdateLine::Eta { .. } => false,
            }),
        }
    }
}

/// One message to one channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announcement {
    /// Where it goes.
    pub target: ChannelRef,
    /// The same event for the same target has the same key, so it is sent once.
    pub dedupe_key: String,
    /// Messages of one lane leave in their order: one lane a repair and channel.
    pub lane: String,
    /// What it tells.
    pub event: Event,
}

/// Where announcements can go.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Targets {
    /// The area's channel.
    pub area: Option<ChannelRef>,
    /// The channel that hears of everything.
    pub oops: Option<ChannelRef>,
}

impl Targets {
    /// No message can leave.
    pub const NONE: Self = Self { area: None, oops: None };

    /// Each channel once, as far as texts tell: who makes the targets knows more.
    fn channels(&self) -> impl Iterator<Item = &ChannelRef> {
        let oops = self.oops.as_ref().filter(|oops| Some(*oops) != self.area.as_ref());
        self.area.iter().chain(oops)
    }
}

/// Messages of one repair to one target leave in their order.
pub fn lane(repair: RepairId, target: &str) -> String {
    format!("repair:{repair}:{target}")
}

/// What is announced of a change (spec "Announcements").
pub fn announcements(
    change: &ChangeSet,
    switches: NotificationSettings,
    targets: &Targets,
) -> Vec<Announcement> {
    let Some(event) = event(change, switches) else { return Vec::new() };
    let repair = &change.repair;
    targets
        .channels()
        .map(|channel| Announcement {
            target: channel.clone(),
            dedupe_key: format!("repair:{}:v{}:{channel}", repair.id, repair.version),
            lane: lane(repair.id, channel.as_str()),
            event: event.clone(),
        })
        .collect()
}

fn event(change: &ChangeSet, switches: NotificationSettings) -> Option<Event> {
    if change.changes.contains(&Change::Created) {
        return switches.new_report.then(|| Event::NewReport(change.repair.clone()));
    }
    let lines = update_lines(change, switches);
    if lines.is_empty() {
        return None;
    }
    let note = change.changes.iter().find_map(|change| match change {
        Change::Note { text, supersedes: None } => text.as_ref().map(ToString::to_string),
        _ => None,
    });
    let (repair, by, by_slack_id) = (change.repair.clone(), change.by.clone(), change.by_slack_id.clone());
    Some(Event::Updated(RepairUpdate { repair, by, by_slack_id, lines, note }))
}

/// The lines that their switches let through, in the order of their prefixes: closing, status, assignee,
/// severity, ETA.
fn update_lines(change: &ChangeSet, switches: NotificationSettings) -> Vec<UpdateLine> {
    let mut lines = Vec::new();
    let mut closing = false;
    if let Some((FieldValue::Status(from), _)) = change.of(Field::Status) {
        closing = !change.repair.status.is_open();
        if closing && switches.resolved {
            lines.push(UpdateLine::Closed { from: *from, others: change.others.clone() });
        } else if !closing && switches.status_changed {
            lines.push(UpdateLine::Status { from: *from });
        }
    }
    if let Some((FieldValue::Assignee(from), _)) = change.of(Field::Assignee)
        && !closing
        && switches.assignee_changed
    {
        lines.push(UpdateLine::Assignee { from: from.as_ref().map(|person| person.name.clone()) });
    }
    if switches.severity_changed {
        if let Some((FieldValue::Severity(from), _)) = change.of(Field::Severity) {
            lines.push(UpdateLine::Severity { from: *from });
        }
        if let Some((_, FieldValue::SafetyRisk(true))) = change.of(Field::SafetyRisk) {
            lines.push(UpdateLine::SafetyRisk);
        }
    }
    if let Some((FieldValue::Eta(from), _)) = change.of(Field::Eta)
        && switches.eta_updated
    {
        lines.push(UpdateLine::Eta { from: *from });
    }
    lines
}

#[cfg(test)]
mod tests;
