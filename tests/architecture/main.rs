//! Rules of the repository that no compiler checks. ARCHITECTURE.md says why each of them holds; the
//! tables here are the rules themselves. A rule that stands in somebody's way is changed here, in the
//! same commit as the code that needs it, so that a reviewer sees both.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod imports;
mod placement;
mod rust;
mod shape;

use rust::RustFile;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// The repository.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All files below a folder of the repository whose name ends so, by path; none may be missing.
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
    assert!(!found.is_empty(), "{folder} has no *{ending}: does this rule look in the right place?");
    found.sort();
    found
}

/// The program's own source, read.
pub fn source() -> &'static [RustFile] {
    static SOURCE: OnceLock<Vec<RustFile>> = OnceLock::new();
    SOURCE.get_or_init(|| files("src", ".rs").iter().map(|path| RustFile::read(path)).collect())
}

/// The path as people write it, from the repository's root.
pub fn shown(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).display().to_string()
}

/// Fails with every breach of a rule at once.
#[track_caller]
pub fn hold(rule: &str, breaches: &[String]) {
    assert!(breaches.is_empty(), "{rule}\n\n  {}\n", breaches.join("\n  "));
}

/// A place where a rule does not hold, and why that is right.
pub struct Exception {
    /// The file, from the repository's root.
    pub file: &'static str,
    /// Why.
    pub reason: &'static str,
}

/// Breaches outside the exceptions; an exception that is no longer needed is a breach of its own.
pub fn beyond(exceptions: &[Exception], breaches: Vec<String>) -> Vec<String> {
    let covers = |exception: &Exception, breach: &String| breach.starts_with(&format!("{}:", exception.file));
    let (excused, mut left): (Vec<_>, Vec<_>) =
        breaches.into_iter().partition(|breach| exceptions.iter().any(|e| covers(e, breach)));
    for exception in exceptions {
        if !excused.iter().any(|breach| covers(exception, breach)) {
            let Exception { file, reason } = exception;
            left.push(format!("{file}: needs its exception no longer; take it out ({reason})"));
        }
    }
    left
}
