//! Forms over records that several people edit: fields in groups with their hints and errors, and the
//! version that was seen. What pages of few fields need is in `forms`. Names of fields are those of the spec.

use super::Html;
use super::forms::Hidden;
use super::public_equipment::FieldError;
use handlebars::RenderError;
use serde::Serialize;
use std::borrow::Cow;

/// How a field is filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// One line, of this type in HTML's words.
    Line(&'static str),
    /// Several lines.
    Lines,
    /// One of these: value and words.
    Choice(Vec<(String, String)>),
    /// Yes or no.
    Tick,
    /// Files.
    File {
        /// What browsers offer to choose.
        accept: String,
        /// More than one.
        several: bool,
    },
}

/// A field of a form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// What it is called.
    pub label: &'static str,
    /// What helps to fill it in; may be empty.
    pub hint: Cow<'static, str>,
    /// How it is filled in.
    pub input: Input,
    /// What is in it; of a tick anything but nothing.
    pub value: String,
    /// Nothing is no answer.
    pub required: bool,
}

/// Fields that belong together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// What they are about; may be empty.
    pub legend: &'static str,
    /// The fields.
    pub fields: Vec<Field>,
}

/// A page that is one form.
#[derive(Debug)]
pub struct FormPage<'a> {
    /// Its heading.
    pub title: &'a str,
    /// What to know before; may be empty.
    pub lead: &'a str,
    /// The page that it belongs to: its address and what it is called.
    pub back: (&'a str, &'a str),
    /// Where it is sent.
    pub action: &'a str,
    /// What it carries unseen.
    pub hidden: Hidden<'a>,
    /// The version of what it edits.
    pub version: Option<i64>,
    /// Its fields.
    pub groups: &'a [Group],
    /// Why it comes back.
    pub errors: &'a [FieldError],
    /// What the button says.
    pub submit: &'a str,
    /// What was done just now; may be empty.
    pub done: &'a str,
}

#[derive(Serialize)]
struct Form<'a> {
    title: &'a str,
    lead: &'a str,
    back_path: &'a str,
    back: &'a str,
    action: &'a str,
    #[serde(flatten)]
    hidden: Hidden<'a>,
    version: Option<i64>,
    groups: Vec<GroupShown<'a>>,
    errors: Vec<ErrorLine<'a>>,
    submit: &'a str,
    done: &'a str,
}

#[derive(Serialize)]
struct GroupShown<'a> {
    legend: &'a str,
    fields: Vec<FieldShown<'a>>,
}

/// A field as templates take it.
#[derive(Debug, Serialize)]
pub(super) struct FieldShown<'a> {
    name: &'a str,
    label: &'a str,
    hint: &'a str,
    value: &'a str,
    error: Option<&'a str>,
    required: bool,
    /// Type of an `input`.
    line: Option<&'static str>,
    lines: bool,
    tick: bool,
    /// What browsers offer to choose.
    file: Option<&'a str>,
    several: bool,
    choices: Vec<ChoiceShown<'a>>,
}

#[derive(Debug, Serialize)]
struct ChoiceShown<'a> {
    value: &'a str,
    words: &'a str,
    selected: bool,
}

/// A line of the list of what is wrong.
#[derive(Debug, Serialize)]
pub(super) struct ErrorLine<'a> {
    /// The input to jump to; nothing where it is the form as a whole.
    field: &'a str,
    label: &'a str,
    message: &'a str,
}

pub(super) fn fields_shown<'a>(fields: &'a [Field], errors: &'a [FieldError]) -> Vec<FieldShown<'a>> {
    fields.iter().map(|field| field_shown(field, errors)).collect()
}

fn field_shown<'a>(field: &'a Field, errors: &'a [FieldError]) -> FieldShown<'a> {
    let error = errors.iter().find(|error| error.field == Some(field.name));
    let choices: &[(String, String)] = if let Input::Choice(choices) = &field.input { choices } else { &[] };
    FieldShown {
        name: field.name,
        label: field.label,
        hint: &field.hint,
        value: &field.value,
        error: error.map(|error| error.message.as_str()),
        required: field.required,
        line: if let Input::Line(kind) = field.input { Some(kind) } else { None },
        lines: field.input == Input::Lines,
        tick: field.input == Input::Tick,
        file: if let Input::File { accept, .. } = &field.input { Some(accept) } else { None },
        several: matches!(field.input, Input::File { several: true, .. }),
        choices: choices
            .iter()
            .map(|(value, words)| ChoiceShown { value, words, selected: *value == field.value })
            .collect(),
    }
}

/// Why the form comes back, in the order in which it was found out.
pub(super) fn error_lines<'a>(errors: &'a [FieldError], fields: &[&'a Field]) -> Vec<ErrorLine<'a>> {
    let line = |error: &'a FieldError| {
        let field = fields.iter().find(|field| Some(field.name) == error.field);
        ErrorLine {
            field: field.map_or("", |field| field.name),
            label: field.map_or("", |field| field.label),
            message: &error.message,
        }
    };
    errors.iter().map(line).collect()
}

impl Html {
    /// A page that is one form.
    ///
    /// # Errors
    /// A template that does not fit its fields.
    pub fn form(&self, page: &FormPage<'_>) -> Result<String, RenderError> {
        let all: Vec<&Field> = page.groups.iter().flat_map(|group| &group.fields).collect();
        let content = Form {
            title: page.title,
            lead: page.lead,
            back_path: page.back.0,
            back: page.back.1,
            action: page.action,
            hidden: page.hidden,
            version: page.version,
            groups: page
                .groups
                .iter()
                .map(|group| GroupShown {
                    legend: group.legend,
                    fields: fields_shown(&group.fields, page.errors),
                })
                .collect(),
            errors: error_lines(page.errors, &all),
            submit: page.submit,
            done: page.done,
        };
        let title = if page.errors.is_empty() {
            page.title.to_owned()
        } else {
            format!("Not saved yet: {}", page.title)
        };
        self.page("record_form", &title, &content)
    }
}
