//! Tables as CSV (RFC 4180) for spreadsheets: UTF-8 with a byte order mark. Cells are escaped so that no spreadsheet
//! evaluates them as formulas. Pure; `web` streams the output.

use crate::views::records::{AuditRow, EquipmentRecord};
use chrono::{DateTime, SecondsFormat, Utc};

/// Marks the file as UTF-8 for spreadsheets; must come first.
const BOM: &str = "\u{feff}";

/// Columns of the equipment (spec/web.md, `GET /equipment.csv`).
const EQUIPMENT: [&str; 14] = [
    "id",
    "name",
    "manufacturer",
    "model",
    "serial_number",
    "area",
    "acquisition_date",
    "acquisition_source",
    "acquisition_cost",
    "warranty_expiration",
    "description",
    "is_archived",
    "created_at",
    "updated_at",
];

/// Columns of the audit.
const AUDIT: [&str; 9] = ["id", "created_at", "who", "edge", "action", "noun", "noun_id", "old", "new"];

/// The byte order mark and the header line.
pub fn equipment_head() -> String {
    head(&EQUIPMENT)
}

/// One line per piece of equipment.
pub fn equipment(equipment: &[EquipmentRecord]) -> String {
    lines(equipment, |equipment| {
        let day = |day: Option<chrono::NaiveDate>| day.map(|day| day.to_string()).unwrap_or_default();
        vec![
            equipment.id.to_string(),
            equipment.details.name.clone(),
            equipment.details.manufacturer.clone(),
            equipment.details.model.clone(),
            equipment.details.serial_number.clone(),
            equipment.area.clone(),
            day(equipment.details.acquisition_date),
            equipment.details.acquisition_source.clone(),
            equipment.details.acquisition_cost.map(|cost| cost.to_string()).unwrap_or_default(),
            day(equipment.details.warranty_expiration),
            equipment.details.description.clone(),
            equipment.archived.to_string(),
            moment(equipment.created_at),
            moment(equipment.updated_at),
        ]
    })
}

/// The byte order mark and the header line.
pub fn audit_head() -> String {
    head(&AUDIT)
}

/// One line per audit entry.
pub fn audit(entries: &[AuditRow]) -> String {
    lines(entries, |entry| {
        vec![
            entry.id.to_string(),
            moment(entry.created_at),
            entry.actor.clone(),
            entry.edge.to_owned(),
            entry.action.clone(),
            entry.noun.clone(),
            entry.noun_id.to_string(),
            entry.old.clone().unwrap_or_default(),
            entry.new.clone().unwrap_or_default(),
        ]
    })
}

fn moment(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

fn head(columns: &[&str]) -> String {
    format!("{BOM}{}\r\n", columns.join(","))
}

fn lines<T>(rows: &[T], cells: impl Fn(&T) -> Vec<String>) -> String {
    let line = |row: &T| {
        let cells: Vec<String> = cells(row).iter().map(|text| cell(text)).collect();
        format!("{}\r\n", cells.join(","))
    };
    rows.iter().map(line).collect()
}

/// One cell: an apostrophe is put before text that starts like a formula; text with separators is quoted.
fn cell(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t']);
    let text = if formula { format!("'{text}") } else { text.to_owned() };
    if text.contains(['"', ',', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn csv_cells_are_neither_formulas_nor_truncated() {
        for (text, shown) in [
            ("Saw", "Saw"),
            ("=1+1", "'=1+1"),
            ("+1", "'+1"),
            ("-1", "'-1"),
            ("@x", "'@x"),
            ("\tx", "'\tx"),
            ("a,b", "\"a,b\""),
            ("=\"a\"", "\"'=\"\"a\"\"\""),
            ("a\nb", "\"a\nb\""),
            ("'x", "'x"),
        ] {
            assert_eq!(cell(text), shown);
        }
    }

    /// Parses one line as RFC 4180 specifies.
    fn read(line: &str) -> Vec<String> {
        let (mut cells, mut cell, mut quoted) = (Vec::new(), String::new(), false);
        let mut rest = line.chars().peekable();
        while let Some(c) = rest.next() {
            match c {
                '"' if quoted && rest.peek() == Some(&'"') => cell.extend(rest.next()),
                '"' => quoted = !quoted,
                ',' if !quoted => cells.push(std::mem::take(&mut cell)),
                c => cell.push(c),
            }
        }
        cells.push(cell);
        cells
    }

    proptest! {
        #[test]
        fn csv_round_trips_except_formula_quotes(texts in prop::collection::vec("(=|,|\"|\n|\r|-|'|a|é){0,6}", 1..5)) {
            let line = lines(&[&texts], |texts| texts.to_vec());
            let line = line.strip_suffix("\r\n").unwrap();
            let bare = |text: &String| text.strip_prefix('\'').unwrap_or(text).to_owned();
            let read: Vec<String> = read(line).iter().map(bare).collect();
            prop_assert_eq!(read, texts.iter().map(bare).collect::<Vec<_>>());
        }
    }
}
