//! Learns from Slack whose bot token it is and what it may do. Knows nothing of what follows from it.

use crate::clients::slack_api::{Identity, SlackApi, SlackApiError, absent_scopes, missing_scopes};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::SetOnce;

/// How long to wait before Slack is asked again which workspace is ours.
const ASK_AGAIN: Duration = Duration::from_secs(3 * 60);

/// Asks Slack whom the bot token stands for, until it says so: envelopes of other workspaces are refused, and
/// what the token may not do is not offered.
pub(super) async fn learn(api: SlackApi, known: Arc<SetOnce<Identity>>) {
    let mut told = false;
    loop {
        match api.auth_test().await {
            Ok(identity) => {
                let missing = missing_scopes(identity.scopes.as_ref());
                if !missing.is_empty() {
                    let missing = missing.join(", ");
                    tracing::warn!(missing, "the bot token lacks scopes: see docs/administrators.md");
                }
                let absent = absent_scopes(identity.scopes.as_ref());
                if !absent.is_empty() {
                    let absent = absent.join(", ");
                    tracing::info!(
                        absent,
                        "some features are off without these scopes: see docs/administrators.md"
                    );
                }
                let _ = known.set(identity);
                return;
            }
            Err(error) if told => tracing::debug!(error = error.outcome(), "no answer to auth.test yet"),
            // The client has said so, once.
            Err(SlackApiError::Auth { .. }) => {}
            Err(error) => {
                tracing::warn!(error = error.outcome(), "workspace unknown: auth.test failed");
            }
        }
        told = true;
        tokio::time::sleep(ASK_AGAIN).await;
    }
}
