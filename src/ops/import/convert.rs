//! Converts values of the Python system: a text that is too long is cut, an unreadable value is left empty or
//! replaced, and each such value is reported. Pure.

use crate::domain::characters::without_bidi_controls;
use crate::domain::text::{PersonName, TextError, cut, is_visible, tidy_lines};
use crate::store::legacy::{Row, Unreadable};
use chrono::{DateTime, Utc};

/// Reads the values of an old row and collects findings about those that do not fit.
#[derive(Debug)]
pub(super) struct RowReader<'a> {
    pub(super) row: &'a Row,
    pub(super) findings: Vec<String>,
}

/// A quoted text for a terminal: on one line, without control characters.
pub(super) fn quoted(text: &str) -> String {
    let plain: String =
        without_bidi_controls(text).chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    format!("“{}”", plain.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// A text without U+0000, which not every database can store.
fn storable(text: &str) -> String {
    text.replace('\0', "")
}

impl<'a> RowReader<'a> {
    pub(super) const fn new(row: &'a Row) -> Self {
        Self { row, findings: Vec::new() }
    }

    /// Reports a value that is changed or dropped, such as "name “x” is cut to 100 characters".
    pub(super) fn report(&mut self, column: &str, value: &str, became: &str) {
        self.findings.push(format!("{column} {} {became}", quoted(value)));
    }

    /// A short text, cut to `max` characters; `None` if it is empty or cannot be stored.
    pub(super) fn short<T>(
        &mut self,
        column: &str,
        max: usize,
        parse: fn(&str) -> Result<T, TextError>,
    ) -> Option<T> {
        let text = storable(self.row.text(column)?);
        match parse(&text) {
            Ok(parsed) => Some(parsed),
            Err(TextError::Empty) => None,
            Err(TextError::TooLong { .. }) => {
                self.report(column, &text, &format!("is cut to {max} characters"));
                parse(&cut(text.trim(), max)).ok()
            }
            Err(_) => {
                self.report(column, &text, "cannot be kept and is left empty");
                None
            }
        }
    }

    /// The name of a person; empty if there is none.
    pub(super) fn name(&mut self, column: &str) -> String {
        self.short(column, PersonName::MAX, PersonName::parse)
            .map_or_else(String::new, PersonName::into_string)
    }

    /// A long text, even if it exceeds the limit of forms; empty if nothing is visible.
    pub(super) fn long(&self, column: &str) -> String {
        let text = tidy_lines(&storable(self.row.text(column).unwrap_or_default()));
        if is_visible(&text) { text } else { String::new() }
    }

    /// One of our words, regardless of case. `None` if it is missing or unknown; an unknown one is reported.
    pub(super) fn word<T: Copy>(
        &mut self,
        column: &str,
        all: &[T],
        word: fn(T) -> &'static str,
        instead: &str,
    ) -> Option<T> {
        let text = self.row.text(column)?.trim();
        let found = all.iter().copied().find(|choice| word(*choice).eq_ignore_ascii_case(text));
        if found.is_none() {
            self.report(column, text, instead);
        }
        found
    }

    /// The value, or `None` with a report if it is unreadable.
    pub(super) fn read<T>(
        &mut self,
        column: &str,
        read: impl Fn(&'a Row) -> Result<Option<T>, Unreadable<'a>>,
    ) -> Option<T> {
        read(self.row).unwrap_or_else(|text| {
            self.report(column, text, "cannot be read and is left empty");
            None
        })
    }

    /// A flag; false if it is unreadable.
    pub(super) fn flag(&mut self, column: &str) -> bool {
        self.read(column, |row| row.flag(column).map(Some)).unwrap_or_default()
    }

    /// When the row was created. Later runs recognize the row by its id and this time.
    pub(super) fn made(&mut self) -> DateTime<Utc> {
        if let Err(text) = self.row.time("created_at") {
            self.report("created_at", text, "cannot be read and becomes 1970-01-01");
        }
        made(self.row)
    }

    /// When the row was last changed, or created.
    pub(super) fn changed(&mut self) -> DateTime<Utc> {
        self.read("updated_at", |row| row.time("updated_at")).unwrap_or_else(|| made(self.row))
    }
}

/// When a row was created, as [`RowReader::made`] but without a report.
pub(super) fn made(row: &Row) -> DateTime<Utc> {
    row.time("created_at").ok().flatten().unwrap_or_default()
}
