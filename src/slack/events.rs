//! Events from Slack, and when each is acknowledged.
//!
//! | Event | Acknowledged | Because |
//! | --- | --- | --- |
//! | replies in threads, reactions to cards, `user_change`, the bot joining a channel | once its effects are committed | Slack retries an unacknowledged event: immediately, after 1 and after 5 minutes |
//! | `app_mention`, direct messages, `app_home_opened` | immediately | it changes nothing; a person without an answer tries again, and a late answer is confusing |
//!
//! Slack disables the events of an app that leaves more than 95 % of them unacknowledged for an hour, except of
//! apps with fewer than 1,000 events an hour (its page on the Events API). That is unlikely here: messages outside
//! threads, other reactions and questions to the bot are acknowledged without the database, and so are permanent
//! failures. It would take a database outage of an hour during which a workspace of thousands only replies in
//! threads, reacts and changes accounts.

use super::context::{EdgeError, SlackContext, failure};
use super::envelope::Event;
use super::intake::Reference;
use crate::clients::slack_api::SlackUser;
use crate::error_chain::ErrorChain;
use crate::ops::deliveries::retry_blocked_channels;
use serde_json::Value;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EventOutcome {
    /// Processed: acknowledge it.
    Handled,
    /// A transient failure: do not acknowledge it, so that Slack sends it again.
    Retry,
}

impl EventOutcome {
    /// The outcome of an event whose handler failed. Transient failures are logged here; the handler logs permanent
    /// ones.
    pub(super) fn of_error(error: &EdgeError, event: &Event, reference: &Reference) -> Self {
        if !error.may_pass() {
            return Self::Handled;
        }
        let attempt = event.attempt();
        let (kind, error) = (event.kind(), ErrorChain(error));
        tracing::warn!(%reference, kind, attempt, %error, "event not handled yet, left unacknowledged");
        Self::Retry
    }
}

/// A person's name, e-mail or account in Slack has changed.
pub(crate) async fn user_change(edge: &SlackContext, event: &Event, reference: &Reference) -> EventOutcome {
    let Some(user) = event.body.get("user").and_then(SlackUser::of_event) else {
        tracing::warn!(%reference, "user_change event without a user");
        return EventOutcome::Handled;
    };
    let kept = match event.retry {
        None => edge.people.changed(user).await,
        Some(_) => edge.people.changed_before(user).await,
    };
    let Err(error) = kept else { return EventOutcome::Handled };
    let error = EdgeError::Op(error);
    let outcome = EventOutcome::of_error(&error, event, reference);
    if event.is_last_attempt() {
        failure(error, reference);
    }
    outcome
}

/// A user joined a channel. If it is the bot, retries deliveries of blocked channels immediately.
pub(crate) async fn member_joined(edge: &SlackContext, event: &Event, reference: &Reference) -> EventOutcome {
    let joined = event.body.get("user").and_then(Value::as_str);
    if joined.is_none() || joined != edge.identity.get().map(|identity| identity.user_id.as_str()) {
        return EventOutcome::Handled;
    }
    match retry_blocked_channels(&edge.ctx).await {
        Ok(()) => EventOutcome::Handled,
        Err(error) => EventOutcome::of_error(&EdgeError::Op(error), event, reference),
    }
}
