//! Fetches the bot's workspace and scopes from Slack.

use crate::clients::slack_api::{Identity, SlackApi, SlackApiError, absent_scopes, missing_scopes};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::SetOnce;

/// Wait between two tries.
const RETRY_WAIT: Duration = Duration::from_secs(3 * 60);

/// Calls `auth.test` until Slack answers. Envelopes of other workspaces are refused, and features without their scope
/// are not offered.
pub(super) async fn fetch(api: SlackApi, identity_once: Arc<SetOnce<Identity>>) {
    let mut is_logged = false;
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
                let _ = identity_once.set(identity);
                return;
            }
            Err(error) if is_logged => tracing::debug!(error = error.outcome(), "no answer to auth.test yet"),
            // The client logs this once.
            Err(SlackApiError::Auth { .. }) => {}
            Err(error) => {
                tracing::warn!(error = error.outcome(), "workspace unknown: auth.test failed");
            }
        }
        is_logged = true;
        tokio::time::sleep(RETRY_WAIT).await;
    }
}
