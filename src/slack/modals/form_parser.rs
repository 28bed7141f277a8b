//! Parses the inputs that several repair forms share. It collects all errors by field; an input that the form lacks
//! has no value.

use super::submission_error::FieldErrors;
use crate::domain::field::{FieldValue, Person};
use crate::domain::text::{Note, TextError};
use crate::slack::envelope::State;
use crate::slack::ids::input;
use std::str::FromStr;

const NOT_OFFERED: &str = "Please choose from the list.";

pub(super) struct FormParser<'a> {
    state: &'a State,
    pub(super) faults: FieldErrors,
}

impl<'a> FormParser<'a> {
    pub(super) const fn new(state: &'a State) -> Self {
        Self { state, faults: FieldErrors::new() }
    }

    /// The choice of a required select.
    pub(super) fn chosen<T: FromStr>(&mut self, name: &'static str, missing: &str) -> Option<T> {
        let chosen = self.state.selected(name).and_then(|value| value.parse().ok());
        if chosen.is_none() {
            self.faults.insert(name, missing.to_owned());
        }
        chosen
    }

    /// The choice of an optional select: the outer `None` if the form lacks it, or if the choice was not offered.
    pub(super) fn optional<T: FromStr>(&mut self, name: &'static str) -> Option<Option<T>> {
        self.state.get(name)?;
        match self.state.selected(name).map(str::parse) {
            None => Some(None),
            Some(Ok(value)) => Some(Some(value)),
            Some(Err(_)) => {
                self.faults.insert(name, NOT_OFFERED.to_owned());
                None
            }
        }
    }

    /// True when the only option of these checkboxes is checked; `None` if the form lacks them.
    pub(super) fn ticked(&self, name: &str) -> Option<bool> {
        self.state.get(name)?;
        Some(self.state.ticked(name).iter().any(|value| value == name))
    }

    pub(super) fn note(&mut self) -> Option<Note> {
        match Note::parse(self.state.text(input::NOTE).unwrap_or_default()) {
            Ok(note) => Some(note),
            Err(TextError::Empty) => None,
            Err(error) => {
                self.faults.insert(input::NOTE, error.to_string());
                None
            }
        }
    }

    pub(super) fn duplicate_of(&mut self) -> Option<FieldValue> {
        self.optional(input::DUPLICATE_OF).map(FieldValue::DuplicateOf)
    }

    /// The operation looks up the name.
    pub(super) fn assignee(&mut self) -> Option<FieldValue> {
        let person = |id| Person { id, name: String::new(), slack_id: None };
        let id = self.optional(input::ASSIGNEE)?;
        Some(FieldValue::Assignee(id.map(person)))
    }
}
