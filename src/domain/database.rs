//! Database URLs: what they say without a connection; and the number of connections of a process. Must not open a
//! database. Called by `config` and `store`.

use std::path::Path;

/// Connections of one process to a database server; on SQLite it has a writer and some readers.
pub const CONNECTIONS: u32 = 8;

/// The file of a SQLite address; `None` for other databases and for one in memory.
pub fn sqlite_file(url: &str) -> Option<&Path> {
    let path = url.strip_prefix("sqlite:")?;
    let path = path.strip_prefix("//").unwrap_or(path);
    Some(Path::new(path.split_once('?').map_or(path, |(path, _)| path)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_sqlite_file_urls_have_a_file() {
        for (url, file) in [
            ("sqlite://data/esb.db", Some("data/esb.db")),
            ("sqlite:///var/lib/esb.db?mode=rwc", Some("/var/lib/esb.db")),
            ("sqlite:esb.db", Some("esb.db")),
            ("postgres://esb:secret@db/esb", None),
        ] {
            assert_eq!(sqlite_file(url), file.map(Path::new), "{url}");
        }
    }
}
