//! Parses `DATABASE_URL` and translates SQLAlchemy's spelling, which users of the Python system have, to the drivers'.

use secrecy::{ExposeSecret, SecretString};
use std::fmt;

/// An address that the store can open.
#[derive(Debug)]
pub struct DatabaseUrl {
    /// `sqlite:…`, `mysql://…` or `postgres://…`.
    pub url: SecretString,
    /// Sentences about options without effect.
    pub(super) remarks: Vec<String>,
}

/// Remedy for an invalid URL.
const REMEDY: &str = "give sqlite:///path/to/esb.db, mysql://user:password@host/database or \
                      postgres://user:password@host/database, or leave it empty for SQLite in the data directory";

/// Options of pymysql and their names in the driver; `None`: always on.
const PYMYSQL: [(&str, Option<&str>); 3] =
    [("ssl_ca", Some("ssl-ca")), ("unix_socket", Some("socket")), ("charset", None)];
/// Options that the driver of MariaDB knows.
const MARIADB: [&str; 8] = [
    "ssl-mode",
    "sslmode",
    "ssl-ca",
    "ssl-cert",
    "ssl-key",
    "socket",
    "statement-cache-capacity",
    "collation",
];
/// Options that the driver of PostgreSQL knows.
const POSTGRES: [&str; 13] = [
    "sslmode",
    "sslrootcert",
    "sslcert",
    "sslkey",
    "statement-cache-capacity",
    "host",
    "hostaddr",
    "port",
    "dbname",
    "user",
    "password",
    "application_name",
    "options",
];

impl DatabaseUrl {
    /// # Errors
    /// The remedy, without any part of the URL.
    pub fn parse(url: &str) -> Result<Self, String> {
        let (scheme, rest) = url.split_once(':').ok_or(REMEDY)?;
        match scheme {
            "sqlite" => sqlite(url, rest),
            "mysql" | "mariadb" | "mysql+pymysql" | "mariadb+pymysql" => {
                server("mysql", rest, translate_pymysql)
            }
            "postgres" | "postgresql" => server("postgres", rest, |name, value| {
                POSTGRES.contains(&name).then(|| Some(format!("{name}={value}")))
            }),
            _ => Err(REMEDY.to_owned()),
        }
    }
}

impl fmt::Display for DatabaseUrl {
    /// Without user, password and options.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&for_log(self.url.expose_secret()))
    }
}

fn sqlite(url: &str, rest: &str) -> Result<DatabaseUrl, String> {
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    if path.trim_start_matches('/').is_empty() || path.contains(":memory:") || query.contains("mode=memory") {
        return Err("a database in memory loses all data when ESB stops: give a file, such as \
                    sqlite:///path/to/esb.db"
            .to_owned());
    }
    Ok(DatabaseUrl { url: url.into(), remarks: Vec::new() })
}

/// `None`: unknown; `Some(None)`: known and not needed.
fn translate_pymysql(name: &str, value: &str) -> Option<Option<String>> {
    let known = PYMYSQL.iter().find(|(theirs, _)| *theirs == name);
    match known {
        // Naming an authority means that the server's certificate is to be checked.
        Some((_, Some("ssl-ca"))) => Some(Some(format!("ssl-ca={value}&ssl-mode=VERIFY_CA"))),
        Some((_, ours)) => Some(ours.map(|ours| format!("{ours}={value}"))),
        None => MARIADB.contains(&name).then(|| Some(format!("{name}={value}"))),
    }
}

fn server(
    scheme: &str,
    rest: &str,
    translate: impl Fn(&str, &str) -> Option<Option<String>>,
) -> Result<DatabaseUrl, String> {
    let address = rest.strip_prefix("//").ok_or(REMEDY)?;
    let (place, query) = address.split_once('?').unwrap_or((address, ""));
    // Otherwise the rest of such a password would count as an option, and a remark would show it.
    if query.contains('@') {
        return Err("write a “?” of the password as %3F, and an “@” of an option as %40".to_owned());
    }
    let (_, database) = place.rsplit_once('/').ok_or(REMEDY)?;
    let names_it = query.split('&').any(|option| option.starts_with("dbname="));
    if database.is_empty() && !names_it {
        return Err(format!("the name of the database is missing: {REMEDY}"));
    }
    let (mut options, mut remarks) = (Vec::new(), Vec::new());
    for option in query.split('&').filter(|option| !option.is_empty()) {
        let (name, value) = option.split_once('=').unwrap_or((option, ""));
        match translate(name, value) {
            Some(option) => options.extend(option),
            None => {
                remarks.push(format!("DATABASE_URL: the option {name} is unknown and has no effect"));
            }
        }
    }
    let url = match options.join("&") {
        none if none.is_empty() => format!("{scheme}://{place}"),
        options => format!("{scheme}://{place}?{options}"),
    };
    Ok(DatabaseUrl { url: url.into(), remarks })
}

/// The URL without user, password and options.
pub(super) fn for_log(url: &str) -> String {
    let place = url.split_once('?').map_or(url, |(place, _)| place);
    match (place.split_once("://"), place.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, rest))) => format!("{scheme}://{rest}"),
        _ => place.to_owned(),
    }
}

/// Host and port of a server, or its socket; `None` for SQLite. Never user or password.
pub(super) fn server_of(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    let (usual, socket) = match scheme {
        "mysql" => (3306, "socket"),
        "postgres" => (5432, "host"),
        _ => return None,
    };
    let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
    let option = |wanted: &str| {
        let named = query.split('&').filter_map(|option| option.split_once('='));
        named.filter(|(name, _)| *name == wanted).map(|(_, value)| value).next_back()
    };
    if let Some(path) =
        option(socket).map(|path| path.replace("%2F", "/")).filter(|path| path.starts_with('/'))
    {
        return Some(path);
    }
    let (place, _) = place.rsplit_once('/').unwrap_or((place, ""));
    let place = place.rsplit_once('@').map_or(place, |(_, place)| place);
    let host = option(socket).unwrap_or(if place.is_empty() { "localhost" } else { place });
    let has_port = host.rsplit_once(':').is_some_and(|(_, port)| port.bytes().all(|b| b.is_ascii_digit()));
    let port = option("port").map_or_else(|| usual.to_string(), str::to_owned);
    Some(if has_port { host.to_owned() } else { format!("{host}:{port}") })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(given: &str, ours: &str) {
        let parsed = DatabaseUrl::parse(given).unwrap();
        assert_eq!(parsed.url.expose_secret(), ours, "{given}");
        assert_eq!(parsed.remarks, Vec::<String>::new(), "{given}");
    }

    #[test]
    fn usual_spellings_are_translated() {
        check("sqlite:///srv/esb/esb.db", "sqlite:///srv/esb/esb.db");
        check("sqlite://data/esb.db?mode=rwc", "sqlite://data/esb.db?mode=rwc");
        check("mysql://esb:p%40ss@db:3307/esb", "mysql://esb:p%40ss@db:3307/esb");
        check("mariadb://db/esb", "mysql://db/esb");
        check("mysql+pymysql://root@db/esb?charset=utf8mb4", "mysql://root@db/esb");
        check(
            "mysql+pymysql://root@db/esb?charset=utf8&unix_socket=/run/mysqld.sock",
            "mysql://root@db/esb?socket=/run/mysqld.sock",
        );
        check(
            "mysql+pymysql://u@db/esb?ssl_ca=/ca.pem",
            "mysql://u@db/esb?ssl-ca=/ca.pem&ssl-mode=VERIFY_CA",
        );
        check("postgresql://db/esb?sslmode=require", "postgres://db/esb?sslmode=require");
        check("postgres:///esb?host=/run/postgresql", "postgres:///esb?host=/run/postgresql");
        check("postgres://db/?dbname=esb", "postgres://db/?dbname=esb");
    }

    #[test]
    fn unknown_option_is_reported() {
        let parsed =
            DatabaseUrl::parse("mysql+pymysql://u:secret@db/esb?read_timeout=5&charset=utf8").unwrap();
        assert_eq!(parsed.url.expose_secret(), "mysql://u:secret@db/esb");
        assert_eq!(parsed.remarks.len(), 1);
        assert!(parsed.remarks[0].contains("read_timeout") && !parsed.remarks[0].contains("secret"));
    }

    #[test]
    fn invalid_urls_are_rejected() {
        for wrong in [
            "esb.db",
            "sqlite:",
            "sqlite::memory:",
            "sqlite://:memory:",
            "sqlite://x?mode=memory&cache=shared",
            "mysql:db/esb",
            "mysql://db",
            "mysql://db/",
            "postgres://db/?sslmode=require",
            "oracle://scott:tiger@db/x",
        ] {
            let remedy = DatabaseUrl::parse(wrong).unwrap_err();
            assert!(remedy.contains("sqlite:///path") && !remedy.contains("tiger"), "{wrong}: {remedy}");
        }
    }

    #[test]
    fn password_with_question_mark_is_refused_and_hidden() {
        let remedy = DatabaseUrl::parse("mysql://esb:hun/ter?hunter2@db/esb").unwrap_err();
        assert!(remedy.contains("%3F") && !remedy.contains("hunter2"), "{remedy}");
    }

    #[test]
    fn log_shows_host_and_database_only() {
        assert_eq!(for_log("postgres://esb:p@ss@db/esb?password=x"), "postgres://db/esb");
        assert_eq!(for_log("sqlite:///srv/esb.db"), "sqlite:///srv/esb.db");
        assert_eq!(for_log("mysql://db/esb?ssl-key=/k"), "mysql://db/esb");
    }

    #[test]
    fn server_is_shown_with_port() {
        for (url, server) in [
            ("mysql://esb:p%40ss@db/esb", Some("db:3306")),
            ("mysql://esb:p@ss@db:3307/esb?ssl-ca=/ca.pem", Some("db:3307")),
            ("mysql://u@db/esb?socket=%2Frun/mysqld.sock", Some("/run/mysqld.sock")),
            ("postgres://esb:secret@[::1]/esb", Some("[::1]:5432")),
            ("postgres://[::1]:5433/esb", Some("[::1]:5433")),
            ("postgres:///esb?host=/run/postgresql", Some("/run/postgresql")),
            ("postgres:///esb", Some("localhost:5432")),
            ("postgres://db/?dbname=esb&port=6432", Some("db:6432")),
            ("sqlite:///srv/esb.db", None),
        ] {
            assert_eq!(server_of(url).as_deref(), server, "{url}");
        }
    }

    proptest! {
        #[test]
        fn password_is_never_shown(password in "[a-zA-Z0-9:@%]{6,20}", option in "[a-z_]{1,12}") {
            let url = format!("mysql+pymysql://esb:{password}@db.example/esb?{option}=1");
            let parsed = DatabaseUrl::parse(&url).unwrap();
            prop_assert_eq!(for_log(parsed.url.expose_secret()), "mysql://db.example/esb");
            prop_assert_eq!(server_of(parsed.url.expose_secret()).unwrap(), "db.example:3306");
            prop_assert!(parsed.remarks.iter().all(|remark| !remark.contains(&password)));
        }
    }
}
