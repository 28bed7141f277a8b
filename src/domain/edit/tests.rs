//! Rules one by one, and the property that two editors lose nothing in any interleaving.

use super::*;
use crate::domain::field::tests::{fields, person};
use crate::domain::repair::Severity;
use chrono::NaiveDate;
use proptest::prelude::*;

const REPAIR: RepairId = RepairId(7);

fn note() -> Option<Note> {
    Some(Note::parse("Done").unwrap())
}

fn edit(values: impl Into<Vec<FieldValue>>, note: Option<Note>) -> RepairEdit {
    RepairEdit { version: 1, values: values.into(), note }
}

fn run(
    before: &RepairFields,
    later: &[InterveningChange],
    edit: &RepairEdit,
) -> Result<Vec<Change>, EditError> {
    let links =
        HashMap::from([(RepairId(8), RepairId(9)), (RepairId(9), REPAIR), (RepairId(10), RepairId(11))]);
    let duplicates = Duplicates { same_equipment: true, links };
    plan(EditContext { id: REPAIR, fields: before, later, duplicates: &duplicates }, edit)
}

#[track_caller]
fn lines(changes: &[Change]) -> Vec<String> {
    changes
        .iter()
        .map(|change| match change {
            Change::Created => "created".into(),
            Change::Field { from, to } => format!(
                "{}: {} → {}",
                from.field().name(),
                from.text().unwrap_or_default(),
                to.text().unwrap_or_default()
            ),
            Change::Photo { photo, .. } => format!("photo {photo}"),
            Change::Note { text, .. } => format!("note: {}", text.as_ref().map_or("", Note::as_str)),
        })
        .collect()
}

#[track_caller]
fn accepts(before: &RepairFields, edit: &RepairEdit, expected: &[&str]) {
    assert_eq!(lines(&run(before, &[], edit).unwrap()), expected);
}

#[track_caller]
fn refuses(before: &RepairFields, edit: &RepairEdit, field: &str, words: &str) {
    match run(before, &[], edit) {
        Err(EditError::Refused(refusal)) => {
            assert_eq!(refusal.field, Some(field));
            assert!(refusal.message.contains(words), "{}", refusal.message);
        }
        other => panic!("not refused: {other:?}"),
    }
}

#[test]
fn every_field_is_editable_same_value_is_ignored() {
    let before = fields();
    let values = [
        (FieldValue::Status(RepairStatus::InProgress), "status: New → In Progress"),
        (FieldValue::Assignee(Some(person(2, "sam"))), "assignee:  → sam"),
        (FieldValue::Severity(None), "severity: Down → "),
        (FieldValue::Eta(NaiveDate::from_ymd_opt(2026, 3, 9)), "eta:  → 2026-03-09"),
        (FieldValue::SpecialistDescription(" Gas ".into()), "specialist_description:  → Gas"),
        (FieldValue::SafetyRisk(true), "safety_risk: no → yes"),
        (FieldValue::Consumable(true), "consumable: no → yes"),
        (FieldValue::Description("Belt".into()), "description: Blade wobbles → Belt"),
    ];
    for (value, expected) in values {
        accepts(&before, &edit([value], None), &[expected]);
    }
    let same: Vec<FieldValue> = Field::ALL.into_iter().map(|field| before.get(field)).collect();
    accepts(&before, &edit(same.clone(), None), &[]);
    accepts(&before, &edit(same, note()), &["note: Done"]);
    accepts(&before, &edit([], None), &[]);
}

#[test]
fn resolve_requires_note_and_any_transition_is_allowed() {
    for &from in RepairStatus::ALL {
        for &to in RepairStatus::ALL {
            let mut before = fields();
            before.status = from;
            before.duplicate_of = (from == RepairStatus::Duplicate).then_some(RepairId(3));
            let target = FieldValue::DuplicateOf(Some(RepairId(3)));
            let changes = run(&before, &[], &edit([FieldValue::Status(to), target.clone()], note())).unwrap();
            assert_eq!(changes.len() > 1, from != to, "{from} → {to}: {changes:?}");
            let without = run(&before, &[], &edit([FieldValue::Status(to), target], None));
            assert_eq!(without.is_err(), to == RepairStatus::Resolved && from != to, "{from} → {to}");
        }
    }
    refuses(&fields(), &edit([FieldValue::Status(RepairStatus::Resolved)], None), "note", "what was done");
}

#[test]
fn duplicate_links_same_equipment_until_status_changes() {
    let before = fields();
    let close = |target: Option<i64>| {
        edit(
            [FieldValue::Status(RepairStatus::Duplicate), FieldValue::DuplicateOf(target.map(RepairId))],
            None,
        )
    };
    refuses(&before, &close(None), "duplicate_of", "original repair");
    refuses(
        &before,
        &edit([FieldValue::Status(RepairStatus::Duplicate)], None),
        "duplicate_of",
        "original repair",
    );
    refuses(&before, &close(Some(7)), "duplicate_of", "of itself");
    for circle in [8, 9] {
        refuses(&before, &close(Some(circle)), "duplicate_of", "itself a duplicate of this one");
    }
    accepts(&before, &close(Some(10)), &["status: New → Closed - Duplicate", "duplicate_of:  → 10"]);
    let elsewhere = Duplicates::default();
    let context = EditContext { id: REPAIR, fields: &before, later: &[], duplicates: &elsewhere };
    assert!(matches!(plan(context, &close(Some(3))), Err(EditError::Refused(_))));

    let mut duplicate = fields();
    duplicate.status = RepairStatus::Duplicate;
    duplicate.duplicate_of = Some(RepairId(3));
    let reopened = ["status: Closed - Duplicate → New", "duplicate_of: 3 → "];
    accepts(&duplicate, &edit([FieldValue::Status(RepairStatus::New)], None), &reopened);
    let with_link = [FieldValue::Status(RepairStatus::New), FieldValue::DuplicateOf(Some(RepairId(10)))];
    accepts(&duplicate, &edit(with_link, None), &reopened);
    accepts(&duplicate, &close(Some(10)), &["duplicate_of: 3 → 10"]);
    refuses(&duplicate, &close(None), "duplicate_of", "original repair");
    accepts(&before, &edit([FieldValue::DuplicateOf(Some(RepairId(7)))], None), &[]);
}

#[test]
fn text_limits_apply_to_touched_fields_only() {
    let long = "x".repeat(3001);
    refuses(&fields(), &edit([FieldValue::Description(long.clone())], None), "description", "3000");
    refuses(
        &fields(),
        &edit([FieldValue::Description("\u{200b}".into())], None),
        "description",
        "fill this in",
    );
    let specialist = FieldValue::SpecialistDescription(long.clone());
    refuses(&fields(), &edit([specialist.clone()], None), "specialist_description", "3000");
    let mut imported = fields();
    imported.specialist_description = format!("{long}\r\n");
    imported.description.clone_from(&long);
    accepts(&imported, &edit([specialist, FieldValue::Description(long)], None), &[]);
    let gone = run(&imported, &[], &edit([FieldValue::SpecialistDescription(" ".into())], None)).unwrap();
    assert_eq!(gone.len(), 1);
}

#[test]
fn claiming_takes_what_is_open() {
    let me = || person(2, "sam");
    for &status in RepairStatus::ALL {
        let mut before = fields();
        before.status = status;
        before.duplicate_of = (status == RepairStatus::Duplicate).then_some(RepairId(3));
        let Ok(values) = claim(&before, me()) else {
            assert!(!status.is_open(), "{status}");
            continue;
        };
        let changes = lines(&run(&before, &[], &edit(values, None)).unwrap());
        match status {
            RepairStatus::New => assert_eq!(changes, ["status: New → Assigned", "assignee:  → sam"]),
            _ => assert_eq!(changes, ["assignee:  → sam"]),
        }
    }
    assert!(may_begin(RepairStatus::Duplicate).is_err() && may_begin(RepairStatus::Resolved).is_ok());
}

/// Another person's change of the severity from Down.
fn by_bo(to: Option<Severity>) -> InterveningChange {
    let old = FieldValue::Severity(Some(Severity::Down));
    InterveningChange { old, new: FieldValue::Severity(to), by: "Bo".into() }
}

#[test]
fn conflict_names_author_and_value() {
    let mut now = fields();
    now.severity = Some(Severity::Degraded);
    let later = [by_bo(Some(Severity::Degraded))];
    let severity = |severity| edit([FieldValue::Severity(severity)], None);
    let Err(EditError::Conflicts(conflicts)) = run(&now, &later, &severity(None)) else {
        panic!("no conflict");
    };
    assert!(conflicts[0].message().starts_with("Bo set the severity to “Degraded”"), "{conflicts:?}");
    // Not touched: Bo's change stays. The same: nothing to do.
    assert_eq!(run(&now, &later, &severity(Some(Severity::Down))), Ok(vec![]));
    assert_eq!(run(&now, &later, &severity(Some(Severity::Degraded))), Ok(vec![]));
    // Bo reverted it.
    now.severity = Some(Severity::Down);
    let back = InterveningChange {
        old: FieldValue::Severity(Some(Severity::Degraded)),
        new: FieldValue::Severity(Some(Severity::Down)),
        by: "Bo".into(),
    };
    let both = [later[0].clone(), back];
    assert_eq!(lines(&run(&now, &both, &severity(None)).unwrap()), ["severity: Down → "]);
    now.severity = None;
    let Err(EditError::Conflicts(conflicts)) = run(&now, &[by_bo(None)], &severity(Some(Severity::NotSure)))
    else {
        panic!("no conflict");
    };
    assert!(conflicts[0].message().starts_with("Bo cleared the severity"), "{conflicts:?}");
}

/// A repair with its history, as the database stores it.
struct House {
    fields: RepairFields,
    past: Vec<InterveningChange>,
    /// Number of entries at each version; versions begin with 0 here.
    at: Vec<usize>,
    seen: Vec<RepairFields>,
}

impl House {
    fn new() -> Self {
        Self { fields: fields(), past: Vec::new(), at: vec![0], seen: vec![fields()] }
    }

    fn send(&mut self, by: &str, version: usize, values: Vec<FieldValue>) -> Result<(), EditError> {
        let later = &self.past[self.at[version]..];
        let changes = run(&self.fields, later, &edit(values, note()))?;
        for change in changes {
            let Change::Field { from, to } = change else { continue };
            self.fields.set(to.clone());
            self.past.push(InterveningChange { old: from, new: to, by: by.into() });
        }
        if self.past.len() > self.at[self.at.len() - 1] {
            self.at.push(self.past.len());
            self.seen.push(self.fields.clone());
        }
        Ok(())
    }
}

fn value() -> impl Strategy<Value = FieldValue> {
    prop_oneof![
        prop::sample::select(&RepairStatus::ALL[..9]).prop_map(FieldValue::Status),
        prop::option::of(1..4i64).prop_map(|id| FieldValue::Assignee(id.map(|id| person(id, "someone")))),
        prop::option::of(prop::sample::select(Severity::ALL)).prop_map(FieldValue::Severity),
        any::<bool>().prop_map(FieldValue::SafetyRisk),
        "[ab]{1,2}".prop_map(FieldValue::Description),
    ]
}

proptest! {
    #[test]
    fn two_editors_in_any_interleaving_lose_nothing(
        steps in prop::collection::vec((any::<bool>(), any::<bool>(), prop::collection::vec(value(), 0..5)), 1..12)
    ) {
        let mut house = House::new();
        let mut loaded = [0usize, 0];
        for (who, reload, values) in steps {
            let (editor, by) = (usize::from(who), if who { "Bo" } else { "Ana" });
            if reload {
                loaded[editor] = house.at.len() - 1;
            }
            let saw = house.seen[loaded[editor]].clone();
            // A form sends every field: typed ones, and the others as shown.
            let mut form = saw.clone();
            values.into_iter().for_each(|value| form.set(value));
            let brought: Vec<FieldValue> = Field::ALL.into_iter().map(|field| form.get(field)).collect();
            let before = house.fields.clone();
            let outcome = house.send(by, loaded[editor], brought);
            for field in Field::ALL {
                let (saw, wants, was, is) = (saw.get(field), form.get(field), before.get(field), house.fields.get(field));
                let (mine, theirs) = (!wants.means(&saw), !was.means(&saw));
                match &outcome {
                    // My value is there, and replaced nothing that I had not seen.
                    Ok(()) if mine => prop_assert!(is.means(&wants) && (!theirs || was.means(&wants))),
                    Ok(()) => prop_assert!(is.means(&was)),
                    Err(EditError::Conflicts(conflicts)) => {
                        prop_assert!(is.means(&was));
                        let named = conflicts.iter().any(|conflict| conflict.field == field);
                        prop_assert_eq!(named, mine && theirs && !was.means(&wants));
                    }
                    Err(refused) => prop_assert!(false, "{refused:?}"),
                }
            }
        }
    }
}
