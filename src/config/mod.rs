//! `Config`: the only reader of the environment. Reports every error at once, names variable, value
//! (never a secret's) and remedy. See `.env.example` for the reader's side.

use crate::domain::channel::ChannelRef;
use crate::domain::database::sqlite_file;
use crate::domain::file::DiskReserve;
use crate::domain::network::Network;
use crate::domain::zone::Zone;
use secrecy::{ExposeSecret, SecretString};
use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

mod database_url;
mod unknown_variables;
mod parse;
mod proxy;
mod secret_key;
mod sources;

pub use database_url::DatabaseUrl;
pub use parse::origin;
pub use proxy::Proxy;
pub use secret_key::load_or_create as load_or_create_secret_key;
pub use sources::Sources;

/// Every variable that this program reads, with its default as `.env.example` shows it.
pub const VARIABLES: &[(&str, &str)] = &[
    ("SECRET_KEY", ""),
    ("SECRET_KEY_PREVIOUS", ""),
    ("DATABASE_URL", ""),
    ("ESB_BASE_URL", ""),
    ("ESB_LISTEN", "0.0.0.0:5000"),
    ("ESB_DATA_DIR", "data"),
    ("UPLOAD_PATH", ""),
    ("UPLOAD_MAX_SIZE_MB", "500"),
    ("ESB_TRUSTED_PROXIES", ""),
    ("HTTPS_PROXY", ""),
    ("NO_PROXY", ""),
    ("SLACK_BOT_TOKEN", ""),
    ("SLACK_APP_TOKEN", ""),
    ("SLACK_SOCKET_MODE_CONNECT", "false"),
    ("SLACK_OOPS_CHANNEL", "#oops"),
    ("SLACK_API_URL", "https://slack.com/api/"),
    ("SLACK_CONNECTIONS", "2"),
    ("SLACK_SIGNING_SECRET", ""),
    ("TZ", "America/New_York"),
    ("WORKER_POLL_SECONDS", "30"),
    ("WORKER_HEARTBEAT_PATH", "/tmp/worker_heartbeat"),
    ("MAINTENANCE_MODE", "false"),
    ("LOG_FORMAT", ""),
    ("RUST_LOG", "info"),
    ("NO_COLOR", ""),
];

/// The program's configuration, checked.
#[derive(Debug, Clone)]
pub struct Config {
    /// Signs cookies and seals passwords in deliveries; `None`: one is generated and kept in the data directory.
    pub secret_key: Option<SecretString>,
    /// The one before a rotation: what it signed and sealed is still read.
    pub secret_key_previous: Option<SecretString>,
    /// Where the data is; its password makes it a secret.
    pub database_url: SecretString,
    /// Connections to its server. No variable sets it; a test has fewer.
    pub database_connections: u32,
    /// Address under which members reach the web, without a trailing slash; `None`: no links.
    pub base_url: Option<String>,
    /// Where the web listens.
    pub listen: SocketAddr,
    /// Directory of everything that we keep in files.
    pub data_dir: PathBuf,
    /// Directory of what people send.
    pub upload_path: PathBuf,
    /// Most bytes of one of their files.
    pub upload_max: u64,
    /// How much of the disk they leave free. No variable sets it; a test has none.
    pub disk_reserve: DiskReserve,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<Network>,
    /// How to talk to Slack.
    pub slack: SlackConfig,
    /// Zone in which people read times.
    pub timezone: Zone,
    /// How often the worker writes down that it lives, at most every 30 s.
    pub worker_poll: Duration,
    /// File that the worker touches while it lives.
    pub worker_heartbeat: PathBuf,
    /// Maintenance is on, whatever the settings say.
    pub maintenance: bool,
    /// How log lines look; `None`: as it suits whoever reads them.
    pub log_format: Option<LogFormat>,
    /// Nothing on a terminal is in color.
    pub no_color: bool,
    /// Which log lines are written, in `tracing_subscriber::EnvFilter`'s language.
    pub log_filter: String,
    /// Sentences for the operator about variables that are set to no effect.
    pub remarks: Vec<String>,
    /// Sentences about names that are a slip away from those of variables.
    pub misspelt: Vec<String>,
}

/// How to talk to Slack.
#[derive(Debug, Clone)]
pub struct SlackConfig {
    /// `xoxb-…`; without it nothing is announced.
    pub bot_token: Option<SecretString>,
    /// `xapp-…`; without it no command comes in.
    pub app_token: Option<SecretString>,
    /// The switch of Socket Mode.
    pub socket_mode: bool,
    /// Channel that hears of everything; `None`: no such channel.
    pub oops_channel: Option<ChannelRef>,
    /// Base of every Web API call, with a trailing slash.
    pub api_url: String,
    /// With it Slack may send its requests to `POST /slack/events`, too.
    pub signing_secret: Option<SecretString>,
    /// How many Socket Mode connections are held (1 to 10, a Slack limit).
    pub connections: usize,
    /// By which calls go out; `None`: directly.
    pub proxy: Option<Proxy>,
}

impl SlackConfig {
    /// True when Socket Mode is wanted and possible: switch on, both tokens set.
    pub const fn socket_mode_enabled(&self) -> bool {
        self.socket_mode && self.bot_token.is_some() && self.app_token.is_some()
    }

    /// The signing secret, where requests over HTTP are wanted and can be answered.
    pub fn http_secret(&self) -> Option<&SecretString> {
        self.signing_secret.as_ref().filter(|_| self.bot_token.is_some())
    }

    /// True when commands come in, whichever way.
    pub fn takes_commands(&self) -> bool {
        self.socket_mode_enabled() || self.http_secret().is_some()
    }
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    /// For a person at a terminal.
    Text,
}

/// Everything that is wrong with the environment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct ConfigErrors(pub Vec<String>);

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "The configuration has {} error(s):", self.0.len())?;
        for error in &self.0 {
            write!(f, "\n  {error}")?;
        }
        Ok(())
    }
}

/// Names and values of environment variables.
pub type Environment = BTreeMap<String, String>;

/// The value of a variable; `None` when it is unset or empty. Other programs read the names of proxies in lower case.
fn value_of<'a>(environment: &'a Environment, name: &str) -> Option<&'a str> {
    let set = |name: &str| Some(environment.get(name)?.trim()).filter(|value| !value.is_empty());
    set(name).or_else(|| name.ends_with("_PROXY").then(|| set(&name.to_ascii_lowercase()))?)
}

impl Config {
    /// Reads `.env` (where present) under the process's environment.
    ///
    /// # Errors
    /// Every mistake at once; also a `.env` that cannot be read.
    pub fn from_env() -> Result<Self, ConfigErrors> {
        Self::parse(&Sources::read()?.environment)
    }

    /// Checks an environment given as a map; an empty value counts as unset.
    ///
    /// # Errors
    /// Every mistake at once.
    pub fn parse(environment: &Environment) -> Result<Self, ConfigErrors> {
        parse::config(environment)
    }

    /// The file of a SQLite database, by its absolute path.
    pub fn database_file(&self) -> Option<PathBuf> {
        let file = sqlite_file(self.database_url.expose_secret())?;
        Some(std::path::absolute(file).unwrap_or_else(|_| file.to_owned()))
    }

    /// Host and port of the database's server, or its socket; `None` for SQLite.
    pub fn database_server(&self) -> Option<String> {
        database_url::server_of(self.database_url.expose_secret())
    }

    /// The database's address as it may stand in a log: without user, password and options, a file by its
    /// absolute path.
    pub fn database_for_log(&self) -> String {
        match self.database_file() {
            Some(file) => format!("sqlite://{}", file.display()),
            None => database_url::for_log(self.database_url.expose_secret()),
        }
    }
}
