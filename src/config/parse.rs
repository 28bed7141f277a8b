//! Reads an [`Environment`] into a [`Config`], collecting every mistake.

use super::database_url::DatabaseUrl;
use super::proxy::{self, Proxy};
use super::unknown_variables::{UnknownVariables, find_unknown};
use super::{Config, ConfigErrors, Environment, LogFormat, SlackConfig, VARIABLES, value_of};
use crate::domain::channel::{ChannelError, ChannelRef};
use crate::domain::database::CONNECTIONS;
use crate::domain::file::{DiskReserve, MB};
use crate::domain::network::Network;
use crate::domain::text::cut;
use http::Uri;
use http::uri::Authority;
use secrecy::SecretString;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;
use tracing_subscriber::EnvFilter;

/// The guide's example secret. It is public, so it counts as unset.
const EXAMPLE_SECRET: &str = "dev-secret-change-me";
/// Shortest secret, in bytes.
const SECRET_MIN: usize = 16;
/// Most characters of a wrong value in an error.
const SHOWN_MAX: usize = 100;

struct Reader<'a> {
    environment: &'a Environment,
    errors: Vec<String>,
}

impl<'a> Reader<'a> {
    /// The value, or its default from [`VARIABLES`], or empty.
    fn text(&self, name: &str) -> &'a str {
        let default = || VARIABLES.iter().find(|(n, _)| *n == name).map_or("", |(_, default)| default);
        value_of(self.environment, name).unwrap_or_else(default)
    }

    /// An error with the value, unless the value is an address with credentials.
    fn wrong(&mut self, name: &str, remedy: &str) {
        let value = self.text(name);
        if value.contains('@') {
            return self.wrong_secret(name, remedy);
        }
        self.errors.push(format!("{name}={}: {remedy}", cut(value, SHOWN_MAX).escape_debug()));
    }

    fn wrong_secret(&mut self, name: &str, remedy: &str) {
        self.errors.push(format!("{name}: {remedy}"));
    }

    fn parsed<T: FromStr>(&mut self, name: &str, remedy: &str) -> Option<T> {
        let parsed = self.text(name).parse().ok();
        if parsed.is_none() {
            self.wrong(name, remedy);
        }
        parsed
    }

    fn flag(&mut self, name: &str) -> bool {
        match self.text(name).to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" | "on" => true,
            "" | "false" | "0" | "no" | "off" => false,
            _ => {
                self.wrong(name, "set it to true or false");
                false
            }
        }
    }

    fn number(&mut self, name: &str, least: u64, most: u64) -> u64 {
        let remedy = format!("give a whole number from {least} to {most}");
        match self.text(name).parse() {
            Ok(n) if (least..=most).contains(&n) => n,
            _ => {
                self.wrong(name, &remedy);
                least
            }
        }
    }
}

pub(super) fn config(environment: &Environment) -> Result<Config, ConfigErrors> {
    let mut read = Reader { environment, errors: Vec::new() };
    let data_dir = PathBuf::from(read.text("ESB_DATA_DIR"));
    let [secret_key, secret_key_previous] =
        ["SECRET_KEY", "SECRET_KEY_PREVIOUS"].map(|name| secret_key(&mut read, name));
    let database = database_url(&mut read, &data_dir);
    let upload_path = upload_path(&read, &data_dir);
    let upload_max = read.number("UPLOAD_MAX_SIZE_MB", 1, 100_000) * MB;
    let base_url = base_url(&mut read);
    let listen = read.parsed("ESB_LISTEN", "give an address and port, such as 0.0.0.0:5000");
    let trusted_proxies = trusted_proxies(&mut read);
    let slack = slack(&mut read);
    let timezone = read.parsed("TZ", "give a zone of the IANA list, such as Europe/Berlin");
    let worker_poll = Duration::from_secs(read.number("WORKER_POLL_SECONDS", 1, 3600));
    let maintenance = read.flag("MAINTENANCE_MODE");
    let log_format = log_format(&mut read);
    let log_filter = log_filter(&mut read);
    let UnknownVariables { misspelt, mut remarks } = find_unknown(environment);
    if read.text("SECRET_KEY") == EXAMPLE_SECRET {
        remarks.push(
            "SECRET_KEY is the guide's public example, which is public, so ESB uses a generated one: set your own"
                .into(),
        );
    }
    match (listen, timezone) {
        (Some(listen), Some(timezone)) if read.errors.is_empty() => Ok(Config {
            secret_key,
            secret_key_previous,
            database_url: database.url,
            database_connections: CONNECTIONS,
            base_url,
            listen,
            trusted_proxies,
            slack,
            timezone,
            worker_poll,
            worker_heartbeat: PathBuf::from(read.text("WORKER_HEARTBEAT_PATH")),
            maintenance,
            log_format,
            no_color: !read.text("NO_COLOR").is_empty(),
            log_filter,
            data_dir,
            upload_path,
            upload_max,
            disk_reserve: DiskReserve::STANDARD,
            remarks: [database.remarks, remarks].concat(),
            misspelt,
        }),
        _ => Err(ConfigErrors(read.errors)),
    }
}

fn secret_key(read: &mut Reader<'_>, name: &str) -> Option<SecretString> {
    let secret = read.text(name);
    if secret.is_empty() || secret == EXAMPLE_SECRET {
        return None;
    }
    if secret.len() < SECRET_MIN {
        read.wrong_secret(name, "too short: use at least 16 random characters, or leave it empty");
    }
    Some(secret.into())
}

fn database_url(read: &mut Reader<'_>, data_dir: &Path) -> DatabaseUrl {
    let url = read.text("DATABASE_URL");
    if url.is_empty() {
        let file = format!("sqlite://{}", data_dir.join("esb.db").display());
        return DatabaseUrl { url: file.into(), remarks: Vec::new() };
    }
    DatabaseUrl::parse(url).unwrap_or_else(|remedy| {
        read.wrong_secret("DATABASE_URL", &remedy);
        DatabaseUrl { url: url.into(), remarks: Vec::new() }
    })
}

fn upload_path(read: &Reader<'_>, data_dir: &Path) -> PathBuf {
    match read.text("UPLOAD_PATH") {
        "" => data_dir.join("uploads"),
        path => PathBuf::from(path),
    }
}

/// True for http(s) with a host, a port where there is a colon, and no credentials.
fn names_a_host(uri: &Uri) -> bool {
    let plain = |authority: &Authority| match (authority.host(), authority.port()) {
        ("", _) => false,
        (host, None) => authority.as_str() == host,
        (host, Some(port)) => *authority == format!("{host}:{port}"),
    };
    matches!(uri.scheme_str(), Some("http" | "https")) && uri.authority().is_some_and(plain)
}

/// `http(s)://host[:port]` without a path (spec "QR labels").
fn base_url(read: &mut Reader<'_>) -> Option<String> {
    let text = read.text("ESB_BASE_URL");
    if text.is_empty() {
        return None;
    }
    let origin = origin(text);
    if origin.is_none() {
        read.wrong("ESB_BASE_URL", "give http(s)://host or http(s)://host:port, without path or credentials");
    }
    origin
}

/// Parses a web address of only scheme, host and port; without the slash at its end.
pub fn origin(text: &str) -> Option<String> {
    let text = text.trim_end_matches('/');
    let uri = text.parse::<Uri>().ok()?;
    let plain = names_a_host(&uri) && uri.path_and_query().is_none_or(|path| path.as_str() == "/");
    (plain && !text.contains('#')).then(|| text.to_owned())
}

fn trusted_proxies(read: &mut Reader<'_>) -> Vec<Network> {
    let list = read.text("ESB_TRUSTED_PROXIES");
    let entries = list.split(|c: char| c == ',' || c.is_whitespace()).filter(|entry| !entry.is_empty());
    let parsed: Result<_, _> = entries.map(FromStr::from_str).collect();
    parsed.unwrap_or_else(|_| {
        let remedy = "give addresses or networks separated by commas, such as 127.0.0.1,10.0.0.0/8";
        read.wrong("ESB_TRUSTED_PROXIES", remedy);
        Vec::new()
    })
}

fn outgoing_proxy(read: &mut Reader<'_>) -> Option<Proxy> {
    let url = read.text("HTTPS_PROXY");
    let proxy = Proxy::parse(url, read.text("NO_PROXY"));
    if proxy.is_none() && !url.is_empty() {
        read.wrong_secret("HTTPS_PROXY", proxy::REMEDY);
    }
    proxy.filter(|_| !url.is_empty())
}

fn slack(read: &mut Reader<'_>) -> SlackConfig {
    let api_url = api_url(read);
    SlackConfig {
        bot_token: token(read, "SLACK_BOT_TOKEN", "xoxb-"),
        app_token: token(read, "SLACK_APP_TOKEN", "xapp-"),
        socket_mode: read.flag("SLACK_SOCKET_MODE_CONNECT"),
        oops_channel: oops_channel(read),
        api_url,
        connections: usize::try_from(read.number("SLACK_CONNECTIONS", 1, 10)).unwrap_or(1),
        signing_secret: signing_secret(read),
        proxy: outgoing_proxy(read),
    }
}

fn token(read: &mut Reader<'_>, name: &str, prefix: &str) -> Option<SecretString> {
    let token = read.text(name);
    if token.is_empty() {
        return None;
    }
    let swapped = (name == "SLACK_BOT_TOKEN" && token.starts_with("xapp-"))
        || (name == "SLACK_APP_TOKEN" && token.starts_with("xoxb-"));
    if swapped {
        read.wrong_secret(
            name,
            "the bot token and the app token are swapped: xoxb- is the bot's, xapp- the app's",
        );
    } else if !token.starts_with(prefix) {
        read.wrong_secret(
            name,
            &format!("it must start with {prefix}; copy it again from the app's settings"),
        );
    }
    Some(token.into())
}

fn signing_secret(read: &mut Reader<'_>) -> Option<SecretString> {
    let secret = read.text("SLACK_SIGNING_SECRET");
    if secret.starts_with("xox") || secret.starts_with("xapp-") {
        read.wrong_secret(
            "SLACK_SIGNING_SECRET",
            "this is a token; the signing secret is on the app's Basic Information page",
        );
    }
    (!secret.is_empty()).then(|| secret.into())
}

fn oops_channel(read: &mut Reader<'_>) -> Option<ChannelRef> {
    let text = read.text("SLACK_OOPS_CHANNEL");
    if text.eq_ignore_ascii_case("none") {
        return None;
    }
    let channel = ChannelRef::read(text);
    if let Err(error) = &channel {
        let remedy = match error {
            ChannelError::Person => "this is a person; give a channel such as #oops, its id or link, or none",
            _ => "give a channel such as #oops, its id or link, or none",
        };
        read.wrong("SLACK_OOPS_CHANNEL", remedy);
    }
    channel.ok()
}

fn api_url(read: &mut Reader<'_>) -> String {
    let text = read.text("SLACK_API_URL");
    // A `/` in a password would start the path.
    let valid = !text.contains('@') && text.parse::<Uri>().is_ok_and(|uri| names_a_host(&uri));
    if !valid {
        read.wrong("SLACK_API_URL", "give a web address such as https://slack.com/api/, without credentials");
    }
    format!("{}/", text.trim_end_matches('/'))
}

fn log_format(read: &mut Reader<'_>) -> Option<LogFormat> {
    match read.text("LOG_FORMAT") {
        "" => None,
        "json" => Some(LogFormat::Json),
        "text" => Some(LogFormat::Text),
        _ => {
            read.wrong("LOG_FORMAT", "set it to json or text");
            None
        }
    }
}

/// The filter stays text, since a parsed one cannot be cloned.
fn log_filter(read: &mut Reader<'_>) -> String {
    let text = read.text("RUST_LOG");
    if EnvFilter::try_new(text).is_err() {
        read.wrong("RUST_LOG", "give a level or levels of parts, such as warn or info,esb=debug");
    }
    text.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use secrecy::ExposeSecret;

    fn environment(pairs: &[(&str, &str)]) -> Environment {
        pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect()
    }

    #[track_caller]
    fn errors(pairs: &[(&str, &str)]) -> Vec<String> {
        config(&environment(pairs)).map(|_| ()).unwrap_err().0
    }

    #[test]
    fn empty_environment_is_valid() {
        let config = config(&Environment::new()).unwrap();
        assert_eq!(config.database_url.expose_secret(), "sqlite://data/esb.db");
        assert_eq!(config.listen.port(), 5000);
        assert_eq!(config.slack.oops_channel.as_ref().unwrap().as_str(), "#oops");
        assert!(!config.slack.socket_mode_enabled());
        assert_eq!(config.slack.connections, 2);
    }

    #[test]
    fn all_errors_are_reported_without_secrets() {
        let all = errors(&[
            ("SECRET_KEY", "tiny"),
            ("DATABASE_URL", "oracle://scott:tiger@db/x"),
            ("ESB_BASE_URL", "https://esb.example.org/path"),
            ("ESB_LISTEN", "5000"),
            ("ESB_TRUSTED_PROXIES", "10.0.0.0/8,proxy"),
            ("https_proxy", "socks5://esb:secret@proxy:1080"),
            ("SLACK_BOT_TOKEN", "xapp-1-secret"),
            ("SLACK_APP_TOKEN", "hunter2"),
            ("SLACK_SOCKET_MODE_CONNECT", "maybe"),
            ("SLACK_OOPS_CHANNEL", "a b"),
            ("SLACK_API_URL", "slack"),
            ("SLACK_CONNECTIONS", "11"),
            ("TZ", "Mars/Olympus"),
            ("WORKER_POLL_SECONDS", "0"),
            ("LOG_FORMAT", "xml"),
            ("RUST_LOG", "info,esb=loud"),
        ]);
        assert_eq!(all.len(), 16, "{all:#?}");
        let text = all.join("\n");
        for secret in ["tiny", "tiger", "secret", "hunter2"] {
            assert!(!text.contains(secret), "{secret} in {text}");
        }
        assert!(text.contains("swapped"));
        assert!(text.contains("TZ=Mars/Olympus"));
    }

    #[test]
    fn wrong_value_is_one_line_without_credentials() {
        for name in ["ESB_BASE_URL", "SLACK_API_URL"] {
            for secret in
                ["https://ana:hunter2@esb.org", "https://ana:hunter2/x@esb.org", "https://ana:80/hunter2@x"]
            {
                let all = errors(&[(name, secret)]);
                assert!(all.len() == 1 && !all[0].contains("hunter2"), "{all:?}");
            }
        }
        let all = errors(&[("TZ", &format!("Mars\nOlympus{}", "x".repeat(1000)))]);
        assert!(all[0].starts_with("TZ=Mars\\nOlympusxx") && all[0].len() < 200, "{all:?}");
    }

    #[test]
    fn base_url_is_an_origin() {
        for (given, kept) in [
            ("http://esb.local:8080/", "http://esb.local:8080"),
            ("https://a.org", "https://a.org"),
            ("http://[::1]:80", "http://[::1]:80"),
        ] {
            let config = config(&environment(&[("ESB_BASE_URL", given)])).unwrap();
            assert_eq!(config.base_url.as_deref(), Some(kept));
        }
        for bad in [
            "esb.local",
            "ftp://a.org",
            "http://u:p@a.org",
            "http://a.org/?q",
            "http://a.org/#x",
            "http://",
            "http://a.org:x",
            "http://a.org:99999",
        ] {
            assert_eq!(errors(&[("ESB_BASE_URL", bad)]).len(), 1, "{bad}");
        }
    }

    #[test]
    fn proxies_are_read_in_either_case() {
        let proxy = |pairs: &[(&str, &str)]| config(&environment(pairs)).unwrap().slack.proxy;
        let shown = |pairs: &[(&str, &str)]| proxy(pairs).map(|proxy| (proxy.to_string(), proxy.direct));
        let (upper, lower) = (("HTTPS_PROXY", "http://a:1"), ("https_proxy", "http://b:2"));
        assert_eq!(shown(&[upper, lower]), Some(("http://a:1".into(), String::new())));
        assert_eq!(
            shown(&[lower, ("HTTPS_PROXY", " "), ("no_proxy", "c.lan")]),
            Some(("http://b:2".into(), "c.lan".into()))
        );
        assert!(proxy(&[("NO_PROXY", "*")]).is_none());
    }

    #[test]
    fn trusted_proxies_are_addresses_and_networks() {
        let listed = [("ESB_TRUSTED_PROXIES", "127.0.0.1, 10.0.0.0/8 fd00::/8")];
        let config = config(&environment(&listed)).unwrap();
        let trusts =
            |address: &str| config.trusted_proxies.iter().any(|it| it.contains(address.parse().unwrap()));
        assert!(["127.0.0.1", "10.9.8.7", "::ffff:10.9.8.7", "fd12::1"].into_iter().all(trusts));
        assert!(!["127.0.0.2", "11.0.0.1", "fe80::1"].into_iter().any(trusts));
    }

    #[test]
    fn example_secret_counts_as_unset() {
        let environment =
            environment(&[("SECRET_KEY", EXAMPLE_SECRET), ("FLASK_APP", "esb"), ("FLASK_DEBUG", "1")]);
        let config = config(&environment).unwrap();
        assert!(config.secret_key.is_none());
        let remarks = config.remarks;
        assert_eq!(remarks.len(), 3);
        assert!(
            remarks[0].contains("FLASK_APP") && remarks[2].contains("the guide's public example"),
            "{remarks:?}"
        );
    }

    #[test]
    fn database_file_is_shown_by_absolute_path() {
        let config = config(&Environment::new()).unwrap();
        let here = std::env::current_dir().unwrap();
        assert_eq!(config.database_for_log(), format!("sqlite://{}/data/esb.db", here.display()));
    }

    /// Part of every secret.
    const PLANTED: &str = "hunter2-7c1e";

    /// A value that may be right, nearly right or anything at all; secrets hold [`PLANTED`].
    fn value(name: &'static str) -> BoxedStrategy<String> {
        let address =
            format!("(https?|sqlite|mysql|postgres|x)://u:{PLANTED}@(h|h:80|h:x|)(/|/db|/db\\?x=1)?");
        match name {
            "SECRET_KEY" | "SECRET_KEY_PREVIOUS" => text(format!("(.{{0,9}}){PLANTED}")),
            "SLACK_BOT_TOKEN" | "SLACK_APP_TOKEN" => text(format!("(xoxb-|xapp-|.{{0,4}}){PLANTED}")),
            "DATABASE_URL" => text(address),
            "HTTPS_PROXY" => {
                prop_oneof![text(address), text(format!("(http://)?u:{PLANTED}@(h|h:80|h:x)(/|#)?"))].boxed()
            }
            "ESB_BASE_URL" | "SLACK_API_URL" => prop_oneof![text(address), "(http://h/?|.{0,30})"].boxed(),
            _ => prop_oneof![
                any::<String>(),
                "(true|off|json|text|none|#a|C0123ABCD|[0-9]{1,5}|0\\.0\\.0\\.0:5000|::1|UTC)"
            ]
            .boxed(),
        }
    }

    fn text(regex: String) -> BoxedStrategy<String> {
        prop::string::string_regex(&regex).unwrap().boxed()
    }

    fn any_environment() -> impl Strategy<Value = Environment> {
        let each: Vec<_> = VARIABLES
            .iter()
            .map(|(name, _)| prop::option::of(value(name)).prop_map(|value| ((*name).to_owned(), value)))
            .collect();
        each.prop_map(|pairs| pairs.into_iter().filter_map(|(name, value)| Some((name, value?))).collect())
    }

    proptest! {
        #[test]
        fn any_environment_parses_or_fails_without_secrets(environment in any_environment()) {
            match config(&environment) {
                Ok(config) => {
                    let shown = format!("{config:?} {}", config.remarks.join(" "));
                    prop_assert!(!shown.contains(PLANTED), "{}", shown);
                    prop_assert!((1..=10).contains(&config.slack.connections));
                    prop_assert!((1..=3600).contains(&config.worker_poll.as_secs()));
                    prop_assert!(config.slack.api_url.ends_with('/'));
                    let plain = |url: &String| !url.ends_with('/') && !url.contains(['@', '?', '#']);
                    prop_assert!(config.base_url.iter().all(plain), "{:?}", config.base_url);
                }
                Err(ConfigErrors(errors)) => {
                    prop_assert!(!errors.is_empty());
                    for error in errors {
                        prop_assert!(VARIABLES.iter().any(|(name, _)| error.starts_with(name)), "{}", error);
                        prop_assert!(!error.contains(PLANTED), "{}", error);
                        prop_assert!(!error.chars().any(char::is_control), "{:?}", error);
                    }
                }
            }
        }
    }
}
