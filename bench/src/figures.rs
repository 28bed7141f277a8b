//! Figures and their output.

use serde::Serialize;
use std::fmt::Write;
use std::time::Duration;

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Figure {
    pub name: String,
    pub unit: &'static str,
    /// The value of esb.
    pub value: f64,
    /// The value of a bare program in the same run, if there is one.
    pub floor: Option<f64>,
    /// Value divided by floor.
    pub ratio: Option<f64>,
}

#[derive(Debug, Serialize)]
pub struct Figures {
    size: &'static str,
    /// Names of values and floors in the table.
    #[serde(skip)]
    columns: [&'static str; 2],
    figures: Vec<Figure>,
}

impl Figures {
    pub const fn new(size: &'static str) -> Self {
        Self::with_columns(size, ["esb", "floor"])
    }

    /// Empty; values and their comparisons have other column names than "esb" and "floor".
    pub const fn with_columns(size: &'static str, columns: [&'static str; 2]) -> Self {
        Self { size, columns, figures: Vec::new() }
    }

    /// Adds a figure without a floor.
    pub fn add(&mut self, name: impl Into<String>, unit: &'static str, value: f64) {
        self.figures.push(Figure { name: name.into(), unit, value, floor: None, ratio: None });
    }

    /// Adds a figure with its floor.
    pub fn compare(&mut self, name: impl Into<String>, unit: &'static str, value: f64, floor: f64) {
        let ratio = (floor > 0.0).then(|| value / floor);
        self.figures.push(Figure { name: name.into(), unit, value, floor: Some(floor), ratio });
    }

    /// Adds median, 99th percentile and maximum of two series of times.
    pub fn compare_times(&mut self, name: &str, value: &Times, floor: &Times) {
        for (what, of) in [("p50", Times::p50 as fn(&Times) -> f64), ("p99", Times::p99), ("max", Times::max)]
        {
            self.compare(format!("{name}, {what}"), "ms", of(value), of(floor));
        }
    }

    /// As a table for a terminal.
    pub fn table(&self) -> String {
        let width = self.figures.iter().map(|figure| figure.name.chars().count()).max().unwrap_or(0);
        let [value, floor] = self.columns;
        let mut table = format!("\n{:width$}  {value:>10}  {floor:>10}  {:>7}\n", self.size, "ratio");
        for Figure { name, unit, value, floor, ratio } in &self.figures {
            let floor = floor.map(shown).unwrap_or_default();
            let ratio = ratio.map(|ratio| format!("{ratio:.2}")).unwrap_or_default();
            // Writing to a string cannot fail.
            let _ = writeln!(table, "{name:width$}  {:>10}  {floor:>10}  {ratio:>7}  {unit}", shown(*value));
        }
        table
    }
}

/// Three significant digits, or all digits before the decimal point.
fn shown(value: f64) -> String {
    let decimals = match value.abs() {
        v if v >= 100.0 || v == 0.0 => 0,
        v if v >= 10.0 => 1,
        v if v >= 1.0 => 2,
        _ => 3,
    };
    format!("{value:.decimals$}")
}

/// Durations of repeated measurements of one thing.
#[derive(Debug, Clone, Default)]
pub struct Times(Vec<f64>);

impl Times {
    /// In milliseconds; all 0 for an empty series.
    pub fn new(times: impl IntoIterator<Item = Duration>) -> Self {
        let mut times: Vec<f64> = times.into_iter().map(|time| time.as_secs_f64() * 1e3).collect();
        times.sort_by(f64::total_cmp);
        Self(times)
    }

    /// The time that `share` of all do not exceed (nearest rank).
    #[allow(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a rank within the length of a list"
    )]
    fn percentile(&self, share: f64) -> f64 {
        let rank = (share * self.0.len() as f64).ceil() as usize;
        self.0.get(rank.max(1) - 1).copied().unwrap_or(0.0)
    }

    pub fn p50(&self) -> f64 {
        self.percentile(0.5)
    }

    pub fn p95(&self) -> f64 {
        self.percentile(0.95)
    }

    pub fn p99(&self) -> f64 {
        self.percentile(0.99)
    }

    pub fn max(&self) -> f64 {
        self.percentile(1.0)
    }

    /// How many took longer than this.
    pub fn over(&self, limit: Duration) -> usize {
        let limit = limit.as_secs_f64() * 1e3;
        self.0.iter().filter(|time| **time > limit).count()
    }
}

/// A rate per second.
#[allow(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
pub fn per_second(count: usize, time: Duration) -> f64 {
    count as f64 / time.as_secs_f64()
}

/// Microseconds per item.
#[allow(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
pub fn each(time: Duration, count: usize) -> f64 {
    time.as_secs_f64() * 1e6 / count.max(1) as f64
}

pub fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers.get(numbers.len() / 2).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_by_nearest_rank() {
        let times = Times::new((1..=200).rev().map(Duration::from_millis));
        assert_eq!((times.p50(), times.p95(), times.p99(), times.max()), (100.0, 190.0, 198.0, 200.0));
        assert_eq!(times.over(Duration::from_millis(150)), 50);
        assert_eq!(Times::default().p99().to_bits(), 0.0_f64.to_bits());
        assert_eq!(median(vec![3.0, 1.0, 2.0]).to_bits(), 2.0_f64.to_bits());
    }

    #[test]
    fn table_has_one_line_per_figure() {
        let mut figures = Figures::new("small");
        figures.compare("board", "/s", 9_000.0, 18_000.0);
        figures.add("memory", "MiB", 12.34);
        let table = figures.table();
        assert!(table.contains("9000") && table.contains("0.50  /s") && table.contains("12.3"), "{table}");
        assert_eq!(table.trim().lines().count(), 3);
    }
}
