//! The makerspace's time zone, by its IANA name: days and times there. The zones are compiled into the program, so
//! that none has to be installed.

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, TimeDelta, Utc};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::{TimeZone, TimeZoneDatabase};
use std::str::FromStr;

/// A time zone; cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zone(TimeZone);

#[derive(Debug, thiserror::Error)]
#[error("no such time zone")]
pub struct UnknownZone;

impl FromStr for Zone {
    type Err = UnknownZone;

    fn from_str(name: &str) -> Result<Self, UnknownZone> {
        // Not jiff's own search, which may read the system's files.
        let zone = TimeZoneDatabase::bundled().get(name).ok();
        zone.filter(|zone| zone.iana_name().is_some()).map(Self).ok_or(UnknownZone)
    }
}

impl Zone {
    pub fn name(&self) -> &str {
        self.0.iana_name().unwrap_or("UTC")
    }

    /// The local time.
    pub fn local(&self, at: DateTime<Utc>) -> NaiveDateTime {
        let ahead = self.0.to_offset(timestamp(at)).seconds();
        let utc = at.naive_utc();
        utc.checked_add_signed(TimeDelta::seconds(ahead.into())).unwrap_or(utc)
    }

    /// The zone's abbreviation at that time: "EST", or "-03" if it has none.
    pub fn abbreviation(&self, at: DateTime<Utc>) -> String {
        self.0.to_offset_info(timestamp(at)).abbreviation().to_owned()
    }

    /// The start of a day there; where clocks skip midnight, the first time after it. `None` from the last day of
    /// the year 9999 on, where the zone data ends.
    pub fn begin(&self, day: NaiveDate) -> Option<DateTime<Utc>> {
        let part = |number: u32| i8::try_from(number).ok();
        let date = Date::new(i16::try_from(day.year()).ok()?, part(day.month())?, part(day.day())?).ok()?;
        let begin = date.to_zoned(self.0.clone()).ok()?;
        DateTime::from_timestamp_micros(begin.timestamp().as_microsecond())
    }
}

/// The same time, or the nearest in the range of the zone data: the years from -9999 to 9999.
fn timestamp(at: DateTime<Utc>) -> Timestamp {
    let second = at.timestamp().clamp(Timestamp::MIN.as_second(), Timestamp::MAX.as_second());
    Timestamp::from_second(second).unwrap_or(Timestamp::MAX)
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
    fn local_time_follows_daylight_saving() {
        let zone = zone("America/New_York");
        let shown = |text| (zone.local(at(text)).to_string(), zone.abbreviation(at(text)));
        assert_eq!(shown("2026-03-08T06:59:59Z"), ("2026-03-08 01:59:59".into(), "EST".into()));
        assert_eq!(shown("2026-03-08T07:00:00Z"), ("2026-03-08 03:00:00".into(), "EDT".into()));
        assert_eq!(shown("2026-11-01T06:00:00Z"), ("2026-11-01 01:00:00".into(), "EST".into()));
        assert_eq!(shown("2040-07-01T12:00:00Z").1, "EDT", "the rules go on");
        assert_eq!(zone.local(at("2026-03-08T06:59:59.25Z")).to_string(), "2026-03-08 01:59:59.250");
    }

    #[test]
    fn day_begins_at_local_midnight() {
        let begin = |name: &str, day: &str| zone(name).begin(day.parse().unwrap()).unwrap().to_rfc3339();
        assert_eq!(begin("America/New_York", "2026-03-08"), "2026-03-08T05:00:00+00:00");
        assert_eq!(begin("America/New_York", "2026-03-09"), "2026-03-09T04:00:00+00:00");
        assert_eq!(begin("Asia/Kathmandu", "2026-06-01"), "2026-05-31T18:15:00+00:00");
        // Clocks went from midnight to one.
        assert_eq!(begin("America/Sao_Paulo", "2018-11-04"), "2018-11-04T03:00:00+00:00");
        for day in [NaiveDate::MAX, NaiveDate::MIN, "9999-12-31".parse().unwrap()] {
            assert_eq!(zone("America/New_York").begin(day), None);
        }
    }

    #[test]
    fn zones_use_iana_names() {
        for name in ["UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires", "Etc/GMT+5"] {
            assert_eq!(zone(name).name(), name);
        }
        assert_eq!(zone("america/new_york").name(), "America/New_York");
        for name in [
            "",
            "Mars/Olympus",
            "Etc/Unknown",
            ":UTC",
            "EST5EDT,M3.2.0,M11.1.0",
            "../../etc/passwd",
            "Europe",
        ] {
            assert!(name.parse::<Zone>().is_err(), "{name}");
        }
    }

    #[test]
    fn extreme_times_convert_without_panic() {
        for at in [DateTime::<Utc>::MAX_UTC, DateTime::<Utc>::MIN_UTC] {
            for name in ["Asia/Tokyo", "America/New_York"] {
                let local = zone(name).local(at);
                assert!(
                    (local - at.naive_utc()).abs() < TimeDelta::days(1)
                        && !zone(name).abbreviation(at).is_empty()
                );
            }
        }
    }
}
