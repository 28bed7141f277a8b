//! The time zone of the place, by its IANA name: which day and which time it is there. Zones come with the
//! program, so that none has to be installed.

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, TimeDelta, Utc};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use std::str::FromStr;

/// A time zone; cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zone(TimeZone);

/// No zone has that name.
#[derive(Debug, thiserror::Error)]
#[error("no such time zone")]
pub struct UnknownZone;

impl FromStr for Zone {
    type Err = UnknownZone;

    fn from_str(name: &str) -> Result<Self, UnknownZone> {
        TimeZone::get(name).map(Self).map_err(|_| UnknownZone)
    }
}

impl Zone {
    /// Its IANA name.
    pub fn name(&self) -> &str {
        self.0.iana_name().unwrap_or("UTC")
    }

    /// What clocks there show.
    pub fn local(&self, at: DateTime<Utc>) -> NaiveDateTime {
        let ahead = self.0.to_offset(timestamp(at)).seconds();
        at.naive_utc() + TimeDelta::seconds(ahead.into())
    }

    /// What the time there is called then: "EST", or "-03" where it has no name.
    pub fn abbreviation(&self, at: DateTime<Utc>) -> String {
        self.0.to_offset_info(timestamp(at)).abbreviation().to_owned()
    }

    /// When a day begins there; where clocks leap over midnight, when they have. `None` for a day beyond the
    /// year 9999.
    pub fn begin(&self, day: NaiveDate) -> Option<DateTime<Utc>> {
        let part = |number: u32| i8::try_from(number).ok();
        let date = Date::new(i16::try_from(day.year()).ok()?, part(day.month())?, part(day.day())?).ok()?;
        let begin = date.to_zoned(self.0.clone()).and_then(|midnight| midnight.start_of_day()).ok()?;
        DateTime::from_timestamp_micros(begin.timestamp().as_microsecond())
    }
}

/// The same moment; the last one that it knows for those beyond the year 9999.
fn timestamp(at: DateTime<Utc>) -> Timestamp {
    Timestamp::from_second(at.timestamp()).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zone(name: &str) -> Zone {
        name.parse().unwrap()
    }

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn clocks_go_forth_and_back() {
        let zone = zone("America/New_York");
        let shown = |text| (zone.local(at(text)).to_string(), zone.abbreviation(at(text)));
        assert_eq!(shown("2026-03-08T06:59:59Z"), ("2026-03-08 01:59:59".into(), "EST".into()));
        assert_eq!(shown("2026-03-08T07:00:00Z"), ("2026-03-08 03:00:00".into(), "EDT".into()));
        assert_eq!(shown("2026-11-01T06:00:00Z"), ("2026-11-01 01:00:00".into(), "EST".into()));
        assert_eq!(shown("2040-07-01T12:00:00Z").1, "EDT", "the rules go on");
        assert_eq!(zone.local(at("2026-03-08T06:59:59.25Z")).to_string(), "2026-03-08 01:59:59.250");
    }

    #[test]
    fn a_day_begins_when_it_does_there() {
        let begin = |name: &str, day: &str| zone(name).begin(day.parse().unwrap()).unwrap().to_rfc3339();
        assert_eq!(begin("America/New_York", "2026-03-08"), "2026-03-08T05:00:00+00:00");
        assert_eq!(begin("America/New_York", "2026-03-09"), "2026-03-09T04:00:00+00:00");
        assert_eq!(begin("Asia/Kathmandu", "2026-06-01"), "2026-05-31T18:15:00+00:00");
        // Clocks went from midnight to one.
        assert_eq!(begin("America/Sao_Paulo", "2018-11-04"), "2018-11-04T03:00:00+00:00");
        assert_eq!(zone("UTC").begin(NaiveDate::MAX), None);
    }

    #[test]
    fn zones_are_known_by_the_names_of_the_iana_list() {
        for name in ["UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires", "Etc/GMT+5"] {
            assert_eq!(zone(name).name(), name);
        }
        for name in ["", "Mars/Olympus", "EST5EDT,M3.2.0,M11.1.0", "../../etc/passwd", "Europe"] {
            assert!(name.parse::<Zone>().is_err(), "{name}");
        }
        assert_eq!(zone("UTC").local(DateTime::<Utc>::MAX_UTC), DateTime::<Utc>::MAX_UTC.naive_utc());
    }
}
