//! Names in documents: links, decisions, commands, metrics, log lines, invariants.

use super::{documents, quoted, read, root, table};
use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

#[test]
fn links_lead_to_existing_files() {
    let mut broken = Vec::new();
    for page in documents() {
        let text = fs::read_to_string(&page).unwrap();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let path = link.split('#').next().unwrap_or_default();
            let ours = !path.is_empty() && !link.contains("://") && !link.starts_with("mailto:");
            if ours && !page.parent().unwrap().join(path).exists() {
                broken.push(format!("{}: {link}", page.display()));
            }
        }
    }
    assert_eq!(broken, Vec::<String>::new());
}

#[test]
fn decisions_are_in_the_index() {
    let index = read("docs/adr/README.md");
    let decisions = fs::read_dir(root().join("docs/adr")).unwrap().map(|entry| entry.unwrap().file_name());
    for name in decisions.map(|name| name.to_string_lossy().into_owned()).filter(|name| name != "README.md") {
        assert!(index.contains(&format!("]({name})")), "docs/adr/README.md does not list {name}");
    }
}

#[test]
fn documented_commands_exist() {
    let help = Command::new(env!("CARGO_BIN_EXE_esb")).arg("--help").output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let known: BTreeSet<&str> = help
        .lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert!(known.contains("serve"), "{help}");
    for page in documents() {
        let text = fs::read_to_string(&page).unwrap();
        for code in quoted(&text).filter_map(|code| code.strip_prefix("esb ")) {
            let command = code.split_whitespace().next().unwrap_or_default();
            assert!(
                known.contains(command) || command.starts_with(['-', '<']),
                "{}: esb {code}",
                page.display()
            );
        }
    }
    let guide = read("docs/administrators.md");
    let listed: BTreeSet<String> = table(&guide, "## Commands")
        .iter()
        .filter_map(|row| quoted(&row[0]).next()?.split_whitespace().nth(1).map(str::to_owned))
        .collect();
    let all: BTreeSet<String> =
        known.iter().filter(|name| **name != "help").map(ToString::to_string).collect();
    assert_eq!(listed, all, "docs/administrators.md, \"Commands\"");
}

/// Names of the metrics that the source registers.
fn metrics() -> BTreeSet<String> {
    let source = read("src/metrics.rs") + &read("src/web/pages/metrics.rs");
    let names =
        source.split('"').filter(|text| text.starts_with("esb_") && !text.contains(char::is_whitespace));
    names.map(str::to_owned).collect()
}

#[test]
fn documented_metrics_are_the_registered_ones() {
    let registered = metrics();
    assert!(registered.len() >= 10, "{registered:?}");
    let rows = table(&read("docs/reference.md"), "## `GET /metrics`");
    let documented: BTreeSet<String> = rows
        .iter()
        .filter_map(|row| quoted(&row[0]).next())
        .map(|name| name.split('{').next().unwrap_or_default().trim_end_matches("_total").to_owned())
        .collect();
    assert_eq!(documented, registered);
}

#[test]
fn metrics_named_in_documents_exist() {
    let registered = metrics();
    for page in documents() {
        let text = fs::read_to_string(&page).unwrap();
        let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        for name in text.split(|c| !word(c)).filter(|word| word.starts_with("esb_")) {
            let bare = ["_total", "_bucket", "_count", "_sum"]
                .iter()
                .find_map(|suffix| name.strip_suffix(suffix))
                .filter(|bare| registered.contains(*bare))
                .unwrap_or(name);
            let others = ["esb_bench", "esb_migration", "esb_sandbox", "esb_dev_password"];
            assert!(registered.contains(bare) || others.contains(&bare), "{}: {name}", page.display());
        }
    }
}

#[test]
fn documented_log_lines_are_written() {
    let guide = read("docs/administrators.md");
    let source: String = super::rust_files(&["src"]).into_iter().map(|(_, text)| text).collect();
    for row in table(&guide, "### Lines to alert on") {
        let line = quoted(&row[0]).next().unwrap();
        for part in line.split("<id>").map(str::trim).filter(|part| !part.is_empty()) {
            assert!(source.contains(part), "no code logs \"{part}\"");
        }
    }
    for row in table(&guide, "## When something is wrong") {
        for line in quoted(&row[1]).filter(|line| line.contains(' ') && !line.starts_with("esb ")) {
            assert!(source.contains(line), "no code logs \"{line}\"");
        }
    }
}

#[test]
fn invariants_name_existing_tests() {
    let page = read("docs/invariants.md");
    let sources = super::rust_files(&["src", "tests"]);
    let exists = |file: &str, test: &str| {
        let (file, test) = (format!("/{file}.rs"), format!("fn {test}("));
        sources.iter().any(|(path, text)| path.ends_with(&file) && text.contains(&test))
    };
    for invariant in page.split("\n## ").skip(1) {
        let (name, text) = invariant.split_once('\n').unwrap();
        let tests: Vec<_> = text
            .lines()
            .filter_map(|line| line.strip_prefix("- `")?.strip_suffix('`')?.split_once("::"))
            .collect();
        assert!(!tests.is_empty(), "docs/invariants.md: no test for {name}");
        for (file, test) in tests {
            assert!(exists(file, test), "docs/invariants.md: there is no test {file}::{test}");
        }
    }
}

#[test]
fn architecture_md_lists_the_same_invariants() {
    let (page, map) = (read("docs/invariants.md"), read("ARCHITECTURE.md"));
    let names: Vec<&str> = page.lines().filter_map(|line| line.strip_prefix("## ")).collect();
    for (i, name) in names.iter().enumerate() {
        assert!(name.starts_with(&format!("{}. ", i + 1)), "docs/invariants.md: the number of {name}");
        assert!(map.lines().any(|line| line == *name), "ARCHITECTURE.md lacks the line {name}");
    }
    assert!(names.len() > 20, "{names:?}");
}
