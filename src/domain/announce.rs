//! Which channels get which announcement of a [`ChangeSet`], given settings and targets. Pure.

use crate::domain::actor::SlackUserId;
use crate::domain::change::{Change, ChangeSet, OthersOpen, RepairSnapshot};
use crate::domain::channel::ChannelRef;
use crate::domain::field::{Field, FieldValue};
use crate::domain::ids::RepairId;
use crate::domain::repair::{RepairStatus, Severity};
use crate::domain::setting::NotificationSettings;
use chrono::NaiveDate;
use serde::{Deserialize, Serialize};

/// The event of a delivery, with a snapshot, so that its text does not change later. Stored events outlive the
/// program that wrote them: new fields have defaults.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    NewReport(RepairSnapshot),
    Updated(RepairUpdate),
}

/// The changes of a repair that the settings announce.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RepairUpdate {
    /// The repair after the change.
    pub repair: RepairSnapshot,
    pub by: String,
    /// Their id in Slack, if they acted there.
    #[serde(default)]
    pub by_slack_id: Option<SlackUserId>,
    /// One line each; the first determines the message's prefix.
    pub lines: Vec<UpdateLine>,
    pub note: Option<String>,
}

/// One line of an update; new values are in the repair's snapshot.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "news", rename_all = "snake_case")]
pub enum UpdateLine {
    /// The status became a closed one.
    Closed {
        from: RepairStatus,
        /// Other open repairs of the machine.
        others: OthersOpen,
    },
    /// The status became an open one.
    Status {
        from: RepairStatus,
    },
    Assignee {
        from: Option<String>,
    },
    Severity {
        from: Option<Severity>,
    },
    /// The safety flag was set.
    SafetyRisk,
    Eta {
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
    pub const fn repair(&self) -> &RepairSnapshot {
        match self {
            Self::NewReport(repair) => repair,
            Self::Updated(update) => &update.repair,
        }
    }

    /// True for replies that are also shown to the whole channel: a safety risk, a machine that is down (also by a
    /// reopened repair), a closed repair.
    pub fn is_broadcast(&self) -> bool {
        let is_down = |repair: &RepairSnapshot| repair.severity == Some(Severity::Down);
        let is_severe = |repair: &RepairSnapshot| repair.safety_risk || is_down(repair);
        match self {
            Self::NewReport(repair) => is_severe(repair),
            Self::Updated(update) => update.lines.iter().any(|news| match news {
                // The original repair announces when the machine works again.
                UpdateLine::Closed { .. } => update.repair.status != RepairStatus::Duplicate,
                UpdateLine::SafetyRisk => true,
                UpdateLine::Severity { .. } => is_down(&update.repair),
                UpdateLine::Status { from } => !from.is_open() && is_severe(&update.repair),
                UpdateLine::Assignee { .. } | UpdateLine::Eta { .. } => false,
            }),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announcement {
    pub target: ChannelRef,
    /// The same event for the same target has the same key, so it is sent once.
    pub dedupe_key: String,
    /// Messages of one lane are sent in order: one lane per repair and channel.
    pub lane: String,
    pub event: Event,
}

/// Where announcements are sent.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Targets {
    /// The area's channel.
    pub area: Option<ChannelRef>,
    /// The channel for all announcements.
    pub oops: Option<ChannelRef>,
}

impl Targets {
    /// No announcements.
    pub const NONE: Self = Self { area: None, oops: None };

    /// Each channel once, compared as text: the caller may have more information.
    fn channels(&self) -> impl Iterator<Item = &ChannelRef> {
        let oops = self.oops.as_ref().filter(|oops| Some(*oops) != self.area.as_ref());
        self.area.iter().chain(oops)
    }
}

/// Messages of one repair to one target are sent in order.
pub fn lane(repair: RepairId, target: &str) -> String {
    format!("repair:{repair}:{target}")
}

/// The announcements of a change (spec "Announcements").
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

/// The lines that the settings announce, in the order of their prefixes: closing, status, assignee, severity, ETA.
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
