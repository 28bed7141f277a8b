//! A row of the Python system's database: its values as text, and read as what they mean. What cannot be
//! read is handed back as it stands, so that it can be told.

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, Utc};
use std::collections::HashMap;

/// A row. Columns that its version lacks are absent, just as empty ones.
#[derive(Debug, Clone, Default)]
pub struct Row {
    /// Its number.
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

/// A value that is not what its column holds.
pub type Unreadable<'a> = &'a str;

impl Row {
    /// A text; `None` where there is none.
    pub fn text(&self, column: &str) -> Option<&str> {
        self.values.get(column).map(String::as_str)
    }

    /// A truth; absent ones are false.
    ///
    /// # Errors
    /// What stands there.
    pub fn flag(&self, column: &str) -> Result<bool, Unreadable<'_>> {
        match self.text(column) {
            None | Some("0" | "false" | "f") => Ok(false),
            Some("1" | "true" | "t") => Ok(true),
            Some(other) => Err(other),
        }
    }

    /// A whole number.
    ///
    /// # Errors
    /// What stands there.
    pub fn number(&self, column: &str) -> Result<Option<i64>, Unreadable<'_>> {
        self.text(column).map(|text| text.trim().parse().map_err(|_| text)).transpose()
    }

    /// A day that every database can keep.
    ///
    /// # Errors
    /// What stands there.
    pub fn day(&self, column: &str) -> Result<Option<NaiveDate>, Unreadable<'_>> {
        let read = |text| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok().filter(is_kept);
        self.text(column).map(|text| read(text).ok_or(text)).transpose()
    }

    /// A time; the Python system keeps them in UTC.
    ///
    /// # Errors
    /// What stands there.
    pub fn time(&self, column: &str) -> Result<Option<DateTime<Utc>>, Unreadable<'_>> {
        let read = |text| NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S%.f").ok();
        let kept = |time: &NaiveDateTime| is_kept(&time.date());
        let time = |text| read(text).filter(kept).map(|time| time.and_utc()).ok_or(text);
        self.text(column).map(time).transpose()
    }
}

fn is_kept(day: &NaiveDate) -> bool {
    (1000..=9999).contains(&day.year())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(text: &str) -> Row {
        Row { id: 1, values: HashMap::from([("x", text.to_owned())]) }
    }

    #[test]
    fn values_as_each_database_writes_them() {
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
    fn what_a_version_lacks_is_absent() {
        let row = Row::default();
        assert_eq!((row.text("y"), row.flag("y"), row.number("y")), (None, Ok(false), Ok(None)));
        assert_eq!((row.day("y"), row.time("y")), (Ok(None), Ok(None)));
    }
}
