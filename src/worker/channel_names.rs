//! Looks up the names of channels that are configured by id, each once a day. Nothing waits for it: the id is shown
//! until the name is known. The worker's loop starts a lookup at intervals.

use crate::clients::slack_api::{SlackApi, SlackApiError};
use crate::domain::channel::ChannelRef;
use crate::error_chain::ErrorChain;
use crate::ops::deliveries::channel_names::{self, Names, show};
use crate::ops::{Ctx, OpError};
use std::sync::{PoisonError, RwLock};
use std::time::Duration;
use tokio::time::sleep;

/// One of these is needed: the first for public channels, the second for private ones.
const SCOPES: [&str; 2] = ["channels:read", "groups:read"];
/// Lookups at a time. Half a minute passes between two batches, and Slack allows 50 lookups a minute.
const BATCH_MAX: usize = 20;
/// Wait after Slack did not answer or rejected the token.
const RETRY_WAIT: Duration = Duration::from_secs(3 * 60);
/// Longest Retry-After that is respected.
const RETRY_WAIT_MAX: Duration = Duration::from_secs(60 * 60);

/// The names of channels, cached for the log.
pub struct ChannelNames {
    ctx: Ctx,
    api: SlackApi,
    known: RwLock<Names>,
}

impl ChannelNames {
    pub fn new(ctx: Ctx, api: SlackApi) -> Self {
        Self { ctx, api, known: RwLock::default() }
    }

    /// The channel's name for the log, or its id if the name is unknown.
    pub(super) fn display_name(&self, channel: &str) -> String {
        show(&self.known.read().unwrap_or_else(PoisonError::into_inner), channel)
    }

    /// Refreshes, then waits for the returned delay.
    pub(super) async fn refresh_and_wait(&self) {
        if let Some(wait) = self.refresh().await {
            sleep(wait.min(RETRY_WAIT_MAX)).await;
        }
    }

    /// Looks up unknown names. Returns the delay before the next lookup.
    pub async fn refresh(&self) -> Option<Duration> {
        let looked_up = self.look_up_unknown().await;
        let known = channel_names::known(&self.ctx).await;
        match (looked_up, known) {
            (Ok(wait), Ok(known)) => {
                *self.known.write().unwrap_or_else(PoisonError::into_inner) = known;
                wait
            }
            (Err(error), _) | (_, Err(error)) => {
                tracing::debug!(error = %ErrorChain(&error), "channel names unknown yet");
                None
            }
        }
    }

    async fn look_up_unknown(&self) -> Result<Option<Duration>, OpError> {
        let unknown = channel_names::unknown(&self.ctx).await?;
        if unknown.is_empty() {
            return Ok(None);
        }
        let Ok(identity) = self.api.auth_test().await else { return Ok(Some(RETRY_WAIT)) };
        let has_scope = SCOPES.iter().any(|scope| identity.may(scope));
        for id in unknown.iter().take(BATCH_MAX) {
            let name = match has_scope {
                true => match self.name(id).await {
                    Ok(name) => name,
                    Err(wait) => return Ok(Some(wait)),
                },
                false => None,
            };
            channel_names::learn(&self.ctx, id, name.as_ref()).await?;
        }
        Ok(None)
    }

    /// A channel's name; `None` if Slack refuses the lookup. The error is the delay before a retry.
    async fn name(&self, id: &ChannelRef) -> Result<Option<ChannelRef>, Duration> {
        match self.api.channel_name(id.as_str()).await {
            Ok(name) => Ok(ChannelRef::parse(&name).filter(|name| !name.is_id())),
            Err(SlackApiError::Refused { code }) => {
                tracing::info!(code, channel = %id, "channel name lookup refused");
                Ok(None)
            }
            Err(SlackApiError::RateLimited { retry_after }) => Err(retry_after),
            Err(_) => Err(RETRY_WAIT),
        }
    }
}
