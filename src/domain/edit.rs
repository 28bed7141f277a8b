//! Edits of a repair: which fields the person touched, what others changed since, and the rules (spec "Rules of a
//! repair"). Pure; `ops::repairs::update_repair` reads and writes.

use crate::domain::change::Change;
use crate::domain::field::{Field, FieldValue, Person, RepairFields};
use crate::domain::ids::RepairId;
use crate::domain::refusal::Refusal;
use crate::domain::repair::RepairStatus;
use crate::domain::text::{Description, Note, SpecialistDescription, TextError, cut};
use std::collections::HashMap;

/// Most characters of a text in a conflict message.
const SHOWN_MAX: usize = 300;

/// A requested edit of a repair. Fields without a value stay unchanged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepairEdit {
    /// The version that the person saw.
    pub version: i64,
    /// The values of the form, changed or not; each field at most once.
    pub values: Vec<FieldValue>,
    pub note: Option<Note>,
}

/// A change after the version of an edit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InterveningChange {
    pub old: FieldValue,
    pub new: FieldValue,
    pub by: String,
}

/// The facts that the rules on duplicates need.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Duplicates {
    /// The requested original is a repair of the same machine.
    pub same_equipment: bool,
    /// The duplicates of the machine, and the original of each.
    pub links: HashMap<RepairId, RepairId>,
}

/// The current state of a repair.
#[derive(Debug, Clone, Copy)]
pub struct EditContext<'a> {
    pub id: RepairId,
    pub fields: &'a RepairFields,
    /// The changes after the version of the edit, in order.
    pub later: &'a [InterveningChange],
    /// Set only if the edit names an original.
    pub duplicates: &'a Duplicates,
}

/// A field that two people changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    pub field: Field,
    pub by: String,
    pub now: FieldValue,
}

impl Conflict {
    /// The sentence for the person whose edit was rejected.
    pub fn message(&self) -> String {
        let (by, label) = (&self.by, self.field.label());
        let did = match self.now.text() {
            Some(text) => format!("{by} set the {label} to “{}”", cut(&text, SHOWN_MAX)),
            None => format!("{by} cleared the {label}"),
        };
        format!("{did} while you were editing. Submit again to overwrite it with yours.")
    }
}

/// The form of a rejected edit: fields that the person touched with their values, the others with current ones.
pub fn shown_again(context: EditContext<'_>, values: &[FieldValue]) -> RepairFields {
    let mut form = context.fields.clone();
    touched(context, values).into_iter().for_each(|value| form.set(value));
    form
}

/// Why an edit is rejected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EditError {
    /// A rule forbids it.
    Refused(Refusal),
    /// Another person changed the same fields to other values.
    Conflicts(Vec<Conflict>),
}

impl From<Refusal> for EditError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// The changes of an edit, in the order of the announcement; empty if it changes nothing.
///
/// A field is touched when it differs from its value at the edit's version: the old value of its first later entry,
/// else the current one. Untouched fields keep other people's changes.
///
/// # Errors
/// A rule forbids it, or another person changed a touched field to another value.
pub fn plan(context: EditContext<'_>, edit: &RepairEdit) -> Result<Vec<Change>, EditError> {
    let mut wanted = touched(context, &edit.values);
    let status = wanted.iter().find_map(|value| match value {
        FieldValue::Status(status) => Some(*status),
        _ => None,
    });
    let status = status.unwrap_or(context.fields.status);
    if status != RepairStatus::Duplicate {
        // A duplicate link applies to that status only: ignore it in a form with another status.
        wanted.retain(|value| value.field() != Field::DuplicateOf);
    }
    let conflicts: Vec<Conflict> = wanted.iter().filter_map(|value| conflict(context, value)).collect();
    if !conflicts.is_empty() {
        return Err(EditError::Conflicts(conflicts));
    }
    let mut after = context.fields.clone();
    for value in wanted {
        after.set(tidied(value)?);
    }
    if status != RepairStatus::Duplicate {
        after.duplicate_of = None;
    }
    check_rules(context, &after, edit.note.as_ref())?;
    let fields = Field::ALL.into_iter().map(|field| (context.fields.get(field), after.get(field)));
    let mut changes: Vec<Change> =
        fields.filter(|(from, to)| !from.means(to)).map(|(from, to)| Change::Field { from, to }).collect();
    changes.extend(edit.note.clone().map(|note| Change::Note { text: Some(note), supersedes: None }));
    Ok(changes)
}

/// The values that the person changed: those that differ from the value at the edit's version.
pub fn touched(context: EditContext<'_>, values: &[FieldValue]) -> Vec<FieldValue> {
    let seen = |field: Field| {
        let first = context.later.iter().find(|later| later.old.field() == field);
        first.map_or_else(|| context.fields.get(field), |later| later.old.clone())
    };
    values.iter().filter(|value| !value.means(&seen(value.field()))).cloned().collect()
}

/// Both changed it, to different values.
fn conflict(context: EditContext<'_>, wanted: &FieldValue) -> Option<Conflict> {
    let field = wanted.field();
    let now = context.fields.get(field);
    let mut later = context.later.iter().filter(|later| later.old.field() == field);
    let first = later.next()?;
    if now.means(&first.old) || now.means(wanted) {
        return None;
    }
    let by = later.next_back().unwrap_or(first).by.clone();
    Some(Conflict { field, by, now })
}

/// Checks the texts that a person touched; longer imported ones may stay.
fn tidied(value: FieldValue) -> Result<FieldValue, Refusal> {
    let on = |field: Field, error: TextError| Refusal::on(field.name(), error.to_string());
    let field = value.field();
    Ok(match value {
        FieldValue::Description(text) => {
            FieldValue::Description(Description::parse(&text).map_err(|e| on(field, e))?.into_string())
        }
        FieldValue::SpecialistDescription(text) => {
            FieldValue::SpecialistDescription(match SpecialistDescription::parse(&text) {
                Err(TextError::Empty) => String::new(),
                parsed => parsed.map_err(|e| on(field, e))?.into_string(),
            })
        }
        other => other,
    })
}

fn check_rules(context: EditContext<'_>, after: &RepairFields, note: Option<&Note>) -> Result<(), Refusal> {
    let before = context.fields;
    if after.status == RepairStatus::Resolved && before.status != after.status && note.is_none() {
        return Err(Refusal::on("note", "Please write a note about what was done."));
    }
    if after.status == RepairStatus::Duplicate {
        let is_new = before.status != after.status || before.duplicate_of != after.duplicate_of;
        return if is_new { validate_duplicate(context, after.duplicate_of) } else { Ok(()) };
    }
    Ok(())
}

/// The original must be another repair of the same machine, without a cycle.
fn validate_duplicate(context: EditContext<'_>, target: Option<RepairId>) -> Result<(), Refusal> {
    let on = |message: String| Err(Refusal::on(Field::DuplicateOf.name(), message));
    let Some(target) = target else {
        return on("Please choose the original repair.".into());
    };
    if target == context.id {
        return on("A repair cannot be a duplicate of itself. Please choose another one.".into());
    }
    if !context.duplicates.same_equipment {
        return on(format!("#{target} is no repair of this machine. Please choose one that is."));
    }
    let links = &context.duplicates.links;
    let mut next = Some(target);
    // Each step is another link unless there is already a cycle, which this bound ends.
    for _ in 0..=links.len() {
        match next {
            Some(repair) if repair == context.id => {
                return on(format!("#{target} is itself a duplicate of this one. Please keep one of them."));
            }
            Some(repair) => next = links.get(&repair).copied(),
            None => break,
        }
    }
    Ok(())
}

/// The edit of a claim: the assignee becomes `me`, and status New becomes Assigned.
///
/// # Errors
/// The repair is closed.
pub fn claim(fields: &RepairFields, me: Person) -> Result<Vec<FieldValue>, Refusal> {
    is_open(fields.status)?;
    let mut values = vec![FieldValue::Assignee(Some(me))];
    if fields.status == RepairStatus::New {
        values.push(FieldValue::Status(RepairStatus::Assigned));
    }
    Ok(values)
}

/// Checks that a repair is open.
///
/// # Errors
/// The repair is closed.
pub fn is_open(status: RepairStatus) -> Result<(), Refusal> {
    if !status.is_open() {
        let message = format!("This repair is closed ({status}). Reopen it first if there is more to do.");
        return Err(Refusal { field: None, message });
    }
    Ok(())
}

/// Checks the first status of a repair: any except `Closed - Duplicate`.
///
/// # Errors
/// The status is `Closed - Duplicate`.
pub fn may_begin(status: RepairStatus) -> Result<(), Refusal> {
    if status == RepairStatus::Duplicate {
        let message = "A new repair cannot be a duplicate. Create it first, then close it as a duplicate.";
        return Err(Refusal::on(Field::Status.name(), message));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
