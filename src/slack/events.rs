//! What Slack tells of the workspace, and when it is acknowledged.
//!
//! | Event | Acknowledged | Because |
//! | --- | --- | --- |
//! | replies in threads, reactions to cards, `user_change` | when what follows from it is committed | Slack sends an unacknowledged event again: at once, after 1 and after 5 minutes |
//! | `app_mention`, direct messages, `app_home_opened` | at once | it changes nothing; whoever gets no answer asks again, and one that comes minutes later confuses |
//!
//! Slack switches the delivery of events off when an app leaves more than 95 % of them unacknowledged for an hour. That
//! is no danger here: messages outside of threads, other reactions and whatever people ask the bot are acknowledged
//! without the database, and what fails for good is acknowledged, too. It would take a database that is away for an
//! hour in which people do nothing but reply in threads and react.

use super::edge::{EdgeError, SlackEdge, failure};
use super::envelope::Event;
use super::intake::Reference;
use crate::chain::Chain;
use crate::clients::slack_api::SlackUser;
use crate::ops::OpError;

/// What becomes of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EventOutcome {
    /// Nothing more follows from it: it is acknowledged.
    Handled,
    /// It could not be handled for a reason that may pass: it is not acknowledged, so that Slack sends it again.
    Retry,
}

impl EventOutcome {
    /// The outcome of an event whose handling failed. What may pass is logged here; `give_up` says the rest.
    pub(super) fn of_error(error: &EdgeError, event: &Event, reference: &Reference) -> Self {
        if !error.may_pass() {
            return Self::Handled;
        }
        let attempt = event.attempt();
        let (kind, error) = (event.kind(), Chain(error));
        tracing::warn!(%reference, kind, attempt, %error, "An event could not be handled yet");
        Self::Retry
    }
}

/// Somebody's name, e-mail or account in Slack has changed.
pub(crate) async fn user_change(edge: &SlackEdge, event: &Event, reference: &Reference) -> EventOutcome {
    let Some(user) = event.body.get("user").and_then(SlackUser::of_event) else {
        tracing::warn!(%reference, "An event about a person names none");
        return EventOutcome::Handled;
    };
    let kept = match event.retry {
        None => edge.people.changed(user).await,
        Some(_) => edge.people.changed_before(user).await,
    };
    let Err(error) = kept else { return EventOutcome::Handled };
    let error = EdgeError::Op(OpError::from(error));
    let outcome = EventOutcome::of_error(&error, event, reference);
    if event.is_last_attempt() {
        failure(error, reference);
    }
    outcome
}
