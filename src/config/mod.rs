//! `Config`: the only reader of the environment. Reports all errors at once, each with variable, value (never a
//! secret) and remedy. `.env.example` explains every variable.

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
mod parse;
mod proxy;
mod secret_key;
mod sources;
mod unknown_variables;

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

/// Variables of `.env` that the compose files read, and this program does not.
pub const COMPOSE_VARIABLES: &[(&str, &str)] = &[
    ("ESB_HOST_PORT", "5000"),
    ("ESB_DB_HOST_PORT", ""),
    ("MARIADB_ROOT_PASSWORD", "esb_dev_password"),
    ("ESB_UID", "1000"),
    ("ESB_GID", "1000"),
];

/// The program's configuration, checked.
#[derive(Debug, Clone)]
pub struct Config {
    /// Signs cookies and encrypts passwords in deliveries; `None`: generated and stored in the data directory.
    pub secret_key: Option<SecretString>,
    /// The key before a rotation, still accepted for reading.
    pub secret_key_previous: Option<SecretString>,
    pub database_url: SecretString,
    /// Connections to the database server. No variable sets it; tests use fewer.
    pub database_connections: u32,
    /// Public web address without a trailing slash; `None`: no links.
    pub base_url: Option<String>,
    pub listen: SocketAddr,
    pub data_dir: PathBuf,
    pub upload_path: PathBuf,
    /// Largest upload, in bytes.
    pub upload_max: u64,
    /// Disk space that uploads leave free. No variable sets it; tests use none.
    pub disk_reserve: DiskReserve,
    /// Proxies whose `X-Forwarded-For` is trusted.
    pub trusted_proxies: Vec<Network>,
    pub slack: SlackConfig,
    pub timezone: Zone,
    /// Interval of the worker's last-iteration timestamp, 30 s at most.
    pub worker_poll: Duration,
    /// The worker's heartbeat file.
    pub worker_heartbeat: PathBuf,
    /// Maintenance is on, regardless of the setting.
    pub maintenance: bool,
    /// `None`: text on a terminal, else JSON.
    pub log_format: Option<LogFormat>,
    pub no_color: bool,
    /// In `tracing_subscriber::EnvFilter`'s syntax.
    pub log_filter: String,
    /// Sentences about variables that have no effect.
    pub remarks: Vec<String>,
    /// Sentences about misspelt names of variables.
    pub misspelt: Vec<String>,
}

#[derive(Debug, Clone)]
pub struct SlackConfig {
    /// `xoxb-…`; without it Slack is off.
    pub bot_token: Option<SecretString>,
    /// `xapp-…`; Socket Mode needs it.
    pub app_token: Option<SecretString>,
    pub socket_mode: bool,
    /// The channel for all reports; `None`: no such channel.
    pub oops_channel: Option<ChannelRef>,
    /// Base of every Web API call, with a trailing slash.
    pub api_url: String,
    /// With it, Slack may send requests to `POST /slack/events`.
    pub signing_secret: Option<SecretString>,
    /// Number of Socket Mode connections (1 to 10, a Slack limit).
    pub connections: usize,
    /// Proxy for outgoing calls; `None`: direct.
    pub proxy: Option<Proxy>,
}

impl SlackConfig {
    /// True if the switch is on and both tokens are set.
    pub const fn socket_mode_enabled(&self) -> bool {
        self.socket_mode && self.bot_token.is_some() && self.app_token.is_some()
    }

    /// The signing secret, if requests over HTTP can be answered.
    pub fn http_secret(&self) -> Option<&SecretString> {
        self.signing_secret.as_ref().filter(|_| self.bot_token.is_some())
    }

    /// True if commands come in by Socket Mode or HTTP.
    pub fn takes_commands(&self) -> bool {
        self.socket_mode_enabled() || self.http_secret().is_some()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    Text,
}

/// All errors in the environment.
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

/// The value of a variable; `None` if it is unset or empty. Proxy variables may be in lower case.
fn value_of<'a>(environment: &'a Environment, name: &str) -> Option<&'a str> {
    let set = |name: &str| Some(environment.get(name)?.trim()).filter(|value| !value.is_empty());
    set(name).or_else(|| name.ends_with("_PROXY").then(|| set(&name.to_ascii_lowercase()))?)
}

impl Config {
    /// Reads `.env` (where present) under the process's environment.
    ///
    /// # Errors
    /// All errors at once; also an unreadable `.env`.
    pub fn from_env() -> Result<Self, ConfigErrors> {
        Self::parse(&Sources::read()?.environment)
    }

    /// Parses an environment. An empty value counts as unset.
    ///
    /// # Errors
    /// All errors at once.
    pub fn parse(environment: &Environment) -> Result<Self, ConfigErrors> {
        parse::config(environment)
    }

    /// The absolute path of a SQLite database.
    pub fn database_file(&self) -> Option<PathBuf> {
        let file = sqlite_file(self.database_url.expose_secret())?;
        Some(std::path::absolute(file).unwrap_or_else(|_| file.to_owned()))
    }

    /// Host and port of the database server, or its socket; `None` for SQLite.
    pub fn database_server(&self) -> Option<String> {
        database_url::server_of(self.database_url.expose_secret())
    }

    /// The database URL for a log: without user, password and options, with the absolute path of a file.
    pub fn database_for_log(&self) -> String {
        match self.database_file() {
            Some(file) => format!("sqlite://{}", file.display()),
            None => database_url::for_log(self.database_url.expose_secret()),
        }
    }
}
