//! Events of the workspace: acknowledged at once, then acted upon. Nobody waits for an answer.

use super::edge::{EdgeError, SlackEdge, failure};
use super::envelope::Event;
use super::intake::{Ack, Reference};
use crate::clients::slack_api::SlackUser;
use crate::ops::OpError;

/// Somebody's name, e-mail or account in Slack has changed.
pub(crate) async fn user_change(edge: &SlackEdge, event: &Event, ack: Ack, reference: &Reference) {
    ack.at_once().await;
    let Some(user) = event.body.get("user").and_then(SlackUser::of_event) else {
        return tracing::warn!(%reference, "An event about a person names none");
    };
    // What was so when it was first sent may not be so any more.
    if !edge.is_new(event, reference).await {
        return;
    }
    if let Err(error) = edge.people.changed(user).await {
        failure(EdgeError::Op(OpError::from(error)), reference);
    }
}
