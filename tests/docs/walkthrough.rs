//! docs/walkthrough.md is the output of the demo: the test replays its script and compares.

use super::{read, root};
use std::fs::{self, File};
use std::process::Command;

#[test]
fn walkthrough_is_the_output_of_the_demo() {
    let directory = tempfile::tempdir().unwrap();
    let page = directory.path().join("walkthrough.md");
    let played = Command::new(env!("CARGO_BIN_EXE_esb"))
        .args(["demo", "--port", "0", "--transcript"])
        .arg(&page)
        .stdin(File::open(root().join("docs/walkthrough.txt")).unwrap())
        .output()
        .unwrap();
    assert!(played.status.success(), "{}", String::from_utf8_lossy(&played.stderr));
    let (kept, played) = (read("docs/walkthrough.md"), fs::read_to_string(&page).unwrap());
    let (kept, played) = (undated(&kept), undated(&played));
    let differs = kept.lines().zip(played.lines()).find(|(kept, played)| kept != played);
    let remedy = "cargo run -- demo --transcript docs/walkthrough.md < docs/walkthrough.txt";
    assert_eq!(differs, None, "docs/walkthrough.md is out of date; to update it: {remedy}");
    assert_eq!(kept, played, "docs/walkthrough.md is out of date; to update it: {remedy}");
}

/// Dates of the demo move with the day: `28 Nov 2026` becomes `(date)`.
fn undated(text: &str) -> String {
    let words: Vec<&str> = text.split(' ').collect();
    let mut kept: Vec<&str> = Vec::new();
    let mut at = 0;
    while at < words.len() {
        let date = words.get(at..at + 3).filter(|three| is_date(three));
        let rest = date.map(|three| &three[2][4..]);
        kept.push(if date.is_some() { "(date)" } else { words[at] });
        kept.extend(rest.filter(|rest| !rest.is_empty()));
        at += if date.is_some() { 3 } else { 1 };
    }
    kept.join(" ")
}

fn is_date(words: &[&str]) -> bool {
    let [day, month, year] = words else { return false };
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    day.len() <= 2 && digits(day) && months.contains(month) && year.get(..4).is_some_and(digits)
}

#[test]
fn only_dates_are_replaced() {
    let check = |text: &str, expected: &str| assert_eq!(undated(text), expected);
    check("ETA 28 Nov 2026\nand more", "ETA (date) \nand more");
    check("ETA 2 Dec 2026 · more", "ETA (date) · more");
    check("31 machines May 2026", "31 machines May 2026");
}
