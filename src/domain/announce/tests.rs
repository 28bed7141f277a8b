//! The spec's table "Announcements" row by row, and the text below it.

use super::*;
use crate::domain::change::tests::snapshot;
use crate::domain::field::tests::person;
use serde_json::json;

const ON: NotificationSettings = NotificationSettings {
    new_report: true,
    resolved: true,
    severity_changed: true,
    status_changed: true,
    assignee_changed: true,
    eta_updated: true,
    thread_updates: true,
};

fn channel(name: &str) -> Option<ChannelRef> {
    ChannelRef::parse(name)
}

fn created() -> ChangeSet {
    ChangeSet::created(snapshot(), "Ana".into())
}

#[track_caller]
fn check(area: &str, oops: &str, on: bool, expected: &[&str]) {
    let targets = Targets { area: channel(area), oops: channel(oops) };
    let announced = announcements(&created(), NotificationSettings { new_report: on, ..ON }, &targets);
    assert_eq!(announced.iter().map(|a| a.target.as_str()).collect::<Vec<_>>(), expected);
    assert!(announced.iter().all(|a| a.event.repair().id.0 == 7));
}

#[test]
fn new_report_goes_to_area_and_oops() {
    check("#wood", "#oops", true, &["#wood", "#oops"]);
    check("#wood", "", true, &["#wood"]);
    check("", "#oops", true, &["#oops"]);
    check("#Oops", "oops", true, &["#oops"]);
    check("", "", true, &[]);
    check("#wood", "#oops", false, &[]);
}

#[test]
fn dedupe_keys_differ_per_event_and_target() {
    let targets = Targets { area: channel("#wood"), oops: channel("#oops") };
    let announced = announcements(&created(), ON, &targets);
    assert_eq!(announced[0].dedupe_key, "repair:7:v1:#wood");
    assert_ne!(announced[0].dedupe_key, announced[1].dedupe_key);
    assert_eq!(announced[0].lane, "repair:7:#wood");
}

/// An edit that makes these changes.
fn edited(changes: &[FieldValue], from: RepairStatus) -> ChangeSet {
    let mut repair = snapshot();
    let before = |value: &FieldValue| match value {
        FieldValue::Status(_) => FieldValue::Status(from),
        FieldValue::Assignee(_) => FieldValue::Assignee(Some(person(9, "old"))),
        FieldValue::Severity(_) => FieldValue::Severity(Some(Severity::NotSure)),
        FieldValue::Eta(_) => FieldValue::Eta(NaiveDate::from_ymd_opt(2026, 3, 1)),
        FieldValue::SafetyRisk(on) => FieldValue::SafetyRisk(!on),
        FieldValue::Consumable(on) => FieldValue::Consumable(!on),
        _ => FieldValue::Description("before".into()),
    };
    for value in changes {
        if let FieldValue::Status(status) = value {
            repair.status = *status;
        }
    }
    let changes = changes.iter().map(|to| Change::Field { from: before(to), to: to.clone() }).collect();
    ChangeSet { repair, changes, by: "Sam".into(), by_slack_id: None, others: OthersOpen::default() }
}

fn status(status: RepairStatus) -> FieldValue {
    FieldValue::Status(status)
}

fn assignee() -> FieldValue {
    FieldValue::Assignee(Some(person(2, "sam")))
}

fn severity() -> FieldValue {
    FieldValue::Severity(Some(Severity::Down))
}

fn eta() -> FieldValue {
    FieldValue::Eta(None)
}

#[track_caller]
fn tells(change: &ChangeSet, switches: NotificationSettings, expected: &[&str]) {
    let announced = update_lines(change, switches);
    let names: Vec<String> =
        announced.iter().map(|line| json!(line)["news"].as_str().unwrap().to_owned()).collect();
    assert_eq!(names, expected, "{:?}", change.changes);
}

#[test]
fn each_change_is_announced_unless_switched_off() {
    use RepairStatus::{Assigned, Duplicate, InProgress, New, NoIssueFound, Resolved};
    let off = |silence: fn(&mut NotificationSettings)| {
        let mut switches = ON;
        silence(&mut switches);
        switches
    };
    let rows: [(&[FieldValue], RepairStatus, &str, NotificationSettings); 13] = [
        (&[status(Resolved)], New, "closed", off(|s| s.resolved = false)),
        (&[status(NoIssueFound)], InProgress, "closed", off(|s| s.resolved = false)),
        (&[status(Duplicate)], Assigned, "closed", off(|s| s.resolved = false)),
        (&[status(NoIssueFound)], Resolved, "closed", off(|s| s.resolved = false)),
        (&[severity()], New, "severity", off(|s| s.severity_changed = false)),
        (&[FieldValue::Severity(None)], New, "severity", off(|s| s.severity_changed = false)),
        (&[FieldValue::SafetyRisk(true)], New, "safety_risk", off(|s| s.severity_changed = false)),
        (&[status(InProgress)], New, "status", off(|s| s.status_changed = false)),
        (&[status(New)], Resolved, "status", off(|s| s.status_changed = false)),
        (&[assignee()], New, "assignee", off(|s| s.assignee_changed = false)),
        (&[FieldValue::Assignee(None)], New, "assignee", off(|s| s.assignee_changed = false)),
        (&[eta()], New, "eta", off(|s| s.eta_updated = false)),
        (&[FieldValue::Eta(NaiveDate::from_ymd_opt(2026, 4, 1))], New, "eta", off(|s| s.eta_updated = false)),
    ];
    for (changes, from, expected, silent) in rows {
        let change = edited(changes, from);
        tells(&change, ON, &[expected]);
        // No other setting announces it.
        tells(&change, silent, &[]);
    }
}

#[test]
fn changes_without_a_switch_are_not_announced() {
    let quiet = [
        FieldValue::SafetyRisk(false),
        FieldValue::Consumable(true),
        FieldValue::Description("Belt".into()),
        FieldValue::SpecialistDescription("Gas".into()),
    ];
    tells(&edited(&quiet, RepairStatus::New), ON, &[]);
    let mut note = edited(&[], RepairStatus::New);
    note.changes = vec![Change::Note { text: None, supersedes: None }];
    assert_eq!(event(&note, ON), None);
}

#[test]
fn simultaneous_changes_are_one_message() {
    use RepairStatus::{InProgress, New, Resolved};
    let all = [status(InProgress), assignee(), severity(), FieldValue::SafetyRisk(true), eta()];
    let change = edited(&all, New);
    tells(&change, ON, &["status", "assignee", "severity", "safety_risk", "eta"]);
    tells(
        &change,
        NotificationSettings { status_changed: false, ..ON },
        &["assignee", "severity", "safety_risk", "eta"],
    );
    tells(&change, NotificationSettings { severity_changed: false, ..ON }, &["status", "assignee", "eta"]);
    tells(
        &change,
        NotificationSettings { eta_updated: false, ..ON },
        &["status", "assignee", "severity", "safety_risk"],
    );
    let closing = edited(&[status(Resolved), assignee(), severity(), eta()], New);
    tells(&closing, ON, &["closed", "severity", "eta"]);
    let untold = NotificationSettings { resolved: false, ..ON };
    tells(&closing, untold, &["severity", "eta"]);
    tells(&edited(&[status(Resolved), assignee()], New), untold, &[]);
    let targets = Targets { area: channel("#wood"), oops: channel("#oops") };
    assert_eq!(announcements(&change, ON, &targets).len(), 2);
}

#[test]
fn resolving_last_open_repair_announces_back_in_service() {
    let back = |to, from, count| {
        let mut change = edited(&[status(to)], from);
        change.others.count = count;
        let Some(Event::Updated(update)) = event(&change, ON) else { panic!("not announced") };
        update.is_back_in_service()
    };
    use RepairStatus::{InProgress, New, NoIssueFound, Resolved};
    assert!(back(Resolved, InProgress, 0));
    for (to, from, others) in [
        (Resolved, InProgress, 1),
        (NoIssueFound, InProgress, 0),
        (RepairStatus::Duplicate, New, 0),
        (Resolved, NoIssueFound, 0),
        (New, Resolved, 0),
    ] {
        assert!(!back(to, from, others), "{from} → {to}, {others} others");
    }
}

#[test]
fn closings_safety_and_down_are_broadcast() {
    use RepairStatus::{InProgress, New, Resolved};
    let down = |mut change: ChangeSet| {
        change.repair.severity = Some(Severity::Down);
        change
    };
    let degraded = |mut change: ChangeSet| {
        change.repair.severity = Some(Severity::Degraded);
        change
    };
    let risky = |mut change: ChangeSet| {
        change.repair.safety_risk = true;
        degraded(change)
    };
    for (change, expected) in [
        (degraded(edited(&[status(Resolved)], New)), true),
        (down(edited(&[status(New)], Resolved)), true),
        (risky(edited(&[status(InProgress)], Resolved)), true),
        (degraded(edited(&[status(New)], Resolved)), false),
        (risky(edited(&[status(InProgress)], New)), false),
        (degraded(edited(&[FieldValue::SafetyRisk(true)], New)), true),
        (down(edited(&[severity()], New)), true),
        (degraded(edited(&[severity()], New)), false),
        (down(edited(&[eta(), assignee(), status(InProgress)], New)), false),
        (degraded(edited(&[eta(), status(Resolved)], New)), true),
        (down(created()), true),
        (degraded(created()), false),
    ] {
        assert_eq!(event(&change, ON).unwrap().is_broadcast(), expected, "{change:?}");
    }
}

#[test]
fn events_of_earlier_releases_are_still_read() {
    let old = json!({
        "event": "new_report", "id": 7, "version": 1, "equipment_id": 3, "equipment": "Table saw",
        "area": "Wood shop", "description": "Blade wobbles", "severity": "Down", "status": "New",
        "reporter": "Ana", "assignee": null, "eta": null, "safety_risk": false, "consumable": false,
    });
    assert_eq!(serde_json::from_value::<Event>(old).unwrap(), Event::NewReport(snapshot()));
    let change = edited(&[status(RepairStatus::Resolved), eta()], RepairStatus::New);
    let event = event(&change, ON).unwrap();
    assert_eq!(serde_json::from_str::<Event>(&json!(event).to_string()).unwrap(), event);
}
