//! `/esb-repair`: technicians claim repairs, set ETA and status, resolve repairs, and open new ones.

use super::{Named, named};
use crate::ops::OpError;
use crate::slack::context::{EdgeError, SlackContext};
use crate::slack::envelope::Command;
use crate::slack::intake::{Ack, Reference};
use crate::slack::modals::act_on_repair::Confirm;
use crate::slack::modals::choose_repair::{self, Then};
use crate::slack::modals::{act_on_repair, create_repair};

pub(super) const NONE_OPEN: &str = ":wrench: No open repairs.";

pub(crate) async fn run(edge: &SlackContext, command: Command, ack: Ack, reference: &Reference) {
    ack.at_once().await;
    if let Err(error) = open(edge, &command).await {
        edge.reply_failure(&edge.reply_to(&command), error, reference).await;
    }
}

async fn open(edge: &SlackContext, command: &Command) -> Result<(), EdgeError> {
    let (sender, to) = (&command.sender, edge.reply_to(command));
    if let Named::Number(number, Some(repair)) = named(&command.text) {
        return match act_on_repair::open(edge, sender, &command.trigger_id, (&to, Confirm::ByMessage), repair)
            .await
        {
            Err(EdgeError::Op(OpError::NotFound)) => {
                edge.tell(&to, &super::unknown(number)).await;
                Ok(())
            }
            opened => opened,
        };
    }
    edge.technician(sender).await?;
    let modal = match named(&command.text) {
        Named::Nothing => choose_repair::modal(edge, &to, Then::Act).await?.ok_or(NONE_OPEN.to_owned()),
        Named::Number(number, _) => Err(super::unknown(number)),
        Named::Words(words) => Ok(create_repair::modal(edge, &to, words).await?),
    };
    super::open_or_tell(edge, command, &to, modal).await
}
