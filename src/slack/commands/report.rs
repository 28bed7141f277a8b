//! `/esb-report [equipment]`: anyone reports a problem.

use crate::slack::context::SlackContext;
use crate::slack::envelope::Command;
use crate::slack::intake::{Ack, Reference};
use crate::slack::modals::report_problem::{Beginning, open};

pub(crate) async fn run(edge: &SlackContext, command: Command, ack: Ack, reference: &Reference) {
    ack.at_once().await;
    let (to, begun) = (edge.reply_to(&command), Beginning { typed: &command.text, ..Beginning::default() });
    if let Err(error) = open(edge, &command.sender, &command.trigger_id, &to, begun).await {
        edge.reply_failure(&to, error, reference).await;
    }
}
