//! `check-config`: what the configuration is and what is wrong with it, the database's and Slack's opinions included.
//! Shows no secret.

use super::{DONE, FAILED, MISUSED, complain, print};
use crate::app::check::{Findings, check};
use crate::config::{Config, SlackConfig, Sources};

pub(super) async fn run() -> u8 {
    let sources = match Sources::read() {
        Ok(sources) => sources,
        Err(errors) => return complain(&errors.to_string(), MISUSED),
    };
    if tell("Read from", &sources.to_string()).is_err() {
        return FAILED;
    }
    match Config::parse(&sources.environment) {
        Ok(config) => report(&config).await.unwrap_or(FAILED),
        Err(errors) => complain(&errors.to_string(), MISUSED),
    }
}

async fn report(config: &Config) -> anyhow::Result<u8> {
    let base = config.base_url.as_deref().unwrap_or("none: messages carry no links");
    tell("Database", &config.database_for_log())?;
    tell("Data in", &std::path::absolute(&config.data_dir)?.display().to_string())?;
    tell("Listens on", &config.listen.to_string())?;
    tell("Base URL", base)?;
    tell("Slack", slack(&config.slack))?;
    tell("Heartbeat", &std::path::absolute(&config.worker_heartbeat)?.display().to_string())?;
    if let Some(proxy) = &config.slack.proxy {
        tell(
            "Proxy",
            &format!(
                "{proxy}; directly: {}",
                if proxy.direct.is_empty() { "only this machine" } else { &proxy.direct }
            ),
        )?;
    }
    let Findings { wrong, notes } = check(config).await;
    for note in config.remarks.iter().chain(&notes) {
        tell("Note", note)?;
    }
    for finding in &wrong {
        tell("Wrong", finding)?;
    }
    if wrong.is_empty() {
        print("The configuration is fine.")?;
        return Ok(DONE);
    }
    Ok(MISUSED)
}

fn slack(slack: &SlackConfig) -> &'static str {
    match (&slack.bot_token, slack.takes_commands()) {
        (None, _) => "off: SLACK_BOT_TOKEN is not set",
        (Some(_), false) => {
            "announces; no command comes in without SLACK_APP_TOKEN and SLACK_SOCKET_MODE_CONNECT=true, or SLACK_SIGNING_SECRET"
        }
        (Some(_), true) => "announces and takes commands",
    }
}

/// One line of the summary.
fn tell(what: &str, text: &str) -> anyhow::Result<()> {
    print(&format!("{what:<11} {text}"))
}
