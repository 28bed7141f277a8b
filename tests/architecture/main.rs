//! Rules of the repository that the compiler does not check. ARCHITECTURE.md gives the reasons; the tables
//! here are the rules. To change a rule, edit it in the commit with the code that needs the change, so that a
//! reviewer sees both.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod databases;
mod imports;
mod placement;
mod rust;
mod shape;
mod test_names;

use rust::RustFile;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All files in a folder of the repository, recursively, whose names have this ending, sorted. Fails if there
/// are none.
#[track_caller]
pub fn files(folder: &str, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display())) {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.to_string_lossy().ends_with(ending) {
                found.push(path);
            }
        }
    }
    assert!(!found.is_empty(), "{folder} has no *{ending}: does this rule search the right folder?");
    found.sort();
    found
}

/// The parsed files of src/.
pub fn source() -> &'static [RustFile] {
    static SOURCE: OnceLock<Vec<RustFile>> = OnceLock::new();
    SOURCE.get_or_init(|| files("src", ".rs").iter().map(|path| RustFile::read(path)).collect())
}

/// The path relative to the repository's root.
pub fn relative(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).display().to_string()
}

/// Fails with a list of all violations of a rule.
#[track_caller]
pub fn assert_no_violations(rule: &str, violations: &[String]) {
    assert!(violations.is_empty(), "{rule}\n\n  {}\n", violations.join("\n  "));
}

/// A file to which a rule does not apply.
pub struct Exception {
    /// Relative to the repository's root.
    pub file: &'static str,
    pub reason: &'static str,
}

/// Violations that no exception covers, and exceptions that cover none.
pub fn unexcused(exceptions: &[Exception], violations: Vec<String>) -> Vec<String> {
    let covers =
        |exception: &Exception, violation: &String| violation.starts_with(&format!("{}:", exception.file));
    let (excused, mut left): (Vec<_>, Vec<_>) =
        violations.into_iter().partition(|violation| exceptions.iter().any(|e| covers(e, violation)));
    for exception in exceptions {
        if !excused.iter().any(|violation| covers(exception, violation)) {
            let Exception { file, reason } = exception;
            left.push(format!("{file}: its exception is unused, remove it ({reason})"));
        }
    }
    left
}
