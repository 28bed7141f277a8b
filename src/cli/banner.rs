//! The four lines that `serve` prints on a terminal when it is ready. Elsewhere the log has the same facts.

use super::print;
use crate::config::Config;
use std::net::SocketAddr;
use std::path::Path;

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

    /// `code` opens `/setup` while there is no staff user.
    pub(super) fn show(&self, code: Option<&str>) {
        // If the terminal is gone, nobody can read it.
        let _ = print(&self.text(code));
    }

    fn text(&self, code: Option<&str>) -> String {
        let Self { address, data, .. } = self;
        let log_in = match code {
            Some(code) => format!("{address}/setup with the code {code}"),
            None => format!("{address}/login"),
        };
        let next = match code {
            Some(_) => "create the first staff user there, or try it with sample data: esb demo-data",
            None if self.slack_is_off => "connect Slack: see docs/administrators.md",
            None => "report a problem on the board, or type /esb-report in Slack",
        };
        format!(
            "Equipment Status Board is at {address} (Ctrl-C stops it)\n  \
               Log in  {log_in}\n  \
               Data    {data}\n  \
               Next    {next}"
        )
    }
}

/// The address for a browser on this machine.
fn local_address(listen: SocketAddr) -> String {
    if listen.ip().is_unspecified() {
        format!("http://localhost:{}", listen.port())
    } else {
        format!("http://{listen}")
    }
}

/// The directory, and the database if it is elsewhere.
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
        let expected = "Equipment Status Board is at http://localhost:5000 (Ctrl-C stops it)\n  \
                        Log in  http://localhost:5000/setup with the code abcd-efgh\n  \
                        Data    /srv/esb\n  \
                        Next    create the first staff user there, or try it with sample data: esb demo-data";
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
