//! Forms as data: inputs with their labels and errors, for pages that hold little else. The templates
//! `partials/form` and `partials/input` write them.

use super::FieldError;
use serde::Serialize;

/// What every form of ours carries unseen.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Hidden<'a> {
    /// Proves where the form came from.
    pub csrf_token: &'a str,
    /// Names the submission, where sending twice would do something twice.
    pub request_id: Option<&'a str>,
}

/// One form.
#[derive(Debug, Serialize)]
pub(super) struct Form<'a> {
    action: &'a str,
    button: &'a str,
    inputs: Vec<Input<'a>>,
    errors: Vec<ErrorLine<'a>>,
    csrf_token: &'a str,
    request_id: Option<&'a str>,
    next: Option<&'a str>,
}

/// One input.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Input<'a> {
    name: &'static str,
    label: &'static str,
    kind: &'static str,
    value: &'a str,
    required: bool,
    autocomplete: &'static str,
    hint: Option<&'static str>,
    error: Option<&'a str>,
    /// For a choice: what there is to choose.
    options: Vec<Choice>,
    /// It is ticked or not.
    tick: bool,
}

#[derive(Debug, Clone, Serialize)]
struct Choice {
    word: &'static str,
    chosen: bool,
}

/// A line of the list above the form.
#[derive(Debug, Serialize)]
struct ErrorLine<'a> {
    /// The input to jump to.
    field: Option<&'static str>,
    label: &'static str,
    message: &'a str,
}

impl<'a> Form<'a> {
    /// A form that goes to an address by a button of that name.
    pub(super) fn new(
        (action, button): (&'a str, &'a str),
        hidden: Hidden<'a>,
        mut inputs: Vec<Input<'a>>,
        errors: &'a [FieldError],
    ) -> Self {
        for input in &mut inputs {
            let of_input = errors.iter().find(|error| error.field == Some(input.name));
            input.error = of_input.map(|error| error.message.as_str());
        }
        let line = |error: &'a FieldError| {
            let input = inputs.iter().find(|input| error.field == Some(input.name));
            let (field, label) = input.map_or((None, ""), |input| (Some(input.name), input.label));
            ErrorLine { field, label, message: &error.message }
        };
        let errors = errors.iter().map(line).collect();
        let (csrf_token, request_id) = (hidden.csrf_token, hidden.request_id);
        Self { action, button, inputs, errors, csrf_token, request_id, next: None }
    }

    /// It leads to this address then.
    pub(super) fn then(self, next: &'a str) -> Self {
        Self { next: Some(next), ..self }
    }
}

impl<'a> Input<'a> {
    /// One line of text that must be given.
    pub(super) fn text(name: &'static str, label: &'static str, value: &'a str) -> Self {
        Self {
            name,
            label,
            kind: "text",
            value,
            required: true,
            autocomplete: "off",
            hint: None,
            error: None,
            options: Vec::new(),
            tick: false,
        }
    }

    /// Something to tick.
    pub(super) fn tick(name: &'static str, label: &'static str, ticked: bool) -> Self {
        let value = if ticked { "1" } else { "" };
        Self { tick: true, required: false, ..Self::text(name, label, value) }
    }

    /// An e-mail address.
    pub(super) fn email(value: &'a str) -> Self {
        Self { kind: "email", ..Self::text("email", "E-mail", value) }
    }

    /// A password, which never comes back.
    pub(super) fn password(name: &'static str, label: &'static str, autocomplete: &'static str) -> Self {
        Self { kind: "password", autocomplete, ..Self::text(name, label, "") }
    }

    /// One of a few words.
    pub(super) fn choice(
        name: &'static str,
        label: &'static str,
        words: impl Iterator<Item = &'static str>,
        chosen: &str,
    ) -> Self {
        let options = words.map(|word| Choice { word, chosen: word == chosen }).collect();
        Self { options, ..Self::text(name, label, "") }
    }

    pub(super) fn optional(self) -> Self {
        Self { required: false, ..self }
    }

    pub(super) fn hint(self, hint: &'static str) -> Self {
        Self { hint: Some(hint), ..self }
    }

    pub(super) fn complete(self, autocomplete: &'static str) -> Self {
        Self { autocomplete, ..self }
    }
}
