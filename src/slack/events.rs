//! Events from Slack, and when each is acknowledged.
//!
//! | Event | Acknowledged | Because |
//! | --- | --- | --- |
//! | replies in threads, reactions to cards, `user_change`, the bot joining a channel | when what follows from it is committed | Slack sends an unacknowledged event again: at once, after 1 and after 5 minutes |
//! | `app_mention`, direct messages, `app_home_opened` | at once | it changes nothing; a person without an answer asks again, and an answer that comes minutes later confuses |
//!
//! Slack disables the events of an app that leaves more than 95 % of them unacknowledged for an hour, and spares apps
//! with fewer than 1,000 events an hour (its page on the Events API). That is no danger here: messages outside
//! threads, other reactions and questions to the bot are acknowledged without the database, and so is what fails for
//! good. It would take a database that is away for an hour in which a whole workspace of thousands does nothing but
//! reply in threads, react and change accounts.

use super::context::{EdgeError, SlackContext, failure};
use super::envelope::Event;
use super::intake::Reference;
use crate::clients::slack_api::SlackUser;
use crate::error_chain::ErrorChain;
use crate::ops::deliveries::retry_blocked_channels;
use serde_json::Value;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EventOutcome {
    /// Nothing more follows from it: it is acknowledged.
    Handled,
    /// It could not be handled for a reason that may pass: it is not acknowledged, so that Slack sends it again.
    Retry,
}

impl EventOutcome {
    /// The outcome of an event whose handling failed. What may pass is logged here; the handler logs what it gives up.
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

/// Somebody's name, e-mail or account in Slack has changed.
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

/// Somebody joined a channel. Where that is the bot, what waits for channels that take nothing is tried at once.
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
