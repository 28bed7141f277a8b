//! A row of the Python system's database: values as text, with methods that parse them. An unreadable value is
//! returned as the error, so that it can be reported.

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, Utc};
use std::collections::HashMap;

/// A row. Columns that the version does not have are absent, like empty ones.
#[derive(Debug, Clone, Default)]
pub struct Row {
    pub id: i64,
    pub(super) values: HashMap<&'static str, String>,
}

#[cfg(test)]
impl Row {
    /// A row for tests.
    pub fn of(id: i64, values: &[(&'static str, &str)]) -> Self {
        Self { id, values: values.iter().map(|(column, value)| (*column, (*value).to_owned())).collect() }
    }
}

/// A value that does not fit its column's type.
pub type Unreadable<'a> = &'a str;

impl Row {
    pub fn text(&self, column: &str) -> Option<&str> {
        self.values.get(column).map(String::as_str)
    }

    /// A flag; false if absent.
    pub fn flag(&self, column: &str) -> Result<bool, Unreadable<'_>> {
        match self.text(column) {
            None | Some("0" | "false" | "f") => Ok(false),
            Some("1" | "true" | "t") => Ok(true),
            Some(other) => Err(other),
        }
    }

    pub fn number(&self, column: &str) -> Result<Option<i64>, Unreadable<'_>> {
        self.text(column).map(|text| text.trim().parse().map_err(|_| text)).transpose()
    }

    /// A day that every database can store.
    pub fn day(&self, column: &str) -> Result<Option<NaiveDate>, Unreadable<'_>> {
        let read = |text| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().filter(is_storable);
        self.text(column).map(|text| read(text).ok_or(text)).transpose()
    }

    /// A time; the Python system stores UTC.
    pub fn time(&self, column: &str) -> Result<Option<DateTime<Utc>>, Unreadable<'_>> {
        let read = |text| NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f").ok();
        let is_time = |time: &NaiveDateTime| is_storable(&time.date());
        let time = |text| read(text).filter(is_time).map(|time| time.and_utc()).ok_or(text);
        self.text(column).map(time).transpose()
    }
}

fn is_storable(day: &NaiveDate) -> bool {
    (1000..=9999).contains(&day.year())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(text: &str) -> Row {
        Row { id: 1, values: HashMap::from([("x", text.to_owned())]) }
    }

    #[test]
    fn values_of_every_database_are_parsed() {
        for (text, flag) in
            [("0", Ok(false)), ("1", Ok(true)), ("true", Ok(true)), ("false", Ok(false)), ("2", Err("2"))]
        {
            assert_eq!(row(text).flag("x"), flag);
        }
        let noon = "2026-03-01T12:00:00Z".parse::<DateTime<Utc>>().unwrap();
        for text in ["2026-03-01 12:00:00", "2026-03-01 12:00:00.000000", "2026-03-01 12:00:00.0"] {
            assert_eq!(row(text).time("x"), Ok(Some(noon)), "{text}");
        }
        for odd in ["0000-00-00 00:00:00", "soon", ""] {
            assert_eq!(row(odd).time("x"), Err(odd));
        }
        assert_eq!(row("2026-03-01").day("x"), Ok(NaiveDate::from_ymd_opt(2026, 3, 1)));
        assert_eq!(row("0000-00-00").day("x"), Err("0000-00-00"));
        assert_eq!((row("12").number("x"), row("x1").number("x")), (Ok(Some(12)), Err("x1")));
    }

    #[test]
    fn missing_columns_are_absent() {
        let row = Row::default();
        assert_eq!((row.text("y"), row.flag("y"), row.number("y")), (None, Ok(false), Ok(None)));
        assert_eq!((row.day("y"), row.time("y")), (Ok(None), Ok(None)));
    }
}
