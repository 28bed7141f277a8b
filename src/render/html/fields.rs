//! Input fields with their labels, hints and errors, and pages that are one form. `partials/fields` renders the
//! fields. Their names are those of the spec.

use super::controls::{Choice, ErrorLine, error_lines, error_of};
use super::{FieldError, Html};
use handlebars::RenderError;
use serde::Serialize;
use std::borrow::Cow;

/// The hidden fields of every form.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Hidden<'a> {
    pub csrf_token: &'a str,
    /// `None` if sending the form twice does no harm.
    pub request_id: Option<&'a str>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// An `input` of this type.
    Line(&'static str),
    Lines,
    /// Values and labels of a select.
    Choice(Vec<(String, String)>),
    Tick,
    File {
        /// Value of `accept`.
        accept: String,
        several: bool,
    },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    pub name: &'static str,
    pub label: &'static str,
    /// May be empty.
    pub hint: Cow<'static, str>,
    pub input: Input,
    /// Of a check box: empty or not.
    pub value: String,
    pub required: bool,
    /// Value of `autocomplete`.
    pub autocomplete: &'static str,
    /// Phones must not capitalize or correct it.
    pub verbatim: bool,
}

impl Field {
    /// A required field without a hint.
    pub fn new(name: &'static str, label: &'static str, input: Input, value: impl Into<String>) -> Self {
        let (value, hint) = (value.into(), "".into());
        Self { name, label, hint, input, value, required: true, autocomplete: "off", verbatim: false }
    }

    pub fn line(name: &'static str, label: &'static str, value: impl Into<String>) -> Self {
        Self::new(name, label, Input::Line("text"), value)
    }

    pub fn lines(name: &'static str, label: &'static str, value: impl Into<String>) -> Self {
        Self::new(name, label, Input::Lines, value)
    }

    pub fn email(value: impl Into<String>) -> Self {
        Self::new("email", "E-mail", Input::Line("email"), value).verbatim()
    }

    /// The value is never shown again.
    pub fn password(name: &'static str, label: &'static str, autocomplete: &'static str) -> Self {
        Self::new(name, label, Input::Line("password"), "").autocomplete(autocomplete).verbatim()
    }

    pub fn tick(name: &'static str, label: &'static str, is_ticked: bool) -> Self {
        Self::new(name, label, Input::Tick, if is_ticked { "1" } else { "" }).optional()
    }

    /// A select whose labels are its values.
    pub fn choice<T: ToString>(
        name: &'static str,
        label: &'static str,
        values: impl IntoIterator<Item = T>,
        value: impl Into<String>,
    ) -> Self {
        let values = values.into_iter().map(|value| (value.to_string(), value.to_string()));
        Self::new(name, label, Input::Choice(values.collect()), value)
    }

    pub fn optional(self) -> Self {
        Self { required: false, ..self }
    }

    pub fn hint(self, hint: impl Into<Cow<'static, str>>) -> Self {
        Self { hint: hint.into(), ..self }
    }

    pub fn autocomplete(self, autocomplete: &'static str) -> Self {
        Self { autocomplete, verbatim: true, ..self }
    }

    pub fn verbatim(self) -> Self {
        Self { verbatim: true, ..self }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// May be empty.
    pub legend: &'static str,
    pub fields: Vec<Field>,
}

#[derive(Debug)]
pub struct FormPage<'a> {
    pub title: &'a str,
    /// Shown first; may be empty.
    pub lead: &'a str,
    /// Path and label of the page to go back to; the path may be empty.
    pub back: (&'a str, &'a str),
    pub action: &'a str,
    pub hidden: Hidden<'a>,
    /// The version of the edited record.
    pub version: Option<i64>,
    /// Where to go after login; may be empty.
    pub next: &'a str,
    pub groups: &'a [Group],
    pub errors: &'a [FieldError],
    /// Label of the submit button.
    pub submit: &'a str,
    /// Confirmation of the last action; may be empty.
    pub done: &'a str,
    /// Shown below the button; may be empty.
    pub note: &'a str,
}

impl FormPage<'_> {
    pub const EMPTY: Self = Self {
        title: "",
        lead: "",
        back: ("", ""),
        action: "",
        hidden: Hidden { csrf_token: "", request_id: None },
        version: None,
        next: "",
        groups: &[],
        errors: &[],
        submit: "",
        done: "",
        note: "",
    };
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
    next: &'a str,
    groups: Vec<GroupShown<'a>>,
    errors: Vec<ErrorLine<'a>>,
    submit: &'a str,
    done: &'a str,
    note: &'a str,
}

#[derive(Serialize)]
struct GroupShown<'a> {
    legend: &'a str,
    fields: Vec<FieldShown<'a>>,
}

/// A field as templates use it.
#[derive(Debug, Serialize)]
pub(super) struct FieldShown<'a> {
    name: &'a str,
    label: &'a str,
    hint: &'a str,
    value: &'a str,
    error: Option<&'a str>,
    required: bool,
    autocomplete: &'a str,
    verbatim: bool,
    /// Value of `aria-describedby`.
    described: String,
    /// Type of an `input`.
    line: Option<&'static str>,
    lines: bool,
    tick: bool,
    /// Value of `accept`.
    file: Option<&'a str>,
    several: bool,
    choices: Vec<Choice>,
}

pub(super) fn fields_shown<'a>(fields: &'a [Field], errors: &'a [FieldError]) -> Vec<FieldShown<'a>> {
    fields.iter().map(|field| field_shown(field, errors)).collect()
}

fn group_shown<'a>(group: &'a Group, errors: &'a [FieldError]) -> GroupShown<'a> {
    GroupShown { legend: group.legend, fields: fields_shown(&group.fields, errors) }
}

fn field_shown<'a>(field: &'a Field, errors: &'a [FieldError]) -> FieldShown<'a> {
    let choices: &[(String, String)] = if let Input::Choice(choices) = &field.input { choices } else { &[] };
    let error = error_of(errors, field.name);
    let descriptions = [("hint", !field.hint.is_empty()), ("error", error.is_some())];
    let described = descriptions.iter().filter(|(_, is_shown)| *is_shown);
    let described: Vec<String> = described.map(|(what, _)| format!("{}-{what}", field.name)).collect();
    FieldShown {
        name: field.name,
        label: field.label,
        hint: &field.hint,
        value: &field.value,
        error,
        described: described.join(" "),
        required: field.required,
        autocomplete: field.autocomplete,
        verbatim: field.verbatim,
        line: if let Input::Line(kind) = field.input { Some(kind) } else { None },
        lines: field.input == Input::Lines,
        tick: field.input == Input::Tick,
        file: if let Input::File { accept, .. } = &field.input { Some(accept) } else { None },
        several: matches!(field.input, Input::File { several: true, .. }),
        choices: choices
            .iter()
            .map(|(value, label)| Choice::new(value, label, *value == field.value))
            .collect(),
    }
}

/// The list of errors of a form with these fields.
pub(super) fn field_errors<'a>(
    errors: &'a [FieldError],
    fields: impl IntoIterator<Item = &'a Field>,
) -> Vec<ErrorLine<'a>> {
    let fields: Vec<&Field> = fields.into_iter().collect();
    error_lines(errors, |name| fields.iter().find(|field| field.name == name).map(|field| field.label))
}

impl Html {
    pub fn form(&self, page: &FormPage<'_>) -> Result<String, RenderError> {
        let content = Form {
            title: page.title,
            lead: page.lead,
            back_path: page.back.0,
            back: page.back.1,
            action: page.action,
            hidden: page.hidden,
            version: page.version,
            next: page.next,
            groups: page.groups.iter().map(|group| group_shown(group, page.errors)).collect(),
            errors: field_errors(page.errors, page.groups.iter().flat_map(|group| &group.fields)),
            submit: page.submit,
            done: page.done,
            note: page.note,
        };
        let prefix = if page.errors.is_empty() { "" } else { "Error: " };
        self.page("form", &format!("{prefix}{}", page.title), &content)
    }
}
