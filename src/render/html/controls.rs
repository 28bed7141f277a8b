//! Parts that many pages share: options of a select, the pager, the error list of a form.

use super::FieldError;
use serde::Serialize;

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Choice {
    value: String,
    label: String,
    selected: bool,
}

impl Choice {
    pub(super) fn new(value: impl ToString, label: impl ToString, selected: bool) -> Self {
        Self { value: value.to_string(), label: label.to_string(), selected }
    }
}

/// Links to the neighboring pages.
#[derive(Debug, Serialize)]
pub(super) struct Pager {
    previous: Option<Link>,
    /// "Page 2 of 7", if the pages are counted.
    position: Option<String>,
    next: Option<Link>,
}

#[derive(Debug, Serialize)]
struct Link {
    href: String,
    label: &'static str,
}

impl Pager {
    /// Counted pages, from 1; `None` if there is only one.
    pub(super) fn new(page: u64, pages: u64, href: impl Fn(u64) -> String) -> Option<Self> {
        let link = |page, label| Link { href: href(page), label };
        (pages > 1).then(|| Self {
            previous: (page > 1).then(|| link((page - 1).min(pages), "Previous")),
            position: Some(format!("Page {page} of {pages}")),
            next: (page < pages).then(|| link(page + 1, "Next")),
        })
    }

    /// The pager of a list that is read backward in time and not counted.
    pub(super) const fn older(href: String) -> Self {
        Self { previous: None, position: None, next: Some(Link { href, label: "Older" }) }
    }
}

/// One line of a form's error list.
#[derive(Debug, Serialize)]
pub(super) struct ErrorLine<'a> {
    /// The input to jump to; empty if the error is about the whole form.
    field: &'a str,
    label: &'static str,
    message: &'a str,
}

/// `label` names an input; it returns `None` if the form does not have the input.
pub(super) fn error_lines<'a>(
    errors: &'a [FieldError],
    label: impl Fn(&str) -> Option<&'static str>,
) -> Vec<ErrorLine<'a>> {
    let line = |error: &'a FieldError| {
        let known = error.field.and_then(|field| Some((field, label(field)?)));
        let (field, label) = known.unwrap_or_default();
        ErrorLine { field, label, message: &error.message }
    };
    errors.iter().map(line).collect()
}

pub(super) fn error_of<'a>(errors: &'a [FieldError], field: &str) -> Option<&'a str> {
    errors.iter().find(|error| error.field == Some(field)).map(|error| error.message.as_str())
}
