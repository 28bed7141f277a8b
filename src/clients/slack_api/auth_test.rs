//! `auth.test`, by hand on hyper: the scopes stand in a header, and slack-morphism shows no headers.

use super::error::{Outage, SlackApiError};
use crate::clients::tls::Connector;
use bytes::Bytes;
use http::{Request, StatusCode, header};
use http_body_util::{BodyExt, Empty, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde::Deserialize;
use std::collections::BTreeSet;
use std::time::Duration;

/// The longest answer that is read, in bytes.
const LONGEST_ANSWER: usize = 64 * 1024;

/// Whom a bot token stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The workspace.
    pub team_id: String,
    /// The bot's user.
    pub user_id: String,
    /// The bot itself; absent for a token that is no bot's.
    pub bot_id: Option<String>,
    /// What the token may do; `None` when the answer did not say.
    pub scopes: Option<BTreeSet<String>>,
}

/// What a bot token must be allowed: enough for every command and announcement (spec "Scopes").
pub const REQUIRED_SCOPES: &[&str] =
    &["commands", "chat:write", "users:read", "users:read.email", "im:write"];

/// What a token may be allowed besides: without one of these a feature is off (spec "Scopes").
pub const OPTIONAL_SCOPES: &[&str] = &["channels:history", "groups:history"];

/// The optional scopes that a token lacks; none are known to be missing when Slack did not say.
pub fn absent_scopes(granted: Option<&BTreeSet<String>>) -> Vec<&'static str> {
    lacking(OPTIONAL_SCOPES, granted)
}

/// The required scopes that a token lacks; none are known to be missing when Slack did not say.
pub fn missing_scopes(granted: Option<&BTreeSet<String>>) -> Vec<&'static str> {
    lacking(REQUIRED_SCOPES, granted)
}

fn lacking(wanted: &[&'static str], granted: Option<&BTreeSet<String>>) -> Vec<&'static str> {
    let lacks = |scope: &&&str| granted.is_some_and(|granted| !granted.contains(**scope));
    wanted.iter().filter(lacks).copied().collect()
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Answer {
    Yes { team_id: String, user_id: String, bot_id: Option<String> },
    No { error: String },
}

pub(super) async fn auth_test(
    connector: Connector,
    api_url: &str,
    token: &str,
) -> Result<Identity, SlackApiError> {
    let request = Request::post(format!("{api_url}/auth.test"))
        .header(header::AUTHORIZATION, format!("Bearer {token}"))
        .body(Empty::<Bytes>::new())
        .map_err(|error| SlackApiError::Unavailable(Outage::Network(error.into())))?;
    let client = Client::builder(TokioExecutor::new()).build(connector);
    let (head, body) = client
        .request(request)
        .await
        .map_err(|error| SlackApiError::Unavailable(Outage::Network(error.into())))?
        .into_parts();
    let body = Limited::new(body, LONGEST_ANSWER)
        .collect()
        .await
        .map_err(|error| SlackApiError::Unavailable(Outage::Network(error)))?
        .to_bytes();
    read(&head, &body)
}

fn read(head: &http::response::Parts, body: &[u8]) -> Result<Identity, SlackApiError> {
    let text = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok());
    match head.status {
        StatusCode::OK => {}
        StatusCode::TOO_MANY_REQUESTS => {
            let seconds = text("retry-after").and_then(|value| value.parse().ok());
            return Err(SlackApiError::rate_limited(seconds.map(Duration::from_secs)));
        }
        status => return Err(SlackApiError::of_status(status.as_u16(), body)),
    }
    match serde_json::from_slice(body) {
        Ok(Answer::Yes { team_id, user_id, bot_id }) => {
            Ok(Identity { team_id, user_id, bot_id, scopes: text("x-oauth-scopes").map(scopes) })
        }
        Ok(Answer::No { error }) => Err(SlackApiError::of_code(&error)),
        Err(_) => Err(SlackApiError::Unavailable(Outage::Undecodable)),
    }
}

fn scopes(list: &str) -> BTreeSet<String> {
    list.split(',').map(str::trim).filter(|scope| !scope.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn whatever_slack_asks_to_wait_is_a_second_to_an_hour(
            asked in prop_oneof![prop::collection::vec(any::<u8>(), 0..12), "[+-]?[0-9]{0,22}".prop_map(String::into_bytes)],
        ) {
            let header = http::HeaderValue::from_bytes(&asked).ok();
            let mut answer = http::Response::builder().status(StatusCode::TOO_MANY_REQUESTS);
            if let Some(header) = header {
                answer = answer.header("retry-after", header);
            }
            let refused = read(&answer.body(()).unwrap().into_parts().0, b"").unwrap_err();
            let SlackApiError::RateLimited { retry_after } = refused else { panic!("{refused:?}") };
            let seconds = std::str::from_utf8(&asked).ok().and_then(|text| text.parse::<u64>().ok());
            prop_assert_eq!(retry_after.as_secs(), seconds.map_or(30, |seconds| seconds.clamp(1, 3600)));
        }
    }
}
