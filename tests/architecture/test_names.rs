//! Names of tests: at most eight words.

use super::{assert_no_violations, files, relative};
use std::fs;

const MAX_WORDS: usize = 8;

/// Names of the tests in a Rust file, with their lines.
fn tests(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut is_test = false;
    for (i, line) in text.lines().map(str::trim_start).enumerate() {
        is_test |= line.starts_with("#[test]") || line.starts_with("#[tokio::test");
        if let Some((_, rest)) = line.split_once("fn ").filter(|_| is_test && !line.starts_with("//")) {
            let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
            found.push((i + 1, &rest[..end]));
            is_test = false;
        }
    }
    found
}

#[test]
fn test_names_have_at_most_eight_words() {
    let mut long = Vec::new();
    for path in ["src", "tests"].iter().flat_map(|folder| files(folder, ".rs")) {
        let text = fs::read_to_string(&path).unwrap();
        for (line, name) in tests(&text) {
            if name.split('_').filter(|word| !word.is_empty()).count() > MAX_WORDS {
                long.push(format!("{}:{line}: {name}", relative(&path)));
            }
        }
    }
    let rule = format!("{} names of tests have more than {MAX_WORDS} words:", long.len());
    assert_no_violations(&rule, &long);
}

#[test]
fn tests_are_found_by_attribute() {
    let text = "#[test]\nfn one() {}\nfn two() {}\n    #[tokio::test(flavor = \"x\")]\n    // fn no\n    \
                async fn three() {}\n#[test]\nfn four(a in 0..9) {}\n";
    assert_eq!(tests(text), [(2, "one"), (6, "three"), (8, "four")]);
}
