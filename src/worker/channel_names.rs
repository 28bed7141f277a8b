//! Asks Slack what channels are called that are configured by its ids, each once a day. Nothing waits for it: until
//! it is known, and where Slack does not tell, the id is shown. The worker's loop begins a round now and then.

use crate::error_chain::ErrorChain;
use crate::clients::slack_api::{SlackApi, SlackApiError};
use crate::domain::channel::ChannelRef;
use crate::ops::channel_names::{self, Names, show};
use crate::ops::{Ctx, OpError};
use std::sync::{PoisonError, RwLock};
use std::time::Duration;
use tokio::time::sleep;

/// One of these is needed, as the channel is public or private.
const SCOPES: [&str; 2] = ["channels:read", "groups:read"];
/// Channels asked about in a round. Rounds are half a minute apart at most, and Slack grants 50 a minute.
const AT_ONCE: usize = 20;
/// How long Slack is left alone that does not answer, or does not accept our token.
const PATIENCE: Duration = Duration::from_secs(3 * 60);
/// Longest wait that Slack can ask for.
const PATIENCE_MAX: Duration = Duration::from_secs(60 * 60);

/// Knows what channels are called.
pub struct ChannelNames {
    ctx: Ctx,
    api: SlackApi,
    known: RwLock<Names>,
}

impl ChannelNames {
    /// Knows nothing yet.
    pub fn new(ctx: Ctx, api: SlackApi) -> Self {
        Self { ctx, api, known: RwLock::default() }
    }

    /// A channel as people know it, for the log.
    pub(super) fn shown(&self, channel: &str) -> String {
        show(&self.known.read().unwrap_or_else(PoisonError::into_inner), channel)
    }

    /// One round, and as much time after it as Slack wants to be left alone.
    pub(super) async fn round(&self) {
        if let Some(wait) = self.learn().await {
            sleep(wait.min(PATIENCE_MAX)).await;
        }
    }

    /// Asks about what is not known; how long Slack should be left alone then.
    pub async fn learn(&self) -> Option<Duration> {
        let asked = self.ask().await;
        let known = channel_names::known(&self.ctx).await;
        match (asked, known) {
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

    async fn ask(&self) -> Result<Option<Duration>, OpError> {
        let unknown = channel_names::unknown(&self.ctx).await?;
        if unknown.is_empty() {
            return Ok(None);
        }
        let Ok(identity) = self.api.auth_test().await else { return Ok(Some(PATIENCE)) };
        let may_ask = SCOPES.iter().any(|scope| identity.may(scope));
        for id in unknown.iter().take(AT_ONCE) {
            let name = match may_ask {
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

    /// What a channel is called; nothing where Slack does not tell us. An error is how long to wait.
    async fn name(&self, id: &ChannelRef) -> Result<Option<ChannelRef>, Duration> {
        match self.api.channel_name(id.as_str()).await {
            Ok(name) => Ok(ChannelRef::parse(&name).filter(|name| !name.is_id())),
            Err(SlackApiError::Refused { code }) => {
                tracing::info!(code, channel = %id, "channel name lookup refused");
                Ok(None)
            }
            Err(SlackApiError::RateLimited { retry_after }) => Err(retry_after),
            Err(_) => Err(PATIENCE),
        }
    }
}
