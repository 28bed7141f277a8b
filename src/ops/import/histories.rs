//! Timelines and the audit log, copied with their original names and times.

use super::convert::{RowReader, made};
use super::run::Run;
use super::{AUDIT_COPIED, Tally};
use crate::domain::field::Field;
use crate::domain::ids::{RepairId, TimelineId, UserId};
use crate::domain::repair::RepairStatus;
use crate::domain::text::cut;
use crate::domain::timeline::TimelineKind;
use crate::ops::OpError;
use crate::store::audit::{self, Copied};
use crate::store::legacy::Row;
use crate::store::legacy::tables::{AUDIT, TIMELINE};
use crate::store::settings;
use crate::store::timeline::{self, Entry};
use serde_json::{Map, Value};

/// Name of an actor without a name.
const SOMEBODY: &str = "Somebody";
/// Most characters of an audit entry's action and noun (the columns' size).
const ACTION_MAX: usize = 64;
const NOUN_MAX: usize = 32;

impl Run<'_> {
    /// The author of a row: the name at that time, and the account.
    pub(super) fn author(&self, reader: &mut RowReader<'_>) -> (String, Option<UserId>) {
        let account = reader.row.number("author_id").ok().flatten();
        let account = account.and_then(|old| self.known.users.get(&old));
        let name = match reader.name("author_name") {
            none if none.is_empty() => account.map_or(SOMEBODY, |account| &account.name).to_owned(),
            name => name,
        };
        (name, account.map(|account| account.id))
    }
}

pub(super) async fn timeline(run: &mut Run<'_>) -> Result<Tally, OpError> {
    let mut pages = run.begin(TIMELINE).await?;
    while let Some(page) = pages.next(run).await? {
        let mut new = Vec::new();
        for row in &run.split_page::<Entry>(page).await?.new {
            let repair = row.number("repair_record_id").ok().flatten().map(RepairId);
            let Some(repair) = repair.filter(|repair| run.known.repairs.contains_key(repair)) else {
                run.skip(row, "", "its repair was not copied");
                continue;
            };
            let mut reader = RowReader::new(row);
            let entry = entry(run, &mut reader, repair);
            run.report_copied("", &reader);
            new.push(entry);
        }
        run.write(!new.is_empty(), async |tx| timeline::copy(tx, new.clone()).await).await?;
    }
    Ok(run.end())
}

fn entry(run: &Run<'_>, reader: &mut RowReader<'_>, repair: RepairId) -> Entry {
    let (actor_name, actor_user_id) = run.author(reader);
    let (old, new) = (value(reader.row, "old_value"), value(reader.row, "new_value"));
    let content = Some(reader.long("content")).filter(|content| !content.is_empty());
    let (kind, old, new) = match reader.row.text("entry_type").unwrap_or_default() {
        // Every repair began as New; the entry's content is the description.
        "creation" => (TimelineKind::Created, None, Some(RepairStatus::New.word().to_owned())),
        "note" => (TimelineKind::Note, None, content),
        "status_change" => (TimelineKind::Status, old, new),
        "assignee_change" => (TimelineKind::Assignee, old, new),
        "eta_update" => (TimelineKind::Eta, old, new),
        "duplicated_repair_id_change" => (TimelineKind::DuplicateOf, old, new),
        // Photos keep their ids, so the content stays valid.
        "photo" => (TimelineKind::Photo, None, content),
        other => {
            reader.report("entry_type", other, "is unknown and becomes a note");
            (TimelineKind::Note, None, Some(in_words(other, old, new, content)))
        }
    };
    let user = |name: &Option<String>| match Field::of(kind) {
        Some(Field::Assignee) => name.as_deref().and_then(|name| run.known.named(name)),
        _ => None,
    };
    Entry {
        id: TimelineId(reader.row.id),
        repair_id: repair,
        kind,
        actor_name,
        actor_user_id,
        version: 1,
        old_user_id: user(&old),
        new_user_id: user(&new),
        old_value: old,
        new_value: new,
        supersedes: None,
        created_at: reader.made(),
    }
}

fn value(row: &Row, column: &str) -> Option<String> {
    row.text(column).map(|value| value.replace('\0', "")).filter(|value| !value.is_empty())
}

/// The text of an entry of an unknown kind.
fn in_words(kind: &str, old: Option<String>, new: Option<String>, content: Option<String>) -> String {
    let change = match (old, new) {
        (None, None) => None,
        (old, new) => Some(format!("{} → {}", old.unwrap_or("—".into()), new.unwrap_or("—".into()))),
    };
    let said: Vec<String> = change.into_iter().chain(content).collect();
    format!("{}: {}", kind.replace('_', " "), said.join("\n"))
}

/// Audit entries get new ids. The settings store the id of the last one copied.
pub(super) async fn audit(run: &mut Run<'_>) -> Result<Tally, OpError> {
    let stored = settings::stored(run.ctx.store.read()).await?;
    let copied_to = stored.get(AUDIT_COPIED).and_then(|id| id.parse().ok()).unwrap_or(0);
    let mut pages = run.begin(AUDIT).await?.after(copied_to);
    let mut last_id = 0;
    while let Some(page) = pages.next(run).await? {
        let mut new = Vec::new();
        for row in &page {
            new.push(audit_entry(run, row));
            last_id = row.id;
            run.count_copied();
        }
        let now = run.ctx.clock.now();
        run.write(true, async |tx| {
            audit::copy(tx, new.clone()).await?;
            settings::set(tx, AUDIT_COPIED, &last_id.to_string(), now).await
        })
        .await?;
    }
    run.count_rest_as_existing();
    Ok(run.end())
}

fn audit_entry(run: &Run<'_>, row: &Row) -> Copied {
    let noun = match row.text("entity_type").unwrap_or_default() {
        "repair_record" => "repair".to_owned(),
        other => cut(other, NOUN_MAX),
    };
    let action = cut(&format!("{noun}.{}", row.text("action").unwrap_or_default()), ACTION_MAX);
    let user = row.number("user_id").ok().flatten().and_then(|old| run.known.users.get(&old));
    let (old, new) = row.text("changes").map_or((None, None), changes);
    Copied {
        action,
        noun,
        noun_id: row.number("entity_id").ok().flatten().unwrap_or_default(),
        actor_name: user.map_or(SOMEBODY, |user| &user.name).to_owned(),
        actor_user_id: user.map(|user| user.id),
        old,
        new,
        created_at: made(row),
    }
}

/// Values before and after. The Python system writes `{"field": [before, after]}` for a change and
/// `{"field": value}` for a new row.
fn changes(text: &str) -> (Option<Value>, Option<Value>) {
    let text = text.replace('\0', "");
    let fields = match serde_json::from_str(&text) {
        Ok(Value::Object(fields)) => fields,
        Ok(Value::Null) => return (None, None),
        Ok(other) => return (None, Some(other)),
        Err(_) => return (None, Some(Value::String(text))),
    };
    let (mut before, mut after) = (Map::new(), Map::new());
    for (field, value) in fields {
        match value {
            Value::Array(pair) if pair.len() == 2 => {
                let mut pair = pair.into_iter();
                before.extend(pair.next().map(|old| (field.clone(), old)));
                after.extend(pair.next().map(|new| (field, new)));
            }
            value => {
                after.insert(field, value);
            }
        }
    }
    ((!before.is_empty()).then_some(Value::Object(before)), Some(Value::Object(after)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn audit_changes_and_creations_are_distinguished() {
        for (text, old, new) in [
            (
                r#"{"status": ["New", "Resolved"], "note": [null, "Done"]}"#,
                Some(json!({"status": "New", "note": null})),
                Some(json!({"status": "Resolved", "note": "Done"})),
            ),
            (r#"{"note": "Belt"}"#, None, Some(json!({"note": "Belt"}))),
            ("null", None, None),
            ("[1]", None, Some(json!([1]))),
            ("{half", None, Some(json!("{half"))),
        ] {
            assert_eq!(changes(text), (old, new), "{text}");
        }
    }

    #[test]
    fn unknown_timeline_entry_becomes_text() {
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(
            in_words("severity_change", some("Down"), None, some("So")),
            "severity change: Down → —\nSo"
        );
        assert_eq!(in_words("photo", None, None, some("12")), "photo: 12");
    }
}
