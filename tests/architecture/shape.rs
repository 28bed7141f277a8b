//! Sizes, headers and unused files.

use super::{RustFile, assert_no_violations, files, relative, root, source};
use std::fs;

/// Maximum lines of a file without its tests. Consider splitting at 300.
const MAX_LINES: usize = 500;

/// Folders with Rust files.
const RUST: &[&str] = &[
    "src",
    "bench/src",
    "migration/src",
    "sandbox/src",
    "sandbox/tests",
    "tests",
    "fuzz/src",
    "fuzz/fuzz_targets",
];

#[test]
fn files_have_at_most_500_lines() {
    let long: Vec<String> = ["src", "bench/src", "migration/src", "sandbox/src"]
        .iter()
        .flat_map(|folder| files(folder, ".rs"))
        .map(|path| RustFile::read(&path))
        .filter(|file| file.lines_of_code() > MAX_LINES)
        .map(|file| format!("{}: {} lines", file.path, file.lines_of_code()))
        .collect();
    assert_no_violations("Files over 500 lines do more than one thing; split them:", &long);
}

#[test]
fn every_file_has_a_header() {
    let silent: Vec<String> = RUST
        .iter()
        .flat_map(|folder| files(folder, ".rs"))
        .filter(|path| !fs::read_to_string(path).unwrap().starts_with("//! "))
        .map(|path| relative(&path))
        .collect();
    assert_no_violations(
        "Every file starts with `//!` (what it owns, what it must not do, who calls it):",
        &silent,
    );
}

#[test]
fn every_template_is_used() {
    let render = source().iter().filter(|file| file.top() == "render");
    let named: Vec<&String> = render.flat_map(|file| &file.literals).map(|(_, text)| text).collect();
    let templates = [("blocks", ".json.hbs"), ("templates", ".hbs")];
    let pages: Vec<String> = templates
        .iter()
        .flat_map(|(folder, ending)| files(folder, ending))
        .map(|path| fs::read_to_string(path).unwrap())
        .collect();
    let mut unused = Vec::new();
    for (folder, ending) in templates {
        for path in files(folder, ending) {
            let name = path.strip_prefix(root().join(folder)).unwrap().display().to_string();
            let name = name.trim_end_matches(ending);
            let included =
                |page: &String| ["}}", " "].iter().any(|end| page.contains(&format!("> {name}{end}")));
            if !named.iter().any(|literal| *literal == name) && !pages.iter().any(included) {
                unused.push(relative(&path));
            }
        }
    }
    assert_no_violations(
        "Unused templates (`render` does not fill them, no template includes them):",
        &unused,
    );
}

#[test]
fn every_asset_is_used() {
    let assets = source().iter().find(|file| file.path == "src/web/pages/assets.rs").unwrap();
    let unused: Vec<String> = files("assets", "")
        .iter()
        .filter(|path| !assets.literals.iter().any(|(_, text)| path.ends_with(text)))
        .map(|path| relative(path))
        .collect();
    assert_no_violations("Assets that src/web/pages/assets.rs does not name:", &unused);
}

#[test]
fn migrations_are_listed_in_their_order() {
    let listed = fs::read_to_string(root().join("migration/src/lib.rs")).unwrap();
    let at: Vec<Option<usize>> = files("migration/src", ".rs")
        .iter()
        .filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()))
        .filter(|name| name.starts_with("m0") || name == "initial_schema")
        .map(|name| listed.find(&format!("Box::new({name}::")))
        .collect();
    assert!(at.iter().all(Option::is_some), "a migration is missing in migration/src/lib.rs");
    assert!(at.is_sorted(), "the migrations in migration/src/lib.rs are out of order");
}
