//! Staff pages that are lists: areas and audit.

use super::Html;
use super::controls::{Choice, ErrorLine, Pager};
use super::fields::{Field, FieldShown, Hidden, field_errors, fields_shown};
use super::public_equipment::FieldError;
use super::times::Moment;
use crate::domain::ids::AreaId;
use crate::domain::zone::Zone;
use crate::views::records::{AreaRow, AreasView, AuditRow, AuditView};
use handlebars::RenderError;
use serde::Serialize;

#[derive(Debug)]
pub struct AreasPage<'a> {
    pub areas: &'a AreasView,
    pub hidden: Hidden<'a>,
    /// One idempotency key per area, in the order of the page.
    pub request_ids: &'a [String],
    pub fields: &'a [Field],
    /// Errors of a form that is shown again.
    pub errors: &'a [FieldError],
}

#[derive(Serialize)]
struct Areas<'a> {
    live: Vec<AreaShown<'a>>,
    archived: Vec<AreaShown<'a>>,
    fields: Vec<FieldShown<'a>>,
    errors: Vec<ErrorLine<'a>>,
    #[serde(flatten)]
    hidden: Hidden<'a>,
}

#[derive(Serialize)]
struct AreaShown<'a> {
    id: AreaId,
    name: &'a str,
    slack_channel: &'a str,
    sort_order: i64,
    version: i64,
    equipment: String,
    request_id: &'a str,
}

/// The filter of the audit, as typed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct AuditForm {
    pub who: String,
    pub noun: String,
    pub id: String,
    pub action: String,
    pub from: String,
    pub to: String,
}

impl AuditForm {
    /// As a query string.
    fn query(&self) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        let all = [
            ("who", &self.who),
            ("noun", &self.noun),
            ("id", &self.id),
            ("action", &self.action),
            ("from", &self.from),
            ("to", &self.to),
        ];
        query.extend_pairs(all.into_iter().filter(|(_, value)| !value.is_empty()));
        query.finish()
    }

    fn older(&self, than: i64) -> String {
        let query = self.query();
        let and = if query.is_empty() { "" } else { "&" };
        format!("/admin/audit?{query}{and}before={than}")
    }
}

#[derive(Serialize)]
struct Audit<'a> {
    filter: &'a AuditForm,
    is_set: bool,
    nouns: Vec<Choice>,
    entries: Vec<Entry<'a>>,
    query: String,
    pager: Option<Pager>,
    error: Option<&'a str>,
}

#[derive(Serialize)]
struct Entry<'a> {
    at: Moment,
    actor: &'a str,
    edge: &'a str,
    action: &'a str,
    noun: &'a str,
    noun_id: i64,
    changes: Vec<ChangeShown>,
}

#[derive(Serialize)]
struct ChangeShown {
    field: String,
    old: Option<String>,
    new: Option<String>,
}

pub const NOUNS: [&str; 10] =
    ["area", "equipment", "installation", "job", "link", "note", "repair", "settings", "token", "user"];

impl Html {
    pub fn areas(&self, page: &AreasPage<'_>) -> Result<String, RenderError> {
        let mut request_ids = page.request_ids.iter().map(String::as_str);
        let content = Areas {
            live: areas_shown(&page.areas.live, &mut request_ids),
            archived: areas_shown(&page.areas.archived, &mut request_ids),
            fields: fields_shown(page.fields, page.errors),
            errors: field_errors(page.errors, page.fields),
            hidden: page.hidden,
        };
        self.page("areas", "Areas", &content)
    }

    pub fn audit(
        &self,
        view: &AuditView,
        filter: &AuditForm,
        error: Option<&str>,
    ) -> Result<String, RenderError> {
        let content = Audit {
            is_set: *filter != AuditForm::default(),
            nouns: NOUNS.iter().map(|&word| Choice::new(word, word, filter.noun == word)).collect(),
            entries: view.entries.iter().map(|row| entry(row, &self.site.timezone)).collect(),
            query: filter.query(),
            pager: view.older_than.map(|id| Pager::older(filter.older(id))),
            filter,
            error,
        };
        self.page("audit", "Audit", &content)
    }
}

fn areas_shown<'a>(
    areas: &'a [AreaRow],
    request_ids: &mut impl Iterator<Item = &'a str>,
) -> Vec<AreaShown<'a>> {
    let shown = |area: &'a AreaRow| AreaShown {
        id: area.id,
        name: &area.name,
        slack_channel: &area.channel_shown,
        sort_order: area.sort_order,
        version: area.version,
        equipment: super::counted(usize::try_from(area.equipment).unwrap_or(0), "machine", "machines"),
        request_id: request_ids.next().unwrap_or_default(),
    };
    areas.iter().map(shown).collect()
}

fn entry<'a>(row: &'a AuditRow, zone: &Zone) -> Entry<'a> {
    Entry {
        at: Moment::new(row.created_at, zone),
        actor: &row.actor,
        edge: row.edge,
        action: &row.action,
        noun: &row.noun,
        noun_id: row.noun_id,
        changes: changes(row.old.as_deref(), row.new.as_deref()),
    }
}

/// Differences per field; a value that is not an object is shown whole.
fn changes(old: Option<&str>, new: Option<&str>) -> Vec<ChangeShown> {
    let read = |json: Option<&str>| match json.map(serde_json::from_str) {
        Some(Ok(serde_json::Value::Object(fields))) => fields,
        _ => serde_json::Map::new(),
    };
    let (old, new) = (read(old), read(new));
    let mut fields: Vec<&String> = new.keys().chain(old.keys()).collect();
    fields.sort();
    fields.dedup();
    let text = |value: &serde_json::Value| match value {
        serde_json::Value::String(text) => text.clone(),
        serde_json::Value::Null => String::new(),
        other => other.to_string(),
    };
    let change = |field: &String| ChangeShown {
        old: old.get(field).map(text).filter(|text| !text.is_empty()),
        new: new.get(field).map(text).filter(|text| !text.is_empty()),
        field: field.replace('_', " "),
    };
    fields.into_iter().map(change).filter(|change| change.old.is_some() || change.new.is_some()).collect()
}
