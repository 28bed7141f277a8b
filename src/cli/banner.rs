//! What `serve` says on a terminal when it is ready: four lines for the person who started it. Where the log goes
//! elsewhere, it has the same facts.

use super::print;
use crate::config::Config;
use std::net::SocketAddr;
use std::path::Path;

/// What there is to say.
pub(super) struct Banner {
    address: String,
    data: String,
    slack_is_off: bool,
}

impl Banner {
    pub(super) fn new(config: &Config, listen: SocketAddr) -> Self {
        let data = std::path::absolute(&config.data_dir).unwrap_or_else(|_| config.data_dir.clone());
        Self {
            address: config.base_url.clone().unwrap_or_else(|| local_address(listen)),
            data: shown_data(&data, &config.database_for_log()),
            slack_is_off: config.slack.bot_token.is_none(),
        }
    }

    /// `code` is that of `/setup` while nobody can log in.
    pub(super) fn show(&self, code: Option<&str>) {
        // Nobody is there to read it where the terminal has gone.
        let _ = print(&self.text(code));
    }

    fn text(&self, code: Option<&str>) -> String {
        let Self { address, data, .. } = self;
        let log_in = match code {
            Some(code) => format!("{address}/setup with the code {code}"),
            None => format!("{address}/login"),
        };
        let next = match code {
            Some(_) => "make the first staff user there, or try made-up machines: esb demo-data",
            None if self.slack_is_off => "connect Slack: docs/administrators.md shows how",
            None => "nothing: everything runs",
        };
        format!(
            "Equipment Status Board is at {address} (Ctrl-C ends it)\n  \
               Log in  {log_in}\n  \
               Data    {data}\n  \
               Next    {next}"
        )
    }
}

/// By which a browser on this machine reaches it.
fn local_address(listen: SocketAddr) -> String {
    if listen.ip().is_unspecified() {
        format!("http://localhost:{}", listen.port())
    } else {
        format!("http://{listen}")
    }
}

/// The directory, and the database where it is elsewhere.
fn shown_data(directory: &Path, database: &str) -> String {
    let directory = directory.display().to_string();
    if database.starts_with(&format!("sqlite://{directory}/")) {
        directory
    } else {
        format!("{directory}, database {database}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Environment;

    fn banner(pairs: &[(&str, &str)]) -> Banner {
        let environment: Environment =
            pairs.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        Banner::new(&Config::parse(&environment).unwrap(), "0.0.0.0:5000".parse().unwrap())
    }

    #[test]
    fn first_start_leads_to_setup() {
        let text = banner(&[("ESB_DATA_DIR", "/srv/esb")]).text(Some("abcd-efgh"));
        let expected = "Equipment Status Board is at http://localhost:5000 (Ctrl-C ends it)\n  \
                        Log in  http://localhost:5000/setup with the code abcd-efgh\n  \
                        Data    /srv/esb\n  \
                        Next    make the first staff user there, or try made-up machines: esb demo-data";
        assert_eq!(text, expected);
    }

    #[test]
    fn later_starts_name_the_database_and_no_password() {
        let url = ("DATABASE_URL", "postgres://esb:hunter2@db/esb");
        let text =
            banner(&[url, ("ESB_DATA_DIR", "/srv/esb"), ("ESB_BASE_URL", "https://esb.org")]).text(None);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines[1..3],
            ["  Log in  https://esb.org/login", "  Data    /srv/esb, database postgres://db/esb"]
        );
        assert!(lines[3].contains("connect Slack") && !text.contains("hunter2"), "{text}");
    }
}
