//! Addresses of databases: what can be told from one without opening it. Must not: open it. Called by
//! `config` and `store`.

use std::path::Path;

/// The file of a SQLite address; `None` for other databases and for one that is kept in memory.
pub fn sqlite_file(url: &str) -> Option<&Path> {
    let path = url.strip_prefix("sqlite:")?;
    let path = path.strip_prefix("//").unwrap_or(path);
    let (path, options) = path.split_once('?').unwrap_or((path, ""));
    let in_memory = path == ":memory:" || options.split('&').any(|option| option == "mode=memory");
    (!in_memory && !path.is_empty()).then(|| Path::new(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_sqlite_file_is_a_file() {
        for (url, file) in [
            ("sqlite://data/esb.db", Some("data/esb.db")),
            ("sqlite:///var/lib/esb.db?mode=rwc", Some("/var/lib/esb.db")),
            ("sqlite:esb.db", Some("esb.db")),
            ("sqlite::memory:", None),
            ("sqlite://shared?cache=shared&mode=memory", None),
            ("sqlite://", None),
            ("postgres://esb:secret@db/esb", None),
        ] {
            assert_eq!(sqlite_file(url), file.map(Path::new), "{url}");
        }
    }
}
