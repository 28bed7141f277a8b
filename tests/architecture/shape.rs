//! Sizes, headers, and files that nobody uses.

use super::{RustFile, files, hold, root, shown, source};
use std::fs;

/// Most lines of a file, its tests apart. Look again at 300.
const WALL: usize = 500;

/// Folders that hold Rust.
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
fn no_file_is_longer_than_the_wall() {
    let long: Vec<String> = ["src", "bench/src", "migration/src", "sandbox/src"]
        .iter()
        .flat_map(|folder| files(folder, ".rs"))
        .map(|path| RustFile::read(&path))
        .filter(|file| file.lines_of_code() > WALL)
        .map(|file| format!("{}: {} lines", file.shown, file.lines_of_code()))
        .collect();
    hold("A file over 500 lines holds more than one thing:", &long);
}

#[test]
fn every_file_says_what_it_is_for() {
    let silent: Vec<String> = RUST
        .iter()
        .flat_map(|folder| files(folder, ".rs"))
        .filter(|path| !fs::read_to_string(path).unwrap().starts_with("//! "))
        .map(|path| shown(&path))
        .collect();
    hold("Every file opens with `//!`: what it owns, what it must not do, who calls it:", &silent);
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
                unused.push(shown(&path));
            }
        }
    }
    hold("Templates that `render` does not fill and no template includes:", &unused);
}

#[test]
fn every_asset_is_used() {
    let assets = source().iter().find(|file| file.shown == "src/web/pages/assets.rs").unwrap();
    let unused: Vec<String> = files("assets", "")
        .iter()
        .filter(|path| !assets.literals.iter().any(|(_, text)| path.ends_with(text)))
        .map(|path| shown(path))
        .collect();
    hold("Assets that src/web/pages/assets.rs does not name:", &unused);
}

#[test]
fn migrations_are_listed_in_their_order() {
    let listed = fs::read_to_string(root().join("migration/src/lib.rs")).unwrap();
    let at: Vec<Option<usize>> = files("migration/src", ".rs")
        .iter()
        .filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()))
        .filter(|name| name.starts_with("m0"))
        .map(|name| listed.find(&format!("Box::new({name}::")))
        .collect();
    assert!(at.iter().all(Option::is_some), "a step is missing in migration/src/lib.rs");
    assert!(at.is_sorted(), "the steps in migration/src/lib.rs are out of order");
}
