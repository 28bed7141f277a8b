//! `check-config`: prints the configuration and what is wrong with it. Also connects to the database and asks Slack.
//! Prints no secret.

use super::{DONE, FAILED, MISUSED, complain, print};
use crate::app::check::{Findings, check};
use crate::config::{Config, SlackConfig, Sources};

pub(super) async fn run() -> u8 {
    let sources = match Sources::read() {
        Ok(sources) => sources,
        Err(errors) => return complain(&errors.to_string(), MISUSED),
    };
    if print_line("Read from", &sources.to_string()).is_err() {
        return FAILED;
    }
    match Config::parse(&sources.environment) {
        Ok(config) => report(&config).await.unwrap_or(FAILED),
        Err(errors) => complain(&errors.to_string(), MISUSED),
    }
}

async fn report(config: &Config) -> anyhow::Result<u8> {
    let base = config.base_url.as_deref().unwrap_or("none: messages have no links");
    print_line("Database", &config.database_for_log())?;
    print_line("Data in", &std::path::absolute(&config.data_dir)?.display().to_string())?;
    print_line("Listens on", &config.listen.to_string())?;
    print_line("Base URL", base)?;
    print_line("Slack", describe_slack(&config.slack))?;
    print_line("Heartbeat", &std::path::absolute(&config.worker_heartbeat)?.display().to_string())?;
    if let Some(proxy) = &config.slack.proxy {
        let direct = if proxy.direct.is_empty() { "only this machine" } else { &proxy.direct };
        print_line("Proxy", &format!("{proxy}; directly: {direct}"))?;
    }
    let Findings { wrong, notes } = check(config).await;
    for note in config.remarks.iter().chain(&notes) {
        print_line("Note", note)?;
    }
    for finding in &wrong {
        print_line("Wrong", finding)?;
    }
    if wrong.is_empty() {
        print("The configuration is fine.")?;
        return Ok(DONE);
    }
    Ok(MISUSED)
}

fn describe_slack(slack: &SlackConfig) -> &'static str {
    match (&slack.bot_token, slack.takes_commands()) {
        (None, _) => "off: SLACK_BOT_TOKEN is not set",
        (Some(_), false) => {
            "announcements only; for commands, set SLACK_APP_TOKEN and SLACK_SOCKET_MODE_CONNECT=true, or SLACK_SIGNING_SECRET"
        }
        (Some(_), true) => "announcements and commands",
    }
}

fn print_line(label: &str, text: &str) -> anyhow::Result<()> {
    print(&format!("{label:<11} {text}"))
}
