//! Values of the Python system made to fit: what is too long is cut, what cannot be read is left empty or
//! replaced, and each time it is said which value that was. Pure; the files beside it use it.

use crate::domain::characters::without_bidi_controls;
use crate::domain::text::{PersonName, TextError, cut, is_visible, tidy_lines};
use crate::store::legacy::{Row, Unreadable};
use chrono::{DateTime, Utc};

/// A row of the Python system with what did not fit of it.
#[derive(Debug)]
pub(super) struct RowReader<'a> {
    pub(super) row: &'a Row,
    /// Sentences.
    pub(super) findings: Vec<String>,
}

/// A text as it is told: on one line, without anything that a terminal would check_rules, in the order that it has.
pub(super) fn quoted(text: &str) -> String {
    let plain: String =
        without_bidi_controls(text).chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    format!("“{}”", plain.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// A text without U+0000, which not every database can keep.
fn storable(text: &str) -> String {
    text.replace('\0', "")
}

impl<'a> RowReader<'a> {
    pub(super) const fn new(row: &'a Row) -> Self {
        Self { row, findings: Vec::new() }
    }

    /// Notes a value that is not kept as it was, and what became of it.
    pub(super) fn report(&mut self, column: &str, value: &str, became: &str) {
        self.findings.push(format!("{column} {} {became}", quoted(value)));
    }

    /// A short text, cut to `max` characters where it is longer; `None` where nothing of it can be kept.
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
                self.say(column, &text, &format!("is cut to {max} characters"));
                parse(&cut(text.trim(), max)).ok()
            }
            Err(_) => {
                self.say(column, &text, "cannot be kept and is left empty");
                None
            }
        }
    }

    /// The name of a person; empty where there is none.
    pub(super) fn name(&mut self, column: &str) -> String {
        self.short(column, PersonName::MAX, PersonName::parse)
            .map_or_else(String::new, PersonName::into_string)
    }

    /// A long text, whole, also where forms take less; empty where there is nothing to see.
    pub(super) fn long(&self, column: &str) -> String {
        let text = tidy_lines(&storable(self.row.text(column).unwrap_or_default()));
        if is_visible(&text) { text } else { String::new() }
    }

    /// One of our words, case ignored; `None` where there is none or another one, which is noted with what
    /// stands in for it.
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
            self.say(column, text, instead);
        }
        found
    }

    /// What was read, or nothing where it cannot be.
    pub(super) fn read<T>(
        &mut self,
        column: &str,
        read: impl Fn(&'a Row) -> Result<Option<T>, Unreadable<'a>>,
    ) -> Option<T> {
        read(self.row).unwrap_or_else(|text| {
            self.say(column, text, "cannot be read and is left empty");
            None
        })
    }

    /// A truth, false where it cannot be read.
    pub(super) fn flag(&mut self, column: &str) -> bool {
        self.read(column, |row| row.flag(column).map(Some)).unwrap_or_default()
    }

    /// When the row was made: part of what it is recognised by.
    pub(super) fn made(&mut self) -> DateTime<Utc> {
        if let Err(text) = self.row.time("created_at") {
            self.say("created_at", text, "cannot be read and becomes 1970-01-01");
        }
        made(self.row)
    }

    /// When the row was last changed, where that is known.
    pub(super) fn changed(&mut self) -> DateTime<Utc> {
        self.read("updated_at", |row| row.time("updated_at")).unwrap_or_else(|| made(self.row))
    }
}

/// When a row was made, as [`RowReader::made`].
pub(super) fn made(row: &Row) -> DateTime<Utc> {
    row.time("created_at").ok().flatten().unwrap_or_default()
}
