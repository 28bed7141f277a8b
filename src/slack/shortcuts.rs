//! Shortcuts: anyone reports a problem from anywhere in Slack, or reports a message from its menu. The form is that
//! of `/esb-report`; answers are direct messages.

use super::context::{EdgeError, ReplyTo, SlackContext};
use super::envelope::{MessageShortcut, Shortcut};
use super::intake::{Ack, Reference};
use super::modals::report_problem::{Beginning, Source, open};
use super::typed_markup::as_read;

pub(crate) async fn report(edge: &SlackContext, used: &Shortcut, ack: Ack, reference: &Reference) {
    ack.at_once().await;
    let to = ReplyTo::directly(&used.sender);
    if let Err(error) = open(edge, &used.sender, &used.trigger_id, &to, Beginning::default()).await {
        edge.reply_failure(&to, error, reference).await;
    }
}

/// A person reports a message.
pub(crate) async fn report_from_message(
    edge: &SlackContext,
    used: &MessageShortcut,
    ack: Ack,
    reference: &Reference,
) {
    ack.at_once().await;
    let to = edge.reply_at_message(&used.sender, Some(&used.response_url));
    if let Err(error) = open_from_message(edge, used, &to).await {
        edge.reply_failure(&to, error, reference).await;
    }
}

/// Opens the form with the message's text as the description; the repair stores the link to the message.
async fn open_from_message(
    edge: &SlackContext,
    used: &MessageShortcut,
    to: &ReplyTo,
) -> Result<(), EdgeError> {
    let description = as_read(edge, &used.message.text).await?;
    let source = Source { channel: used.channel.id.clone(), ts: used.message.ts.clone() };
    let begun = Beginning { typed: "", description: description.trim(), source: Some(source) };
    open(edge, &used.sender, &used.trigger_id, to, begun).await
}
