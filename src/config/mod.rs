//! `Config`: the only reader of the environment. Reports every error at once, names variable, value
//! (never a secret's) and remedy. See `.env.example` for the reader's side.

use crate::domain::channel::ChannelRef;
use chrono_tz::Tz;
use secrecy::{ExposeSecret, SecretString};
use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

mod database_url;
mod parse;
mod secret_key;

pub use secret_key::load_or_create as load_or_create_secret_key;

/// Every variable that this program reads, with its default as `.env.example` shows it.
pub const VARIABLES: &[(&str, &str)] = &[
    ("SECRET_KEY", ""),
    ("DATABASE_URL", ""),
    ("ESB_BASE_URL", ""),
    ("ESB_LISTEN", "0.0.0.0:5000"),
    ("ESB_DATA_DIR", "data"),
    ("ESB_TRUSTED_PROXIES", ""),
    ("SLACK_BOT_TOKEN", ""),
    ("SLACK_APP_TOKEN", ""),
    ("SLACK_SOCKET_MODE_CONNECT", "false"),
    ("SLACK_OOPS_CHANNEL", "#oops"),
    ("SLACK_API_URL", "https://slack.com/api/"),
    ("SLACK_CONNECTIONS", "2"),
    ("TZ", "America/New_York"),
    ("WORKER_POLL_SECONDS", "30"),
    ("WORKER_HEARTBEAT_PATH", "/tmp/worker_heartbeat"),
    ("LOG_FORMAT", "json"),
    ("RUST_LOG", "info"),
];

/// The program's configuration, checked.
#[derive(Debug, Clone)]
pub struct Config {
    /// Signs cookies; `None`: one is generated and kept in the data directory.
    pub secret_key: Option<SecretString>,
    /// Where the data is; its password makes it a secret.
    pub database_url: SecretString,
    /// Address under which members reach the web, without a trailing slash; `None`: no links.
    pub base_url: Option<String>,
    /// Where the web listens.
    pub listen: SocketAddr,
    /// Directory of everything that we keep in files.
    pub data_dir: PathBuf,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpAddr>,
    /// How to talk to Slack.
    pub slack: SlackConfig,
    /// Zone in which people read times.
    pub timezone: Tz,
    /// How often the worker writes down that it lives, at most every 30 s.
    pub worker_poll: Duration,
    /// File that the worker touches while it lives.
    pub worker_heartbeat: PathBuf,
    /// How log lines look.
    pub log_format: LogFormat,
    /// Which log lines are written, in `tracing_subscriber::EnvFilter`'s language.
    pub log_filter: String,
    /// Sentences for the operator about variables that are set to no effect.
    pub remarks: Vec<String>,
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
    /// How many Socket Mode connections are held (1 to 10, a Slack limit).
    pub connections: usize,
}

impl SlackConfig {
    /// True when Socket Mode is wanted and possible: switch on, both tokens set.
    pub const fn socket_mode_enabled(&self) -> bool {
        self.socket_mode && self.bot_token.is_some() && self.app_token.is_some()
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

impl Config {
    /// Reads `.env` (where present) under the process's environment.
    ///
    /// # Errors
    /// Every mistake at once; also a `.env` that cannot be read.
    pub fn from_env() -> Result<Self, ConfigErrors> {
        let mut environment = Environment::new();
        match dotenvy::dotenv_iter() {
            Ok(lines) => {
                for line in lines {
                    let (name, value) = line.map_err(|error| ConfigErrors(vec![unreadable(&error)]))?;
                    environment.insert(name, value);
                }
            }
            Err(e) if e.not_found() => {}
            Err(error) => return Err(ConfigErrors(vec![unreadable(&error)])),
        }
        environment.extend(std::env::vars_os().filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.to_string_lossy().into_owned()))
        }));
        Self::parse(&environment)
    }

    /// Checks an environment given as a map; an empty value counts as unset.
    ///
    /// # Errors
    /// Every mistake at once.
    pub fn parse(environment: &Environment) -> Result<Self, ConfigErrors> {
        parse::config(environment)
    }

    /// The database's address as it may stand in a log: without user, password and options.
    pub fn database_for_log(&self) -> String {
        database_url::for_log(self.database_url.expose_secret())
    }
}

/// What is wrong with `.env`. A line is named by its variable only: its value may be a secret.
fn unreadable(error: &dotenvy::Error) -> String {
    let dotenvy::Error::LineParse(line, _) = error else { return format!(".env: {error}") };
    let name = line.split('=').next().unwrap_or_default().trim();
    let plain = !name.is_empty()
        && name.len() < line.len()
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    let which = if plain { format!("the line of {name}") } else { "a line".to_owned() };
    format!(".env: {which} cannot be read. Is a quotation mark missing?")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_line_of_dotenv_is_named_and_its_secret_is_not() {
        let line = "SLACK_BOT_TOKEN=\"xoxb-1-secret".to_owned();
        let text = unreadable(&dotenvy::Error::LineParse(line, 3));
        assert!(text.contains("the line of SLACK_BOT_TOKEN") && !text.contains("secret"), "{text}");
        let text = unreadable(&dotenvy::Error::LineParse("xoxb-1-secret".into(), 0));
        assert!(!text.contains("secret"), "{text}");
    }
}
