//! The documents match the program: names, tables, links, and a walkthrough that is replayed.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod configuration;
mod containers;
mod manifest;
mod manifest_rules;
mod names;
mod walkthrough;
mod words;

use std::fs;
use std::path::{Path, PathBuf};

pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[track_caller]
pub fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

/// Every document: the ones in the root, in docs/ and in docs/adr/.
pub fn documents() -> Vec<PathBuf> {
    let mut found = Vec::new();
    for folder in [root().to_owned(), root().join("docs"), root().join("docs/adr")] {
        let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        found.extend(entries.filter(|path| path.extension().is_some_and(|ending| ending == "md")));
    }
    found.sort();
    found
}

/// Rows of the table under a heading, without its two head rows, as trimmed cells.
#[track_caller]
pub fn table(page: &str, heading: &str) -> Vec<Vec<String>> {
    let (_, after) =
        page.split_once(&format!("{heading}\n")).unwrap_or_else(|| panic!("no heading {heading}"));
    let rows =
        after.lines().skip_while(|line| !line.starts_with('|')).take_while(|line| line.starts_with('|'));
    let cells = |row: &str| row.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect();
    rows.skip(2).map(cells).collect()
}

/// The parts of a text in backticks.
pub fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// The files of a folder of the repository, recursively, whose names have this ending.
#[track_caller]
pub fn files(folder: &str, ending: &str) -> Vec<PathBuf> {
    let (mut folders, mut found) = (vec![root().join(folder)], Vec::new());
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else if path.to_string_lossy().ends_with(ending) {
                found.push(path);
            }
        }
    }
    assert!(!found.is_empty(), "{folder} has no *{ending}");
    found
}

/// Every Rust file of these folders: its path and its text.
pub fn rust_files(folders: &[&str]) -> Vec<(String, String)> {
    let paths = folders.iter().flat_map(|folder| files(folder, ".rs"));
    paths.map(|path| (path.display().to_string(), fs::read_to_string(path).unwrap())).collect()
}
