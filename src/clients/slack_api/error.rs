//! What can go wrong with a call of the Web API. slack-morphism's errors print bodies; these never
//! show a body, a token or a URL, so they may be logged with all their sources.

use serde::Deserialize;
use slack_morphism::errors::SlackClientError;
use std::time::Duration;

/// How long to wait when Slack says "too often" without saying how long.
const DEFAULT_RETRY_AFTER: Duration = Duration::from_secs(30);
/// The shortest and the longest wait that we believe in: "at once" would be asked again at once.
const SHORTEST_RETRY_AFTER: Duration = Duration::from_secs(1);
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(3600);
/// Codes that speak of the token, not of the request.
const AUTH_CODES: &[&str] = &[
    "account_inactive",
    "invalid_auth",
    "not_allowed_token_type",
    "not_authed",
    "org_login_required",
    "token_expired",
    "token_revoked",
    "two_factor_setup_required",
];

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Why a call of the Web API did not do what it should.
#[derive(Debug, thiserror::Error)]
pub enum SlackApiError {
    /// Too many calls: nothing before `retry_after` has gone by (30 s where Slack does not say).
    #[error("Slack asks to wait {} s", retry_after.as_secs())]
    RateLimited {
        /// From one second to one hour.
        retry_after: Duration,
    },
    /// `ok: false` for a reason that lies in the request.
    #[error("Slack refused: {code}")]
    Refused {
        /// Slack's `error`, such as `channel_not_found`.
        code: String,
    },
    /// Slack does not accept the token; also when none is configured (`not_authed`).
    #[error("Slack does not accept the token: {code}")]
    Auth {
        /// Slack's `error`, such as `invalid_auth`.
        code: String,
    },
    /// No answer that means anything: the network, a 5xx, something that is not Slack.
    #[error("Slack is unavailable")]
    Unavailable(#[source] Outage),
    /// No answer within the call's limit; Slack may have done the work.
    #[error("Slack did not answer in time")]
    TimedOut,
}

/// What stood between us and an answer of Slack.
#[derive(Debug, thiserror::Error)]
pub enum Outage {
    /// An HTTP status that is no answer of the Web API.
    #[error("HTTP status {0}")]
    Status(u16),
    /// The connection could not be made or broke.
    #[error("no connection")]
    Network(#[source] BoxError),
    /// The answer is not what Slack documents.
    #[error("an answer that cannot be read")]
    Undecodable,
}

impl SlackApiError {
    /// True when the message itself is at fault, so that sending it again as it is will not help:
    /// `ok: false` other than rate limits and authentication (spec "Deliveries").
    pub const fn is_blamed_on_message(&self) -> bool {
        matches!(self, Self::Refused { .. })
    }

    /// The error's name in metrics.
    pub const fn outcome(&self) -> &'static str {
        match self {
            Self::RateLimited { .. } => "rate_limited",
            Self::Refused { .. } => "refused",
            Self::Auth { .. } => "auth",
            Self::Unavailable(_) => "unavailable",
            Self::TimedOut => "timed_out",
        }
    }

    /// Reads the `error` of an answer.
    pub(super) fn of_code(code: &str) -> Self {
        match code {
            "ratelimited" | "rate_limited" => Self::rate_limited(None),
            _ if AUTH_CODES.contains(&code) => Self::Auth { code: code.to_owned() },
            _ => Self::Refused { code: readable(code) },
        }
    }

    /// Reads an HTTP status other than 200 and 429. Slack also sends codes with a 4xx, for example
    /// `used_url` for a response_url.
    pub(super) fn of_status(status: u16, body: &[u8]) -> Self {
        #[derive(Deserialize)]
        struct Answer {
            error: String,
        }
        match serde_json::from_slice::<Answer>(body) {
            Ok(answer) if status < 500 => Self::of_code(&answer.error),
            _ => Self::Unavailable(Outage::Status(status)),
        }
    }

    pub(super) fn rate_limited(retry_after: Option<Duration>) -> Self {
        let asked = retry_after.unwrap_or(DEFAULT_RETRY_AFTER);
        Self::RateLimited { retry_after: asked.clamp(SHORTEST_RETRY_AFTER, LONGEST_RETRY_AFTER) }
    }
}

/// A code as it may stand in a log: Slack's are short words of lower-case letters.
fn readable(code: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-.:".contains(c);
    if code.len() <= 80 && code.chars().all(plain) { code.to_owned() } else { "unreadable_code".to_owned() }
}

impl From<SlackClientError> for SlackApiError {
    fn from(error: SlackClientError) -> Self {
        match error {
            SlackClientError::ApiError(answer) => Self::of_code(&answer.code),
            SlackClientError::RateLimitError(limit) => Self::rate_limited(limit.retry_after),
            SlackClientError::HttpError(answer) => {
                let body = answer.http_response_body.unwrap_or_default();
                Self::of_status(answer.status_code.as_u16(), body.as_bytes())
            }
            SlackClientError::HttpProtocolError(error) => Self::Unavailable(network(error.cause)),
            SlackClientError::SystemError(error) => Self::Unavailable(network(error.cause)),
            SlackClientError::ProtocolError(_)
            | SlackClientError::EndOfStream(_)
            | SlackClientError::SocketModeProtocolError(_) => Self::Unavailable(Outage::Undecodable),
        }
    }
}

fn network(cause: Option<BoxError>) -> Outage {
    cause.map_or(Outage::Undecodable, Outage::Network)
}

#[cfg(test)]
mod tests {
    use super::*;
    use slack_morphism::errors::{SlackClientApiError, SlackClientHttpError, SlackClientProtocolError};

    #[test]
    fn only_a_refusal_is_blamed_on_the_message() {
        for (code, outcome, blamed) in [
            ("channel_not_found", "refused", true),
            ("invalid_blocks", "refused", true),
            ("ratelimited", "rate_limited", false),
            ("invalid_auth", "auth", false),
            ("token_revoked", "auth", false),
            ("account_inactive", "auth", false),
        ] {
            let error = SlackApiError::of_code(code);
            assert_eq!((error.outcome(), error.is_blamed_on_message()), (outcome, blamed), "{code}");
        }
        assert!(!SlackApiError::TimedOut.is_blamed_on_message());
        assert!(!SlackApiError::Unavailable(Outage::Undecodable).is_blamed_on_message());
    }

    #[test]
    fn nothing_of_a_body_shows() {
        let secret = "https://hooks.slack.com/actions/T1/2/abc";
        let json = serde_json::from_str::<u8>("\"x\"").unwrap_err();
        let status = http::StatusCode::BAD_GATEWAY;
        for error in [
            SlackClientError::ApiError(
                SlackClientApiError::new(secret.into()).with_http_response_body(secret.into()),
            ),
            SlackClientError::HttpError(
                SlackClientHttpError::new(status).with_http_response_body(secret.into()),
            ),
            SlackClientError::ProtocolError(
                SlackClientProtocolError::new(json).with_json_body(secret.into()),
            ),
        ] {
            let ours = anyhow::Error::new(SlackApiError::from(error));
            assert!(!format!("{ours:#} {ours:?}").contains("hooks"), "{ours:#}");
        }
    }

    #[test]
    fn a_code_beside_a_client_error_is_read_and_a_server_error_is_an_outage() {
        let used = SlackApiError::of_status(404, br#"{"ok":false,"error":"used_url"}"#);
        assert!(matches!(used, SlackApiError::Refused { code } if code == "used_url"));
        let down = SlackApiError::of_status(503, br#"{"ok":false,"error":"service_unavailable"}"#);
        assert!(matches!(down, SlackApiError::Unavailable(Outage::Status(503))));
        let page = SlackApiError::of_status(404, b"<html>");
        assert!(matches!(page, SlackApiError::Unavailable(Outage::Status(404))));
    }

    #[test]
    fn waits_are_bounded() {
        let wait = |seconds| match SlackApiError::rate_limited(seconds) {
            SlackApiError::RateLimited { retry_after } => retry_after.as_secs(),
            _ => unreachable!(),
        };
        assert_eq!(wait(None), 30);
        assert_eq!(wait(Some(Duration::from_secs(7))), 7);
        assert_eq!(wait(Some(Duration::from_secs(u64::MAX))), 3600);
        assert_eq!(wait(Some(Duration::ZERO)), 1);
    }
}
