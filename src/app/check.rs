//! What will not work with a configuration that can be read: tries its files, its database, and asks Slack. Changes
//! nothing. Called by `check-config`; whether there is a database yet also by whatever opens one.

use crate::error_chain::ErrorChain;
use crate::clients::slack_api::{SlackApi, SlackApiError, missing_scopes};
use crate::config::Config;
use crate::metrics::Metrics;
use crate::store::{ConnectError, DatabaseContent, probe};
use std::fs::{self, OpenOptions};
use std::io;
use std::path::Path;

/// What was found.
#[derive(Debug, Default)]
pub struct Findings {
    /// Sentences about what is wrong with each variable; none when all is well.
    pub wrong: Vec<String>,
    /// Sentences about what is worth knowing.
    pub notes: Vec<String>,
}

/// Tries everything.
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

/// Says that the file of the database is not there, or has nothing in it: a start makes a new one.
pub fn new_database(config: &Config) -> Option<String> {
    let file = config.database_file()?;
    let name = file.display();
    match fs::metadata(&file) {
        Ok(there) if there.len() == 0 => {
            Some(format!("{name} is empty, so a new, empty database is made in it"))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Some(format!("{name} does not exist, so a new, empty database is made there"))
        }
        _ => None,
    }
}

/// A note on what is in the database, or what is wrong with it.
async fn try_database(config: &Config) -> Result<Option<String>, String> {
    let server = config.database_server();
    match probe(&config.database_url).await {
        Ok(DatabaseContent::Nothing) => {
            Ok(server.map(|server| format!("the database at {server} is empty, so a start makes its tables")))
        }
        Ok(DatabaseContent::Tables { missing: 0 }) => Ok(None),
        Ok(DatabaseContent::Tables { missing }) => Ok(Some(format!(
            "the database's schema is {missing} step(s) behind, and a start brings it up to date"
        ))),
        Err(error) => {
            let place = server.unwrap_or_else(|| config.database_for_log());
            let remedy = match error {
                ConnectError::Open(_) => {
                    ": does the server run, and are host, port, user and password right?"
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
    // A directory that cannot be used is told once.
    let told = tried[0].2.is_err().then(|| std::path::absolute(data).ok()).flatten();
    let database =
        config.database_file().filter(|file| told.as_ref().is_none_or(|told| !file.starts_with(told)));
    let uploads = std::path::absolute(&config.upload_path).ok();
    let uploads = uploads.filter(|path| told.as_ref().is_none_or(|told| !path.starts_with(told)));
    tried.extend(uploads.iter().map(|path| ("UPLOAD_PATH", path.as_path(), can_hold_files(path))));
    tried.extend(database.iter().map(|file| ("DATABASE_URL", file.as_path(), can_hold_database(file))));
    tried.push(("WORKER_HEARTBEAT_PATH", beat, can_touch(beat)));
    let remedy = "name a place that the user who runs ESB can write to";
    let wrong = |(variable, path, tried): (&str, &Path, io::Result<()>)| {
        Some(format!("{variable}: {} cannot be used: {}: {remedy}", path.display(), tried.err()?))
    };
    tried.into_iter().filter_map(wrong).collect()
}

/// Tries a directory, or the nearest one above it, in which it would be made.
fn can_hold_files(directory: &Path) -> io::Result<()> {
    let directory = std::path::absolute(directory)?;
    let nearest = directory.ancestors().find(|path| path.exists()).unwrap_or(&directory);
    tempfile::tempfile_in(nearest).map(drop)
}

/// Tries a file, or the directory in which it would be made.
fn can_write(file: &Path) -> io::Result<()> {
    match OpenOptions::new().append(true).open(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            can_hold_files(file.parent().unwrap_or(file))
        }
        opened => opened.map(drop),
    }
}

/// Tries the file of a database, and its directory, which holds the companions that SQLite makes.
fn can_hold_database(file: &Path) -> io::Result<()> {
    can_write(file)?;
    can_hold_files(file.parent().unwrap_or(file))
}

/// Tries whether the time of a file can be set, which takes more than writing, and leaves it as it is.
fn can_touch(file: &Path) -> io::Result<()> {
    can_write(file)?;
    match OpenOptions::new().append(true).open(file) {
        Ok(file) => file.set_modified(file.metadata()?.modified()?),
        Err(_) => Ok(()),
    }
}

/// What will not work with Slack; nothing when it is off.
async fn ask_slack(config: &Config) -> Vec<String> {
    let slack = &config.slack;
    match (&slack.bot_token, &slack.app_token) {
        (None, None) if slack.socket_mode => {
            return vec![
                "SLACK_SOCKET_MODE_CONNECT=true: SLACK_BOT_TOKEN and SLACK_APP_TOKEN are missing, so Slack stays off"
                    .into(),
            ];
        }
        (None, None) => return Vec::new(),
        (None, Some(_)) => return vec!["SLACK_BOT_TOKEN is missing: nothing can be announced".into()],
        (Some(_), None) if slack.socket_mode => {
            return vec!["SLACK_APP_TOKEN is missing: no command can come in".into()];
        }
        _ => {}
    }
    let Ok(api) = SlackApi::new(slack, Metrics::new()) else { return vec!["TLS cannot be set up.".into()] };
    let mut findings = Vec::new();
    match api.auth_test().await {
        Ok(identity) => findings.extend(missing_scopes(identity.scopes.as_ref()).iter().map(|scope| {
            format!("SLACK_BOT_TOKEN lacks the scope {scope}: add it in the app's settings and install the app again")
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
        SlackApiError::Auth { .. } => "copy it anew from the app's settings",
        _ => "is this machine allowed to reach Slack, or does it need HTTPS_PROXY?",
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
