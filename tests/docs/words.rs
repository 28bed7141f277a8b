//! Words that documents, templates and blocks avoid.

use super::{documents, files, root};
use std::fs;

/// Words that make sentences hard to read, in all their forms.
const UNWANTED: &[&str] =
    &["whoever", "whatever", "anew", "heed", "heeds", "heeded", "heeding", "heedless", "owed", "meanwhile"];

/// Unwanted words of a text, with their lines.
fn unwanted(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (i, line) in text.lines().enumerate() {
        let words = line.split(|c: char| !c.is_alphanumeric() && c != '_').map(str::to_lowercase);
        found.extend(words.filter(|word| UNWANTED.contains(&word.as_str())).map(|word| (i + 1, word)));
    }
    found
}

#[test]
fn pages_avoid_unwanted_words() {
    let mut pages = documents();
    pages.extend(files("templates", ".hbs"));
    pages.extend(files("blocks", ".hbs"));
    let mut found = Vec::new();
    for page in pages {
        for (line, word) in unwanted(&fs::read_to_string(&page).unwrap()) {
            found.push(format!("{}:{line}: {word}", page.strip_prefix(root()).unwrap().display()));
        }
    }
    assert!(found.is_empty(), "use plainer words:\n\n  {}\n", found.join("\n  "));
}

#[test]
fn unwanted_words_are_found_in_any_case() {
    let text = "Meanwhile, it is followed.\nWritten anew: `owed`, heeded; whatsoever";
    let found = unwanted(text);
    let words: Vec<(usize, &str)> = found.iter().map(|(line, word)| (*line, word.as_str())).collect();
    assert_eq!(words, [(1, "meanwhile"), (2, "anew"), (2, "owed"), (2, "heeded")]);
}
