//! Checks a valid configuration: its files, its database, and the Slack tokens. Changes nothing. Called by
//! `check-config`; `new_database` also at each start.

use super::writable::remedy;
use crate::clients::slack_api::{SlackApi, SlackApiError, missing_scopes};
use crate::config::Config;
use crate::error_chain::ErrorChain;
use crate::metrics::Metrics;
use crate::store::{ConnectError, DatabaseContent, probe};
use std::fs::{self, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

#[derive(Debug, Default)]
pub struct Findings {
    /// What is wrong and what to do, one sentence each.
    pub wrong: Vec<String>,
    /// Facts that are no errors, one sentence each.
    pub notes: Vec<String>,
}

pub async fn check(config: &Config) -> Findings {
    let mut wrong = config.misspelt.clone();
    let files = try_files(config);
    let has_database_file = !files.iter().any(|finding| finding.starts_with("DATABASE_URL"));
    wrong.extend(files);
    let mut notes: Vec<String> = new_database(config).into_iter().collect();
    if has_database_file {
        match try_database(config).await {
            Ok(note) => notes.extend(note),
            Err(finding) => wrong.push(finding),
        }
    }
    wrong.extend(ask_slack(config).await);
    Findings { wrong, notes }
}

/// A sentence if the database file is missing or empty, so that a start creates a new one.
pub fn new_database(config: &Config) -> Option<String> {
    let file = config.database_file()?;
    let name = file.display();
    match fs::metadata(&file) {
        Ok(there) if there.len() == 0 => {
            Some(format!("{name} is empty, so ESB creates a new database in it"))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Some(format!("{name} does not exist, so ESB creates a new database there"))
        }
        _ => None,
    }
}

/// A note on the content of the database, or what is wrong with it.
async fn try_database(config: &Config) -> Result<Option<String>, String> {
    let server = config.database_server();
    match probe(&config.database_url).await {
        Ok(DatabaseContent::Nothing) => {
            Ok(server
                .map(|server| format!("the database at {server} is empty, so a start creates its tables")))
        }
        Ok(DatabaseContent::Tables { missing: 0 }) => Ok(None),
        Ok(DatabaseContent::Tables { missing }) => {
            Ok(Some(format!("the database schema is {missing} step(s) behind, so a start migrates it")))
        }
        Err(error) => {
            let place = server.unwrap_or_else(|| config.database_for_log());
            let remedy = match error {
                ConnectError::Open(_) => {
                    ": check that the server runs and that host, port, user and password are right"
                }
                _ => "",
            };
            Err(format!("DATABASE_URL: {place}: {}{remedy}", ErrorChain(&error)))
        }
    }
}

fn try_files(config: &Config) -> Vec<String> {
    let (data, beat) = (config.data_dir.as_path(), config.worker_heartbeat.as_path());
    let mut tried = vec![("ESB_DATA_DIR", data, can_hold_files(data))];
    // An unusable data directory is reported once, not also for the paths below it.
    let unusable = tried[0].2.is_err().then(|| std::path::absolute(data).ok()).flatten();
    let is_elsewhere = |path: &PathBuf| unusable.as_ref().is_none_or(|unusable| !path.starts_with(unusable));
    let database = config.database_file().filter(is_elsewhere);
    let uploads = std::path::absolute(&config.upload_path).ok().filter(is_elsewhere);
    tried.extend(uploads.iter().map(|path| ("UPLOAD_PATH", path.as_path(), can_hold_files(path))));
    tried.extend(database.iter().map(|file| ("DATABASE_URL", file.as_path(), can_hold_database(file))));
    tried.push(("WORKER_HEARTBEAT_PATH", beat, can_touch(beat)));
    let wrong = |(variable, path, tried): (&str, &Path, io::Result<()>)| {
        let error = tried.err()?;
        let remedy = match error.kind() {
            io::ErrorKind::PermissionDenied => format!("set another path, or {}", remedy(path, &error)),
            _ => "set it to a path that ESB's user can write to".into(),
        };
        Some(format!("{variable}: {} cannot be used: {error}: {remedy}", path.display()))
    };
    tried.into_iter().filter_map(wrong).collect()
}

/// Tries to write to a directory, or to its nearest existing parent.
pub(super) fn can_hold_files(directory: &Path) -> io::Result<()> {
    let directory = std::path::absolute(directory)?;
    let nearest = directory.ancestors().find(|path| path.exists()).unwrap_or(&directory);
    tempfile::tempfile_in(nearest).map(drop)
}

/// Tries to write to a file, or to its directory if the file is missing.
fn can_write(file: &Path) -> io::Result<()> {
    match OpenOptions::new().append(true).open(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            can_hold_files(file.parent().unwrap_or(file))
        }
        opened => opened.map(drop),
    }
}

/// Tries a database file and its directory, where SQLite creates more files.
pub(super) fn can_hold_database(file: &Path) -> io::Result<()> {
    can_write(file)?;
    can_hold_files(file.parent().unwrap_or(file))
}

/// Tries to set a file's time, which needs more rights than writing. Leaves the time unchanged.
fn can_touch(file: &Path) -> io::Result<()> {
    can_write(file)?;
    match OpenOptions::new().append(true).open(file) {
        Ok(file) => file.set_modified(file.metadata()?.modified()?),
        Err(_) => Ok(()),
    }
}

/// Errors of the Slack tokens; empty while Slack is off.
async fn ask_slack(config: &Config) -> Vec<String> {
    let slack = &config.slack;
    match (&slack.bot_token, &slack.app_token) {
        (None, None) if slack.socket_mode => {
            return vec![
                "SLACK_SOCKET_MODE_CONNECT=true: SLACK_BOT_TOKEN and SLACK_APP_TOKEN are missing, so Slack is off: set \
                 both"
                    .into(),
            ];
        }
        (None, None) => return Vec::new(),
        (None, Some(_)) => return vec!["SLACK_BOT_TOKEN is missing, so Slack is off: set it".into()],
        (Some(_), None) if slack.socket_mode => {
            return vec!["SLACK_APP_TOKEN is missing, so Slack commands do not work: set it".into()];
        }
        _ => {}
    }
    let Ok(api) = SlackApi::new(slack, Metrics::new()) else { return vec!["TLS cannot be set up.".into()] };
    let mut findings = Vec::new();
    match api.auth_test().await {
        Ok(identity) => findings.extend(missing_scopes(identity.scopes.as_ref()).iter().map(|scope| {
            format!(
                "SLACK_BOT_TOKEN lacks the scope {scope}: add it in the app's settings and reinstall the app"
            )
        })),
        Err(error) => findings.push(finding("SLACK_BOT_TOKEN", &error)),
    }
    if slack.app_token.is_some()
        && let Err(error) = api.open_connection().await
    {
        findings.push(finding("SLACK_APP_TOKEN", &error));
    }
    findings
}

fn finding(variable: &str, error: &SlackApiError) -> String {
    let remedy = match error {
        SlackApiError::Auth { .. } => "copy it again from the app's settings",
        _ => "check that this machine can reach Slack; it may need HTTPS_PROXY",
    };
    format!("{variable}: {}: {remedy}", ErrorChain(error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn unusable_paths_are_reported_and_nothing_is_created() {
        let directory = tempfile::tempdir().unwrap();
        let place = |name: &str| directory.path().join(name);
        fs::write(place("file"), "").unwrap();
        assert!(can_hold_files(&place("a/b")).is_ok() && can_write(&place("a/b.db")).is_ok());
        assert!(can_touch(&place("beat")).is_ok() && can_touch(&place("file")).is_ok());
        assert!(can_hold_files(&place("file/data")).is_err(), "a file is no directory");
        assert!(can_write(&place("file/esb.db")).is_err());
        assert!(can_write(directory.path()).is_err(), "a directory is no file");
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "only what was there");
    }
}
