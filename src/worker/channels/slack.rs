//! Slack as a way out: `chat.postMessage`.

use crate::chain::Chain;
use crate::clients::slack_api::{PostedMessage, SlackApi, SlackApiError};
use crate::domain::announce::Event;
use crate::domain::delivery::Failure;
use crate::render::links::Links;
use crate::render::slack::Blocks;
use chrono::TimeDelta;
use serde_json::json;
use std::sync::Arc;

/// Posts announcements.
pub struct SlackChannel {
    api: SlackApi,
    blocks: Arc<Blocks>,
    links: Links,
}

impl SlackChannel {
    /// Puts the parts together.
    pub const fn new(api: SlackApi, blocks: Arc<Blocks>, links: Links) -> Self {
        Self { api, blocks, links }
    }

    /// Posts what an event tells to a channel. At most 15 s.
    ///
    /// # Errors
    /// The failure, with who is to blame.
    pub async fn send(&self, target: &str, event: &Event) -> Result<PostedMessage, Failure> {
        let link = self.links.equipment(event.repair().equipment_id);
        let message = self.blocks.announcement(event, link.as_deref()).map_err(|error| {
            tracing::error!(error = %Chain(&error), "An announcement could not be rendered");
            Failure::Message { code: "cannot_render".into() }
        })?;
        let body = json!({
            "channel": target,
            "text": message.text,
            "blocks": message.blocks,
            "unfurl_links": false,
            "unfurl_media": false,
        });
        self.api.post_message(&body).await.map_err(|error| failure(&error))
    }
}

fn failure(error: &SlackApiError) -> Failure {
    let code = match error {
        SlackApiError::Refused { code } | SlackApiError::Auth { code } => code.clone(),
        other => other.outcome().to_owned(),
    };
    if error.is_blamed_on_message() {
        return Failure::Message { code };
    }
    let retry_after = match error {
        SlackApiError::RateLimited { retry_after } => TimeDelta::from_std(*retry_after).ok(),
        _ => None,
    };
    Failure::Circumstance { code, retry_after }
}
