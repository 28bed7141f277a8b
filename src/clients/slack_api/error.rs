//! Errors of Web API calls. slack-morphism's errors print bodies. These never show a body, a token or a URL, so they
//! may be logged with all their sources.

use serde::Deserialize;
use slack_morphism::errors::SlackClientError;
use std::time::Duration;

/// Wait after a rate limit without `Retry-After`.
const DEFAULT_RETRY_AFTER: Duration = Duration::from_secs(30);
/// Range of accepted `Retry-After` values: zero would cause an immediate retry.
const SHORTEST_RETRY_AFTER: Duration = Duration::from_secs(1);
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(3600);
/// Error codes about the token, not about the request.
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

/// Error codes of responses with status 200 that report an outage of Slack.
const UNAVAILABLE_CODES: &[&str] = &[
    "accesslimited",
    "fatal_error",
    "internal_error",
    "request_timeout",
    "service_unavailable",
    "team_added_to_org",
];
/// Error codes about the channel: every message to it is rejected until somebody changes the channel, its members or
/// its permissions.
const CHANNEL_CODES: &[&str] = &[
    "channel_is_limited_access",
    "channel_not_found",
    "channel_type_not_supported",
    "ekm_access_denied",
    "is_archived",
    "is_inactive",
    "missing_scope",
    "no_permission",
    "not_in_channel",
    "restricted_action",
    "restricted_action_non_threadable_channel",
    "restricted_action_read_only_channel",
    "restricted_action_thread_locked",
    "restricted_action_thread_only_channel",
    "team_access_not_granted",
];
/// Error codes about the message, or about its parent or the edited message: a retry would be rejected again.
const MESSAGE_CODES: &[&str] = &[
    "as_user_not_supported",
    "block_mismatch",
    "cannot_dm_bot",
    "cannot_reply_to_message",
    "cant_update_message",
    "edit_window_closed",
    "external_channel_migrating",
    "invalid_arg_name",
    "invalid_arguments",
    "invalid_array_arg",
    "invalid_attachments",
    "invalid_blocks",
    "invalid_blocks_format",
    "invalid_charset",
    "invalid_form_data",
    "invalid_json",
    "invalid_metadata_format",
    "invalid_metadata_schema",
    "invalid_post_type",
    "json_not_object",
    "markdown_text_conflict",
    "message_limit_exceeded",
    "message_not_found",
    "messages_tab_disabled",
    "metadata_must_be_sent_from_app",
    "metadata_too_large",
    "missing_post_type",
    "missing_text_or_fallback_or_attachments",
    "msg_blocks_too_long",
    "msg_too_long",
    "no_text",
    "not_supported",
    "slack_connect_file_link_sharing_blocked",
    "thread_not_found",
    "too_many_attachments",
    "too_many_contact_cards",
    "user_disabled",
    "user_not_found",
];

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Why a Web API call failed.
#[derive(Debug, thiserror::Error)]
pub enum SlackApiError {
    /// Too many calls: retry only after `retry_after` (30 s if Slack does not say).
    #[error("Slack asks to wait {} s", retry_after.as_secs())]
    RateLimited {
        /// From one second to one hour.
        retry_after: Duration,
    },
    /// `ok: false` because of the request.
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
    /// No valid response: the network, a 5xx, or a server that is not Slack.
    #[error("Slack is unavailable")]
    Unavailable(#[source] Outage),
    /// No response within the call's limit; Slack may have done the work.
    #[error("Slack did not answer in time")]
    TimedOut,
}

/// Why there is no valid response.
#[derive(Debug, thiserror::Error)]
pub enum Outage {
    /// An HTTP status outside the Web API's.
    #[error("HTTP status {0}")]
    Status(u16),
    #[error("no connection")]
    Network(#[source] BoxError),
    /// The response does not match Slack's documentation.
    #[error("an answer that cannot be read")]
    Undecodable,
    /// Slack reports an outage with status 200.
    #[error("Slack reports {0}")]
    SlackError(&'static str),
}

/// The cause of a failure: what has to change before a retry can succeed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Blame {
    /// This message: a retry would be rejected again.
    Message,
    /// The channel: every message to it fails.
    Channel,
    /// The token: every call fails.
    Token,
    /// Slack or the network: every call fails.
    Slack,
    /// The rate limit of this kind of call.
    Pace,
    /// An unknown error code.
    Unknown,
}

impl SlackApiError {
    /// The cause of the failure (spec "Deliveries").
    pub fn blame(&self) -> Blame {
        match self {
            Self::RateLimited { .. } => Blame::Pace,
            Self::Auth { .. } => Blame::Token,
            Self::Unavailable(_) | Self::TimedOut => Blame::Slack,
            Self::Refused { code } if MESSAGE_CODES.contains(&code.as_str()) => Blame::Message,
            Self::Refused { code } if CHANNEL_CODES.contains(&code.as_str()) => Blame::Channel,
            Self::Refused { .. } => Blame::Unknown,
        }
    }

    /// The error's code for records and log lines: Slack's own, if there is one.
    pub fn code(&self) -> &str {
        match self {
            Self::Refused { code } | Self::Auth { code } => code,
            Self::Unavailable(Outage::SlackError(code)) => code,
            _ => self.outcome(),
        }
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

    /// Maps the `error` of a response.
    pub(super) fn of_code(code: &str) -> Self {
        match code {
            "ratelimited" | "rate_limited" => Self::rate_limited(None),
            _ if AUTH_CODES.contains(&code) => Self::Auth { code: code.to_owned() },
            _ if let Some(code) = UNAVAILABLE_CODES.iter().find(|trouble| **trouble == code) => {
                Self::Unavailable(Outage::SlackError(code))
            }
            _ => Self::Refused { code: readable(code) },
        }
    }

    /// Maps an HTTP status other than 200 and 429. Slack also sends codes with a 4xx, for example `used_url` for a
    /// response_url.
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

/// A code that is safe to log: Slack's are short words of lower-case letters.
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
    fn error_codes_map_to_outcome_and_blame() {
        for (code, outcome, blame) in [
            ("invalid_blocks", "refused", Blame::Message),
            ("message_not_found", "refused", Blame::Message),
            ("channel_not_found", "refused", Blame::Channel),
            ("is_archived", "refused", Blame::Channel),
            ("not_in_channel", "refused", Blame::Channel),
            ("restricted_action", "refused", Blame::Channel),
            ("a_code_of_next_year", "refused", Blame::Unknown),
            ("ratelimited", "rate_limited", Blame::Pace),
            ("invalid_auth", "auth", Blame::Token),
            ("token_revoked", "auth", Blame::Token),
            ("account_inactive", "auth", Blame::Token),
            ("fatal_error", "unavailable", Blame::Slack),
            ("internal_error", "unavailable", Blame::Slack),
            ("service_unavailable", "unavailable", Blame::Slack),
            ("request_timeout", "unavailable", Blame::Slack),
            ("team_added_to_org", "unavailable", Blame::Slack),
            ("accesslimited", "unavailable", Blame::Slack),
        ] {
            let error = SlackApiError::of_code(code);
            assert_eq!((error.outcome(), error.blame()), (outcome, blame), "{code}");
            if blame != Blame::Pace {
                assert_eq!(error.code(), code);
            }
        }
        assert_eq!(SlackApiError::TimedOut.blame(), Blame::Slack);
        assert_eq!(SlackApiError::Unavailable(Outage::Undecodable).blame(), Blame::Slack);
    }

    #[test]
    fn error_code_lists_are_disjoint() {
        let lists = [AUTH_CODES, UNAVAILABLE_CODES, CHANNEL_CODES, MESSAGE_CODES];
        let mut codes: Vec<&str> = lists.into_iter().flatten().copied().collect();
        let all = codes.len();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), all);
    }

    #[test]
    fn error_text_never_contains_response_body() {
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
    fn client_error_has_code_server_error_is_transient() {
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
