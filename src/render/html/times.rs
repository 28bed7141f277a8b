//! Times and dates for people and for programs.

use crate::domain::zone::Zone;
use chrono::{DateTime, Datelike, Days, NaiveDate, SecondsFormat, Utc};
use serde::Serialize;

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Moment {
    /// RFC 3339 in UTC.
    pub(super) iso: String,
    /// In the configured zone, with its name.
    pub(super) text: String,
}

impl Moment {
    pub(super) fn new(at: DateTime<Utc>, zone: &Zone) -> Self {
        let (local, abbreviation) = (zone.local(at), zone.abbreviation(at));
        Self {
            iso: at.to_rfc3339_opts(SecondsFormat::Secs, true),
            text: format!("{} {abbreviation}", local.format("%b %-d, %Y, %-I:%M %p")),
        }
    }
}

/// A calendar date, independent of the current day.
pub(super) fn day(date: NaiveDate) -> String {
    date.format("%a, %b %-d, %Y").to_string()
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Eta {
    /// RFC 3339.
    pub(super) iso: String,
    /// "ETA Tue, Nov 24".
    pub(super) text: String,
    /// True if that day is over.
    pub(super) late: bool,
}

impl Eta {
    pub(super) fn new(date: NaiveDate, today: NaiveDate) -> Self {
        let tomorrow = today.checked_add_days(Days::new(1));
        let day = match date {
            date if date == today => "today".to_owned(),
            date if Some(date) == tomorrow => "tomorrow".to_owned(),
            date if date.year() == today.year() => date.format("%a, %b %-d").to_string(),
            date => date.format("%b %-d, %Y").to_string(),
        };
        let late = date < today;
        let text = if late { format!("ETA was {day}") } else { format!("ETA {day}") };
        Self { iso: date.format("%Y-%m-%d").to_string(), text, late }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn eta_day_is_shown_relative_to_today() {
        let day = |text: &str| text.parse::<NaiveDate>().unwrap();
        let text = |date| Eta::new(day(date), day("2026-11-22")).text;
        assert_eq!(text("2026-11-22"), "ETA today");
        assert_eq!(text("2026-11-23"), "ETA tomorrow");
        assert_eq!(text("2026-12-01"), "ETA Tue, Dec 1");
        assert_eq!(text("2027-01-05"), "ETA Jan 5, 2027");
        assert_eq!(text("2026-11-20"), "ETA was Fri, Nov 20");
        assert!(Eta::new(day("2026-11-21"), day("2026-11-22")).late);
        assert!(!Eta::new(NaiveDate::MAX, NaiveDate::MAX).late);
    }

    #[test]
    fn moment_names_its_zone() {
        let moment =
            Moment::new("2026-11-22T02:39:11.5Z".parse().unwrap(), &"America/New_York".parse().unwrap());
        assert_eq!(moment.iso, "2026-11-22T02:39:11Z");
        assert_eq!(moment.text, "Nov 21, 2026, 9:39 PM EST");
    }
}
