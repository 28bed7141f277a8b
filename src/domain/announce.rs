//! Who is told what: a [`ChangeSet`], the switches and the targets make announcements. Pure.

use crate::domain::change::{Change, ChangeSet, RepairSnapshot};
use crate::domain::channel::ChannelRef;
use crate::domain::setting::Switches;
use serde::{Deserialize, Serialize};

/// What a delivery tells: the event with its own snapshot, so that it reads as it was then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// A repair was created.
    NewReport(RepairSnapshot),
}

impl Event {
    /// The repair that it is about.
    pub const fn repair(&self) -> &RepairSnapshot {
        match self {
            Self::NewReport(repair) => repair,
        }
    }
}

/// One message owed to one channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announcement {
    /// Where it goes.
    pub target: ChannelRef,
    /// The same event for the same target has the same key: it is owed once.
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

    /// Each channel once.
    fn channels(&self) -> impl Iterator<Item = &ChannelRef> {
        let oops = self.oops.as_ref().filter(|oops| Some(*oops) != self.area.as_ref());
        self.area.iter().chain(oops)
    }
}

/// What is announced of a change (spec "Announcements").
pub fn announcements(change: &ChangeSet, switches: Switches, targets: &Targets) -> Vec<Announcement> {
    let Some(event) = event(change, switches) else { return Vec::new() };
    let repair = &change.repair;
    targets
        .channels()
        .map(|channel| Announcement {
            target: channel.clone(),
            dedupe_key: format!("repair:{}:v{}:{channel}", repair.id, repair.version),
            lane: format!("repair:{}:{channel}", repair.id),
            event: event.clone(),
        })
        .collect()
}

fn event(change: &ChangeSet, switches: Switches) -> Option<Event> {
    let created = change.changes.contains(&Change::Created);
    (created && switches.new_report).then(|| Event::NewReport(change.repair.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::change::tests::snapshot;

    fn channel(name: &str) -> Option<ChannelRef> {
        ChannelRef::parse(name)
    }

    #[track_caller]
    fn check(area: &str, oops: &str, on: bool, expected: &[&str]) {
        let targets = Targets { area: channel(area), oops: channel(oops) };
        let told = announcements(&ChangeSet::created(snapshot()), Switches { new_report: on }, &targets);
        assert_eq!(told.iter().map(|a| a.target.as_str()).collect::<Vec<_>>(), expected);
        assert!(told.iter().all(|a| a.event.repair().id.0 == 7));
    }

    #[test]
    fn a_new_report_goes_to_the_area_and_to_oops() {
        check("#wood", "#oops", true, &["#wood", "#oops"]);
        check("#wood", "", true, &["#wood"]);
        check("", "#oops", true, &["#oops"]);
        check("#Oops", "oops", true, &["#oops"]);
        check("", "", true, &[]);
        check("#wood", "#oops", false, &[]);
    }

    #[test]
    fn keys_tell_event_and_target_apart() {
        let targets = Targets { area: channel("#wood"), oops: channel("#oops") };
        let told = announcements(&ChangeSet::created(snapshot()), Switches { new_report: true }, &targets);
        assert_eq!(told[0].dedupe_key, "repair:7:v1:#wood");
        assert_ne!(told[0].dedupe_key, told[1].dedupe_key);
        assert_eq!(told[0].lane, "repair:7:#wood");
    }
}
