//! The record of a machine besides its repairs: details, money, days.

use crate::domain::ids::AreaId;
use crate::domain::text::{About, Detail, EquipmentName};
use chrono::{Datelike, NaiveDate};
use serde::{Serialize, Serializer};
use std::fmt;
use std::str::FromStr;

/// The fields of a machine that staff edit (spec "Nouns").
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EquipmentDetails {
    pub name: EquipmentName,
    pub area: AreaId,
    pub manufacturer: Detail,
    pub model: Detail,
    pub serial_number: Detail,
    pub acquisition_date: Option<NaiveDate>,
    pub acquisition_source: Detail,
    pub acquisition_cost: Option<Cost>,
    /// Last day of the warranty.
    pub warranty_expiration: Option<NaiveDate>,
    pub description: About,
}

impl EquipmentDetails {
    /// A machine with only a name and an area.
    pub fn bare(name: EquipmentName, area: AreaId) -> Self {
        Self {
            name,
            area,
            manufacturer: Detail::default(),
            model: Detail::default(),
            serial_number: Detail::default(),
            acquisition_date: None,
            acquisition_source: Detail::default(),
            acquisition_cost: None,
            warranty_expiration: None,
            description: About::default(),
        }
    }
}

/// The details as stored. Texts are unchecked: imported rows may have values that no form accepts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StoredDetails {
    pub name: String,
    pub area: AreaId,
    pub manufacturer: String,
    pub model: String,
    pub serial_number: String,
    pub acquisition_date: Option<NaiveDate>,
    pub acquisition_source: String,
    pub acquisition_cost: Option<Cost>,
    pub warranty_expiration: Option<NaiveDate>,
    pub description: String,
}

impl From<&EquipmentDetails> for StoredDetails {
    fn from(details: &EquipmentDetails) -> Self {
        Self {
            name: details.name.as_str().to_owned(),
            area: details.area,
            manufacturer: details.manufacturer.as_str().to_owned(),
            model: details.model.as_str().to_owned(),
            serial_number: details.serial_number.as_str().to_owned(),
            acquisition_date: details.acquisition_date,
            acquisition_source: details.acquisition_source.as_str().to_owned(),
            acquisition_cost: details.acquisition_cost,
            warranty_expiration: details.warranty_expiration,
            description: details.description.as_str().to_owned(),
        }
    }
}

/// An amount of money to the cent (spec "Nouns": decimal 10,2), without its currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cost(i64);

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("Please write an amount such as 1250 or 1250.50, below 100 million.")]
pub struct NotACost;

impl Cost {
    /// The highest amount, in cents.
    const MOST: i64 = 9_999_999_999;

    /// From whole cents; `None` if negative or too large.
    pub fn from_cents(cents: i64) -> Option<Self> {
        (0..=Self::MOST).contains(&cents).then_some(Self(cents))
    }

    /// In whole cents.
    pub const fn cents(self) -> i64 {
        self.0
    }
}

impl FromStr for Cost {
    type Err = NotACost;

    /// Parses `1250`, `1250.5`, `1,250.50` and the same after a dollar sign.
    fn from_str(text: &str) -> Result<Self, NotACost> {
        let text = text.trim();
        let text = text.strip_prefix('$').unwrap_or(text).trim_start();
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        let whole = ungrouped(whole).ok_or(NotACost)?;
        let digits = |text: &str, most| {
            (1..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
        };
        if !digits(&whole, 8) || !digits(fraction, 2) {
            return Err(NotACost);
        }
        let cents = format!("{whole}{fraction:0<2}").parse().map_err(|_| NotACost)?;
        Self::from_cents(cents).ok_or(NotACost)
    }
}

/// Removes the commas between groups of three digits; `None` for any other comma.
fn ungrouped(whole: &str) -> Option<String> {
    let mut groups = whole.split(',');
    let first = groups.next().unwrap_or_default();
    let rest: Vec<&str> = groups.collect();
    let well_grouped = rest.is_empty() || (1..=3).contains(&first.len());
    (well_grouped && rest.iter().all(|group| group.len() == 3)).then(|| format!("{first}{}", rest.concat()))
}

impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:02}", self.0 / 100, self.0 % 100)
    }
}

impl Serialize for Cost {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A text that is not a day that every database can store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("Please give a day as YYYY-MM-DD, such as 2026-03-01.")]
pub struct NotADay;

/// Parses a day as browsers send it.
///
/// # Errors
/// Another format, no such day, or before the year 1000 or after 9999.
pub fn parse_day(text: &str) -> Result<NaiveDate, NotADay> {
    let day = NaiveDate::parse_from_str(text.trim(), "%Y-%m-%d").map_err(|_| NotADay)?;
    if (1000..=9999).contains(&day.year()) { Ok(day) } else { Err(NotADay) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn usual_spellings_of_costs_are_parsed() {
        let read = |text: &str| text.parse::<Cost>().map(|cost| cost.to_string());
        for (text, amount) in [
            ("0", "0.00"),
            (" 1250 ", "1250.00"),
            ("1250.5", "1250.50"),
            ("$1,250.05", "1250.05"),
            ("99999999.99", "99999999.99"),
            ("12,345,678", "12345678.00"),
        ] {
            assert_eq!(read(text), Ok(amount.to_owned()), "{text}");
        }
        for bad in
            ["", "$", "-1", "1.234", "1,5", "1,2345", ",123", "1.", ".5", "1e3", "100000000", "٣", "1 2"]
        {
            assert_eq!(read(bad), Err(NotACost), "{bad}");
        }
    }

    #[test]
    fn only_storable_days_are_parsed() {
        assert_eq!(parse_day(" 2024-02-29 "), Ok(NaiveDate::from_ymd_opt(2024, 2, 29).unwrap()));
        for bad in ["", "2023-02-29", "0999-01-01", "+10000-01-01", "1/2/2024", "2024-2-29x"] {
            assert_eq!(parse_day(bad), Err(NotADay), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn cost_round_trips_through_its_text(cents in 0..=Cost::MOST) {
            let cost = Cost::from_cents(cents).unwrap();
            prop_assert_eq!(cost.to_string().parse(), Ok(cost));
        }
    }
}
