//! Asks Slack what it thinks of the configuration, for `check-config`.

use crate::clients::slack_api::{SlackApi, SlackApiError, missing_scopes};
use crate::config::Config;
use crate::metrics::Metrics;

/// Sentences about what will not work with Slack; none when all is well or Slack is off.
pub async fn ask_slack(config: &Config) -> Vec<String> {
    let slack = &config.slack;
    match (&slack.bot_token, &slack.app_token) {
        (None, None) => return Vec::new(),
        (None, Some(_)) => return vec!["SLACK_BOT_TOKEN is missing: nothing can be announced.".into()],
        (Some(_), None) if slack.socket_mode => {
            return vec!["SLACK_APP_TOKEN is missing: no command can come in.".into()];
        }
        _ => {}
    }
    let Ok(api) = SlackApi::new(slack, Metrics::new()) else { return vec!["TLS cannot be set up.".into()] };
    let mut findings = Vec::new();
    match api.auth_test().await {
        Ok(identity) => findings.extend(missing_scopes(identity.scopes.as_ref()).iter().map(|scope| {
            format!("SLACK_BOT_TOKEN lacks the scope {scope}: add it in the app's settings and install the app again.")
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
        _ => "is this machine allowed to reach Slack?",
    };
    format!("{variable}: {error}: {remedy}")
}
