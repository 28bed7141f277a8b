//! A rejected form on its error page: what was typed, ready to be sent again. Field names decide which fields are
//! secret, hidden or check boxes; all other fields are text.

use crate::domain::setting::{Kind, Setting};
use serde::Serialize;

/// Fields whose values are never shown again.
const SECRET: &[&str] = &["password", "current", "repeated", "code"];
/// Fields without meaning for a reader: record ids, and a form's hidden fields.
const HIDDEN: &[&str] = &[
    "request_id",
    "version",
    "next",
    "do",
    "note_id",
    "equipment",
    "area",
    "assignee",
    "action",
    "archived",
    "person",
];
/// Check boxes, except those of settings.
const TICKS: &[&str] = &["safety_risk", "consumable", "show_here", "wifi_password_forget"];
/// The token, which is replaced, and the honeypot field.
const DROPPED: &[&str] = &["csrf_token", "website"];
/// Labels that are not derived from the field's name.
const LABELS: &[(&str, &str)] = &[
    ("reporter_name", "Your name"),
    ("reporter_email", "E-mail"),
    ("email", "E-mail"),
    ("eta", "ETA"),
    ("url", "Address"),
    ("duplicate_of", "Duplicate of repair"),
    ("specialist_description", "What a specialist is needed for"),
    ("current", "Current password"),
    ("repeated", "New password, again"),
    ("wifi_ssid", "WiFi name"),
    ("wifi_password", "WiFi password"),
];
/// Longest value in characters that is shown as plain text; longer ones can be edited.
const LINE_MAX: usize = 60;
/// In characters.
const LABEL_MAX: usize = 60;

/// How a field is shown again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FieldKind {
    Text,
    Tick,
    Hidden,
    Secret,
    Dropped,
}

fn kind_of(name: &str) -> FieldKind {
    let setting = Setting::of(name).map(|setting| setting.kind);
    if DROPPED.contains(&name) {
        FieldKind::Dropped
    } else if SECRET.contains(&name) || matches!(setting, Some(Kind::Secret { .. })) {
        FieldKind::Secret
    } else if TICKS.contains(&name) || matches!(setting, Some(Kind::Switch { .. })) {
        FieldKind::Tick
    } else if HIDDEN.contains(&name) {
        FieldKind::Hidden
    } else {
        FieldKind::Text
    }
}

/// True if a person typed or chose this value, so that its loss matters.
pub fn is_typed(name: &str, value: &str) -> bool {
    matches!(kind_of(name), FieldKind::Text | FieldKind::Tick) && !value.trim().is_empty()
}

/// Files that must be chosen again.
#[derive(Debug, Clone)]
pub struct ResubmitFiles {
    pub name: &'static str,
    /// Value of `accept`.
    pub accept: String,
    /// More than one file is accepted.
    pub several: bool,
    /// Some were sent, and were dropped.
    pub were_sent: bool,
}

#[derive(Debug)]
pub struct ResubmitForm<'a> {
    /// The address that the form was sent to.
    pub action: &'a str,
    /// May be empty.
    pub csrf_token: &'a str,
    /// Names and values as sent.
    pub fields: Vec<(&'a str, &'a str)>,
    /// The last value is incomplete.
    pub is_cut: bool,
    /// If the form takes files.
    pub files: Option<ResubmitFiles>,
}

/// The form as the template uses it.
#[derive(Debug, Serialize)]
pub(super) struct Shown<'a> {
    action: &'a str,
    csrf_token: &'a str,
    hidden: Vec<HiddenField<'a>>,
    inputs: Vec<Input<'a>>,
    is_cut: bool,
    files: Option<FilesShown<'a>>,
}

#[derive(Debug, Serialize)]
struct HiddenField<'a> {
    name: &'a str,
    value: &'a str,
}

/// One field that a person reads. Only secret and long ones are inputs; the others are sent as hidden fields.
#[derive(Debug, Serialize)]
struct Input<'a> {
    id: usize,
    name: &'a str,
    label: String,
    value: &'a str,
    is_secret: bool,
    is_long: bool,
}

#[derive(Debug, Serialize)]
struct FilesShown<'a> {
    name: &'a str,
    accept: &'a str,
    several: bool,
    were_sent: bool,
}

impl<'a> From<&'a ResubmitForm<'a>> for Shown<'a> {
    fn from(form: &'a ResubmitForm<'a>) -> Self {
        let (mut hidden, mut inputs) = (Vec::new(), Vec::new());
        for (id, &(name, value)) in form.fields.iter().enumerate() {
            let kind = kind_of(name);
            let is_long = value.contains('\n') || value.chars().nth(LINE_MAX).is_some();
            let is_secret = kind == FieldKind::Secret;
            let is_text = kind == FieldKind::Text;
            if kind == FieldKind::Dropped {
                continue;
            }
            if !is_secret && (!is_text || !is_long) {
                hidden.push(HiddenField { name, value });
            }
            let shown = match kind {
                FieldKind::Tick if !value.is_empty() => "Yes",
                FieldKind::Text if !value.trim().is_empty() => value,
                FieldKind::Secret => "",
                _ => continue,
            };
            let label = label(name);
            inputs.push(Input { id, name, label, value: shown, is_secret, is_long: is_text && is_long });
        }
        let files = form.files.as_ref().map(|files| FilesShown {
            name: files.name,
            accept: &files.accept,
            several: files.several,
            were_sent: files.were_sent,
        });
        Self { action: form.action, csrf_token: form.csrf_token, hidden, inputs, is_cut: form.is_cut, files }
    }
}

/// The label of a field.
fn label(name: &str) -> String {
    if let Some((_, label)) = LABELS.iter().find(|(known, _)| *known == name) {
        return (*label).to_owned();
    }
    let words: String = name.chars().map(|c| if c == '_' { ' ' } else { c }).take(LABEL_MAX).collect();
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::html::every_page;

    /// Names and elements of all inputs of all POST forms.
    fn inputs() -> Vec<(String, String)> {
        let pages = every_page::pages("x");
        let forms = pages.iter().flat_map(|page| page.split("<form ").skip(1));
        let posted = forms.filter(|form| {
            let head = form.split('>').next().unwrap();
            head.contains("method=\"post\"") && !head.contains("resubmit")
        });
        let elements = posted.flat_map(|form| form.split("</form>").next().unwrap().split('<'));
        let kinds = ["input ", "select ", "textarea ", "button "];
        elements
            .filter(|element| kinds.iter().any(|kind| element.starts_with(kind)))
            .filter_map(|element| {
                let name = element.split("name=\"").nth(1)?.split('"').next()?;
                Some((name.to_owned(), element.split('>').next()?.to_owned()))
            })
            .collect()
    }

    #[test]
    fn password_and_hidden_inputs_are_known() {
        let inputs = inputs();
        assert!(inputs.len() > 50, "{}", inputs.len());
        for (name, element) in inputs.into_iter().filter(|(name, _)| name != "x") {
            let kind = kind_of(&name);
            if element.contains("type=\"password\"") {
                assert_eq!(kind, FieldKind::Secret, "{name}");
            }
            if element.contains("type=\"hidden\"") || element.starts_with("button") {
                assert!(matches!(kind, FieldKind::Hidden | FieldKind::Dropped), "{name}");
            }
            if element.contains("type=\"checkbox\"") {
                assert_eq!(kind, FieldKind::Tick, "{name}");
            }
        }
        assert_eq!(kind_of("wifi_password"), FieldKind::Secret);
        assert_eq!(kind_of("notify_resolved"), FieldKind::Tick);
        assert_eq!(kind_of("description"), FieldKind::Text);
    }

    #[test]
    fn each_field_is_resent_once_without_secrets() {
        let long = "x".repeat(LINE_MAX + 1);
        let form = ResubmitForm {
            action: "/somewhere",
            csrf_token: "fresh",
            fields: vec![
                ("csrf_token", "old"),
                ("request_id", "0123456789abcdef"),
                ("description", "two\nlines"),
                ("reporter_name", "Ana"),
                ("safety_risk", "1"),
                ("note", ""),
                ("text", &long),
                ("password", "hunter2hunter2"),
                ("website", "spam"),
            ],
            is_cut: false,
            files: None,
        };
        let shown = Shown::from(&form);
        let hidden: Vec<_> = shown.hidden.iter().map(|field| (field.name, field.value)).collect();
        assert_eq!(
            hidden,
            [
                ("request_id", "0123456789abcdef"),
                ("reporter_name", "Ana"),
                ("safety_risk", "1"),
                ("note", "")
            ]
        );
        let inputs: Vec<_> =
            shown.inputs.iter().map(|input| (&*input.label, input.value, input.is_long)).collect();
        assert_eq!(
            inputs,
            [
                ("Description", "two\nlines", true),
                ("Your name", "Ana", false),
                ("Safety risk", "Yes", false),
                ("Text", &*long, true),
                ("Password", "", false)
            ]
        );
        assert!(is_typed("description", "x") && !is_typed("password", "x") && !is_typed("version", "1"));
    }
}
