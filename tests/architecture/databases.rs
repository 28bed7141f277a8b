//! Which modules of tests/it run on every database: tests/it/main.rs lists them in two groups, and `.ci/run`
//! passes the first one as filters.

use super::{Exception, assert_no_violations, root, unexcused};
use std::collections::BTreeSet;
use std::fs;

const EVERY_DATABASE: &str = "// On every database:";
const SQLITE_ONLY: &str = "// On SQLite only:";

/// Modules whose names start like this test operations, deliveries, jobs or the import.
const SQL_PREFIXES: &[&str] = &["ops_", "delivery", "jobs", "legacy", "store_schema", "slack_threads"];

/// Modules declared before the groups, and in each of them.
fn groups() -> [Vec<String>; 3] {
    let mut groups = [const { Vec::new() }; 3];
    let mut group = 0;
    for line in fs::read_to_string(root().join("tests/it/main.rs")).unwrap().lines() {
        match line {
            EVERY_DATABASE => group = 1,
            SQLITE_ONLY => group = 2,
            line => {
                let name = line.strip_prefix("mod ").and_then(|rest| rest.strip_suffix(';'));
                groups[group].extend(name.map(str::to_owned));
            }
        }
    }
    groups
}

#[test]
fn every_integration_module_is_in_one_group() {
    let [ungrouped, everywhere, sqlite] = groups();
    assert_eq!(ungrouped, ["support"], "move the other modules into a group of tests/it/main.rs");
    let declared: BTreeSet<String> = everywhere.into_iter().chain(sqlite).collect();
    let entries = fs::read_dir(root().join("tests/it")).unwrap().map(|entry| entry.unwrap().path());
    let files: BTreeSet<String> = entries
        .filter(|path| path.extension().is_some_and(|ending| ending == "rs"))
        .map(|path| path.file_stem().unwrap().to_string_lossy().into_owned())
        .filter(|name| name != "main")
        .collect();
    assert_eq!(declared, files, "the groups in tests/it/main.rs and the files in tests/it differ");
}

#[test]
fn sql_modules_run_on_every_database() {
    let [_, everywhere, sqlite] = groups();
    assert!(!everywhere.is_empty());
    let violations = sqlite.iter().filter_map(|name| {
        let text = fs::read_to_string(root().join(format!("tests/it/{name}.rs"))).unwrap();
        let is_sql = SQL_PREFIXES.iter().any(|prefix| name.starts_with(prefix));
        let depends = is_sql || text.contains("Kind::from_env()");
        depends.then(|| format!("tests/it/{name}.rs: belongs to \"{EVERY_DATABASE}\" in tests/it/main.rs"))
    });
    let exceptions = [Exception { file: "tests/it/web_disk_full.rs", reason: "its full disk is SQLite's" }];
    assert_no_violations(
        "Tests that depend on the database run on each of them:",
        &unexcused(&exceptions, violations.collect()),
    );
}

/// The test harness matches filters anywhere in a name: `jobs::` matches `web_jobs::` too.
#[test]
fn filters_match_only_their_group() {
    let [_, everywhere, sqlite] = groups();
    let matched = |name: &&String| everywhere.iter().any(|filter| name.ends_with(filter.as_str()));
    let violations: Vec<String> = sqlite.iter().filter(matched).cloned().collect();
    assert_no_violations("Move these modules to the first group, or rename them:", &violations);
}
