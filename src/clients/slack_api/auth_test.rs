//! `auth.test`. The scopes are in a header of the response.

use super::AUTH_TEST;
use super::error::{Outage, SlackApiError};
use super::http::Http;
use serde::Deserialize;
use slack_morphism::SlackApiToken;
use std::collections::BTreeSet;

/// The identity of a bot token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    pub team_id: String,
    /// The organization that the workspace is part of.
    pub enterprise_id: Option<String>,
    pub user_id: String,
    /// Absent if the token is not a bot token.
    pub bot_id: Option<String>,
    /// The token's scopes; `None` if the response did not list them.
    pub scopes: Option<BTreeSet<String>>,
}

/// Scopes that a bot token must have: enough for every command and announcement (spec "Scopes").
pub const REQUIRED_SCOPES: &[&str] =
    &["commands", "chat:write", "users:read", "users:read.email", "im:write"];

/// Optional scopes: without one of these a feature is off (spec "Scopes").
pub const OPTIONAL_SCOPES: &[&str] = &[
    "channels:history",
    "groups:history",
    "files:read",
    "im:history",
    "app_mentions:read",
    "reactions:read",
    "channels:read",
    "groups:read",
];

/// The optional scopes that a token lacks; empty if Slack did not list the scopes.
pub fn absent_scopes(granted: Option<&BTreeSet<String>>) -> Vec<&'static str> {
    lacking(OPTIONAL_SCOPES, granted)
}

/// The required scopes that a token lacks; empty if Slack did not list the scopes.
pub fn missing_scopes(granted: Option<&BTreeSet<String>>) -> Vec<&'static str> {
    lacking(REQUIRED_SCOPES, granted)
}

impl Identity {
    /// True unless Slack reported that the token lacks this scope.
    pub fn may(&self, scope: &str) -> bool {
        self.scopes.as_ref().is_none_or(|scopes| scopes.contains(scope))
    }
}

fn lacking(wanted: &[&'static str], granted: Option<&BTreeSet<String>>) -> Vec<&'static str> {
    let lacks = |scope: &&&str| granted.is_some_and(|granted| !granted.contains(**scope));
    wanted.iter().filter(lacks).copied().collect()
}

#[derive(Deserialize)]
struct Answer {
    team_id: String,
    #[serde(default)]
    enterprise_id: Option<String>,
    user_id: String,
    bot_id: Option<String>,
}

pub(super) async fn auth_test(http: &Http, token: &SlackApiToken) -> Result<Identity, SlackApiError> {
    let (head, body) = http.call(AUTH_TEST.name, token).await?;
    let Answer { team_id, enterprise_id, user_id, bot_id } =
        serde_json::from_slice(&body).map_err(|_| SlackApiError::Unavailable(Outage::Undecodable))?;
    let scopes = head.headers.get("x-oauth-scopes").and_then(|value| value.to_str().ok()).map(scopes);
    Ok(Identity { team_id, enterprise_id, user_id, bot_id, scopes })
}

fn scopes(list: &str) -> BTreeSet<String> {
    list.split(',').map(str::trim).filter(|scope| !scope.is_empty()).map(str::to_owned).collect()
}
